"""Owns how attributes that somebody has set on a table or array are stored with it: its own recipe leaves them out."""

from __future__ import annotations

import sys
from typing import Any
from weakref import WeakKeyDictionary

from zennb.compat.code_pickling import with_annotations
from zennb.compat.instances import attributes_of
from zennb.compat.own_attributes import own_attributes
from zennb.packages.origin import module_of, origin

__all__ = ["completed", "set_state"]

_TABLE, _ARRAY = "table", "array"

_kinds: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""Class → what it derives from: `_TABLE` of pandas, `_ARRAY` for one of the user's from numpy's, "" for the rest."""


def completed(value: Any, recipe: Any) -> Any:
    """Return a pickle recipe with what it leaves out: attributes of a table or array, annotations of a class.

    Args:
        value: anything.
        recipe: what `reducer_override` returns for it.
    """
    cls = type(value)
    if (kind := _kinds.get(cls)) is None:
        kind = _kinds[cls] = _kind(cls)
    own = attributes_of(value) if kind == _ARRAY else own_attributes(value) if kind else {}
    if not own:
        return with_annotations(value, recipe)
    make, arguments, *rest = value.__reduce_ex__(5) if recipe is NotImplemented else recipe
    state, items, pairs, apply = (*rest, None, None, None, None)[:4]
    return make, arguments, (state, apply, own), items, pairs, set_state


def set_state(value: Any, parts: tuple[Any, Any, dict[str, Any]]) -> None:
    """Give a loaded table or array its state and its attributes."""
    state, apply, own = parts
    if apply is not None:
        apply(value, state)
    elif state is not None:
        value.__setstate__(state)
    for name, part in own.items():
        object.__setattr__(value, name, part)


def _kind(cls: type) -> str:
    pd, np = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pd is not None and issubclass(cls, pd.DataFrame | pd.Series | pd.Index):
        return _TABLE
    if np is not None and issubclass(cls, np.ndarray) and origin(module_of(cls)).is_users:
        return _ARRAY
    return ""
