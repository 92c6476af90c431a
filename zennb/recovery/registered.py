"""Owns what users registered and noted in a damaged database: reading what can be read, and writing it again."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.metadata.labels import select_labels
from zennb.metadata.models import select_models
from zennb.metadata.stacks import select_components, select_stacks
from zennb.sqlite_files import open_snapshot, skipping_damage

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.core.records.models import ModelVersion
    from zennb.core.records.records import ComponentSpec, StackSpec
    from zennb.metadata.labels import SavedLabels
    from zennb.metadata.store import MetadataStore

__all__ = ["Registered", "register_again", "register_models_again", "registered_in"]

_DEFAULT = "default_stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What is registered in a home.

    Attributes:
        components: the components.
        stacks: the stacks.
        default: the stack that new kernels use; "" when unknown.
        models: the versions of models.
        labels: the tags and notes of runs and artifacts.
    """

    components: list[ComponentSpec] = field(default_factory=list)
    stacks: list[StackSpec] = field(default_factory=list)
    default: str = ""
    models: list[ModelVersion] = field(default_factory=list)
    labels: list[SavedLabels] = field(default_factory=list)


def registered_in(database: Path) -> Registered:
    """Return what can be read in a database, whatever else of it is damaged.

    Raises:
        sqlite3.Error, OSError: another process holds it, or there is no room to read it.
    """
    components: list[ComponentSpec] = []
    stacks: list[StackSpec] = []
    models: list[ModelVersion] = []
    labels: list[SavedLabels] = []
    default = ""
    with skipping_damage(), closing(open_snapshot(database)) as snapshot:
        with suppress(ValueError, TypeError), skipping_damage():
            components = select_components(snapshot.connection, None)
        with suppress(ValueError, TypeError, KeyError), skipping_damage():
            stacks = select_stacks(snapshot.connection, None)
        with suppress(ValueError, TypeError), skipping_damage():
            models = select_models(snapshot.connection)
        with suppress(ValueError, TypeError), skipping_damage():
            labels = select_labels(snapshot.connection)
        sql = "SELECT value FROM settings WHERE key = ?"
        row = snapshot.connection.execute(sql, (_DEFAULT,)).fetchone()
        default = str(row[0]) if row is not None else ""
    return Registered(components=components, stacks=stacks, default=default, models=models, labels=labels)


def register_again(metadata: MetadataStore, found: Registered) -> None:
    """Register what is not registered under its name; what is registered stays as it is."""

    def register() -> None:
        known = {(part.type, part.name) for part in metadata.components()}
        parts = [*found.components, *(part for stack in found.stacks for part in stack.components.values())]
        for part in parts:
            if (part.type, part.name) not in known:
                metadata.put_component(part)
                known.add((part.type, part.name))
        for stack in found.stacks:
            if metadata.stack(stack.name) is None:
                metadata.put_stack(stack)
        if found.default and metadata.setting(_DEFAULT) is None and metadata.stack(found.default) is not None:
            metadata.set_setting(_DEFAULT, found.default)

    metadata.atomically(register)


def register_models_again(metadata: MetadataStore, found: Registered) -> int:
    """Register versions of models whose artifacts are on record again; return how many.

    An alias that another version has by now stays with that one. Tags and notes of what is on record come back too.
    """
    for each in found.labels:
        metadata.labels.restore(each)
    return sum(metadata.models.restore(each) for each in found.models)
