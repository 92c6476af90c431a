"""Owns the attributes that somebody has set on a table of pandas, as in `df.name = "sales"`; pandas stores none."""

from __future__ import annotations

from typing import Any

from zennb.compat.instances import attributes_of

__all__ = ["own_attributes"]


def own_attributes(table: Any) -> dict[str, Any]:
    """Return the attributes of a frame, series or index that are neither its data nor declared by its class."""
    cls: Any = type(table)
    known = {
        *getattr(cls, "_metadata", ()),
        *getattr(cls, "_accessors", ()),
    }  # an accessor is kept once it was used
    found = attributes_of(table)
    return {name: found[name] for name in sorted(found) if not name.startswith("_") and name not in known}
