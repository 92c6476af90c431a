"""Owns the view of component types: their purpose, their flavors, and why some have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.views.markup import muted, name, prose
from zennb.views.table import Column, Table, values
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.component_types import ComponentType
    from zennb.views.component import Flavor

__all__ = ["component_types"]

SUPPORTED, UNSUPPORTED = "supported", "not supported yet"


def component_types(kinds: Sequence[ComponentType], flavors: Mapping[str, Sequence[Flavor]]) -> Table:
    """List component types in the order given.

    Args:
        kinds: the types.
        flavors: type → its flavors; those that need something installed are marked.
    """
    rows = [
        {
            "type": kind.name,
            "purpose": kind.purpose,
            "supported": bool(flavors.get(kind.name)),
            "flavors": [values(each, "name", "needs") for each in flavors.get(kind.name, ())],
            "instead": "" if flavors.get(kind.name) else kind.instead,
            "here": ([values(each, "name", "needs") for each in flavors.get(kind.name, ())], kind.instead),
        }
        for kind in kinds
    ]
    columns = (
        Column.of("type", "type", "component type", heading=True, most=32),
        Column.of("prose", "purpose"),
        Column.of("names", "here", "flavors here", show=_flavors, markup=_marked, wrap=True),
    )
    return _TypeTable(columns=columns, data=rows)


class _TypeTable(Table):
    """The table of component types; how it shows flavors is no part of its data."""

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dicts of JSON values."""
        return [{key: each for key, each in row.items() if key != "here"} for row in super().rows()]


def _flavors(here: tuple[Sequence[Mapping[str, str]], str]) -> str:
    found, instead = here
    names = (clean(each["name"]) + (" (to be installed)" if each["needs"] else "") for each in found)
    listed = ", ".join(names)
    return f"{SUPPORTED}: {listed}" if listed else instead or UNSUPPORTED


def _marked(here: tuple[Sequence[Mapping[str, str]], str]) -> str:
    found, instead = here
    names = [
        name(each["name"]) + (f" {muted('(to be installed)')}" if each["needs"] else "") for each in found
    ]
    return f"{SUPPORTED}: {', '.join(names)}" if names else muted(prose(instead or UNSUPPORTED))
