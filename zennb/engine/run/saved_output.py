"""Owns what saving values comes to: their groups, kinds and names as artifacts, and what was refused."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.compat.instances import is_one_of
from zennb.core.reading.loop_variables import loop_variables
from zennb.core.records.records import LOOP_VARIABLE, Artifact
from zennb.digests.digest import SCALARS
from zennb.engine.step.shared_state import connected
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from zennb.core.records.records import Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.definition import StepDefinition
    from zennb.metadata.store import MetadataStore

__all__ = [
    "SavedOutput",
    "Scalars",
    "groups_of",
    "kind_of",
    "known_in",
    "marked_loops",
    "never_stored",
    "renamed",
]

Scalars: TypeAlias = dict[tuple[str, str], Artifact]
"""Name and digest of a scalar → the artifact that it was stored as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedOutput:
    """The artifacts that were saved, and why the other values were not (name → sentence).

    Attributes:
        secret: those of the refused that are, or hold, secrets, which are never stored.
    """

    artifacts: Mapping[str, Artifact]
    refused: Mapping[str, str]
    secret: frozenset[str] = frozenset()


def never_stored(name: str, secret: str) -> str:
    """Return why a value is refused that looks secret, or shares state with one that does."""
    what = "it looks secret" if name == secret else f"it shares state with `{secret}`, and that looks secret"
    return f"`{name}` is never stored: {what}"


def kind_of(kind: str, value: object) -> str:
    """Return the kind of an artifact: `parameter` for a small value that a plain cell made, else the one given."""
    if (
        kind == "captured"
        # A short plain value that a plain cell set: what people call a parameter.
        and is_one_of(value, SCALARS)
        # Python refuses to write out longer integers.
        and not (type(value) is int and value.bit_length() > 300)
        and len(str(value)) < 80
    ):
        return "parameter"
    return kind


def renamed(artifact: Artifact, name: str, kind: str) -> Artifact:
    """Return the artifact if it has that name, else a new one of that name for the same bytes.

    An output of a step is a new artifact even if the notebook had an equal value under that name before.
    """
    if artifact.name == name and (kind != "output" or artifact.kind == "output"):
        return artifact
    kind = kind if kind == "output" or artifact.is_output else artifact.kind
    return replace(artifact, id=None, name=name, version=0, kind=kind, step=None, created=time.time())


def marked_loops(outputs: Mapping[str, Artifact], definition: StepDefinition) -> dict[str, Artifact]:
    """Return what a step put out; the new artifacts of names that only its loops bind are loop variables."""
    loops = loop_variables(definition.tree).difference(definition.options.outputs or ())
    return {
        name: replace(each, kind=LOOP_VARIABLE) if name in loops and each.id is None else each
        for name, each in outputs.items()
    }


def groups_of(values: Mapping[str, tuple[Any, ValueDigest]]) -> list[dict[str, tuple[Any, ValueDigest]]]:
    """Return the values in groups that share no state with each other."""
    digests = {name: seen for name, (_, seen) in values.items()}
    return [{name: values[name] for name in names} for names in connected(digests)]


def known_in(
    metadata: MetadataStore,
) -> Callable[[Collection[str]], Mapping[str, Sequence[tuple[Artifact, Step]]]]:
    """Return a function that takes digests, and returns the artifacts on record with these digests.

    It is asked after the body of a step, whose results are not to be thrown away: when the records cannot be read, none
    is known, and the values are stored again.
    """

    def known(digests: Collection[str]) -> Mapping[str, Sequence[tuple[Artifact, Step]]]:
        try:
            # The newest will do: where it is of no use, storing the value again is faster than to look at others.
            return metadata.with_digests(digests, limit=1)
        except StoreError:
            return {}

    return known
