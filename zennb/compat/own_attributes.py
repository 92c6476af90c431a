"""Owns the attributes that somebody has set on a table of pandas, as in `df.name = "sales"`; pandas stores none."""

from __future__ import annotations

from typing import Any

from zennb.compat.instances import attributes_of, class_attribute

__all__ = ["own_attributes"]


def own_attributes(table: Any) -> dict[str, Any]:
    """Return the attributes of a frame, series or index that are neither its data nor declared by its class."""
    cls: Any = type(table)
    found, declared = attributes_of(table), getattr(cls, "_metadata", ())
    names = [name for name in sorted(found) if not name.startswith("_") and name not in declared]
    # An accessor, such as `df.plot`, is kept in the place of the descriptor that made it.
    return {name: found[name] for name in names if not hasattr(class_attribute(cls, name), "__get__")}
