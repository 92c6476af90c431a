"""Owns the view of component types: their purpose, their flavors, and which are not supported yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.markup import muted, name
from zennb.views.table import Column, Table, values
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import ComponentType
    from zennb.views.component import Flavor

__all__ = ["component_types"]

UNSUPPORTED = "not supported yet"


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
        }
        for kind in kinds
    ]
    columns = (
        Column.of("type", "type", "component type", heading=True, most=32),
        Column.of("prose", "purpose"),
        Column.of("names", "flavors", "flavors here", show=_flavors, markup=_marked, wrap=True),
    )
    return Table(columns=columns, data=rows)


def _flavors(found: Sequence[Mapping[str, str]]) -> str:
    names = (clean(each["name"]) + (" (to be installed)" if each["needs"] else "") for each in found)
    return ", ".join(names) or UNSUPPORTED


def _marked(found: Sequence[Mapping[str, str]]) -> str:
    names = [
        name(each["name"]) + (f" {muted('(to be installed)')}" if each["needs"] else "") for each in found
    ]
    return ", ".join(names) or muted(UNSUPPORTED)
