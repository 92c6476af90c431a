"""Owns the views of registered models: the list, the versions of one, and one version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.labels import tag_words
from zennb.views.artifact import TYPE_COLUMN
from zennb.views.links import LINKS, version_address
from zennb.views.table import Column, Table, card
from zennb.views.text import clean, size, when

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.models import ModelVersion
    from zennb.core.records.records import Artifact
    from zennb.views.view import View

__all__ = ["model_version", "model_versions", "models"]

_NONE = "no models yet; register an artifact with `model register NAME --from ARTIFACT`"


def models(
    found: Sequence[ModelVersion], types: Mapping[tuple[str, int], str], *, is_filtered: bool = False
) -> Table:
    """List models, one a row, with their newest version.

    Args:
        found: all versions, newest first within a model.
        types: artifact and its version → the type of its value.
        is_filtered: whether only some were asked for.
    """
    newest: dict[str, ModelVersion] = {}
    for each in found:
        newest.setdefault(each.name, each)
    rows = [
        {
            "name": name,
            "version": each.version,
            "aliases": [
                f"{alias} (v{other.version})"
                for other in found
                if other.name == name
                for alias in other.aliases
            ],
            "versions": sum(other.name == name for other in found),
            "type": types.get((each.artifact, each.artifact_version), ""),
            "created": each.created,
        }
        for name, each in newest.items()
    ]
    columns = (
        Column.of("name", "name", "model"),
        Column.of("count", "version", "latest"),
        Column.of("names", "aliases"),
        Column.of("count", "versions"),
        TYPE_COLUMN,
        Column.of("time", "created", "registered", minor=True),
    )
    return Table(columns=columns, data=rows, empty="no such model" if is_filtered else _NONE)


def model_versions(found: Sequence[ModelVersion]) -> Table:
    """List versions of models, newest first."""
    rows = [
        {
            "model": each.name,
            "version": each.version,
            "aliases": list(each.aliases),
            "artifact": each.source,
            "created": each.created,
            "tags": tag_words(each.tags),
            "note": each.note,
            LINKS: {"artifact": version_address(each.source)},
        }
        for each in found
    ]
    columns = (
        Column.of("name", "model"),
        Column.of("count", "version"),
        Column.of("names", "aliases"),
        Column.of("names", "artifact"),
        Column.of("time", "created", "registered"),
        Column.of("names", "tags"),
        Column.of("prose", "note", most=60),
    )
    return Table(columns=columns, data=rows, empty=_NONE)


def model_version(version: ModelVersion, artifact: Artifact | None, deployments: Sequence[str] = ()) -> View:
    """Show one version: its aliases, and the artifact that it stands for.

    Args:
        version: the version.
        artifact: the artifact; None where this home does not have it.
        deployments: the deployments that serve it.
    """
    rows = [
        ("aliases", ", ".join(version.aliases)),
        ("artifact", version.source if artifact is not None else f"{version.source}, of another home"),
        ("type", clean(artifact.type) if artifact is not None else ""),
        ("size", size(artifact.size) if artifact is not None else ""),
        ("registered", when(version.created)),
        ("deployed as", ", ".join(deployments)),
        ("tags", ", ".join(tag_words(version.tags))),
        ("note", version.note),
    ]
    return card("model", version.label, rows)
