"""Owns storing attributes that somebody has added to a table or array with it: its own recipe leaves them out."""

from __future__ import annotations

import sys
from types import MemberDescriptorType
from typing import Any
from weakref import WeakKeyDictionary

from zennb.compat.code_pickling import with_annotations
from zennb.compat.instances import attributes_of, class_attribute
from zennb.digests.added_attributes import added_attributes, library_of

__all__ = ["completed", "set_state"]

_INCOMPLETE = {
    "numpy": ("ndarray",),
    "pandas": ("DataFrame", "Series", "Index"),
    "polars": ("DataFrame", "Series", "LazyFrame"),
}
"""Library → its types whose recipes leave attributes out. What other packages derive from these has its own."""

_incomplete: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
"""Class → whether the recipe of its instances leaves attributes out."""


def completed(value: Any, recipe: Any) -> Any:
    """Return a pickle recipe with what it leaves out: attributes of a table or array, annotations of a class.

    Args:
        value: anything.
        recipe: what `reducer_override` returns for it.
    """
    cls = type(value)
    if (is_incomplete := _incomplete.get(cls)) is None:
        is_incomplete = _incomplete[cls] = _is_incomplete(cls)
    added = added_attributes(value) if is_incomplete else {}
    if not added:
        return with_annotations(value, recipe)
    make, arguments, *rest = value.__reduce_ex__(5) if recipe is NotImplemented else recipe
    state, items, pairs, apply = (*rest, None, None, None, None)[:4]
    return make, arguments, (state, apply, added), items, pairs, set_state


def set_state(value: Any, parts: tuple[Any, Any, dict[str, Any]]) -> None:
    """Give a loaded table or array its state and its attributes."""
    state, apply, added = parts
    if apply is not None:
        apply(value, state)
    elif state is not None:
        value.__setstate__(state)
    held = attributes_of(value)
    for name, part in added.items():
        if type(class_attribute(type(value), name)) is MemberDescriptorType:  # a slot
            object.__setattr__(value, name, part)
        else:  # a property of this name would do something else with it
            held[name] = part


def _is_incomplete(cls: type) -> bool:
    home = library_of(cls)
    library = sys.modules.get(home)
    return issubclass(cls, tuple(getattr(library, name) for name in _INCOMPLETE.get(home, ())))
