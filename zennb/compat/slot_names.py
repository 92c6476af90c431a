"""Owns taking objects apart unnoticed: Python notes the names of its slots in a class whose instance is taken apart.

`dir(instance)` and `vars(cls)` show that note, `__slotnames__`, though the user has pickled nothing.
"""

from __future__ import annotations

import copyreg
from _thread import RLock
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["slots_unnoticed"]

_NAME = "_slotnames"
_ask: Any = getattr(copyreg, _NAME, None)

_is_here: ContextVar[bool] = ContextVar("is_here", default=False)
"""Whether this thread takes objects apart for zennb; others leave the note."""

_lock = RLock()
_inside: list[object] = []
_known: WeakKeyDictionary[type, Any] = WeakKeyDictionary()


def _unnoticed(cls: type) -> Any:
    """Return the names of a class's slots, as `copyreg` does, and leave no note."""
    if not _is_here.get():
        return _ask(cls)
    try:
        if cls in _known:
            return _known[cls]
        names = _known[cls] = _ask(cls)
    except TypeError:  # its metaclass has no hash
        names = _ask(cls)
    if "__slotnames__" in type.__getattribute__(cls, "__dict__"):
        type.__delattr__(cls, "__slotnames__")
    return names


@block
def slots_unnoticed() -> Iterator[None]:
    """Take objects apart in this thread, for as long as the block lasts, without a note in their classes."""
    token, mark = _is_here.set(True), object()
    with _lock:
        _inside.append(mark)
        if _ask is not None:
            setattr(copyreg, _NAME, _unnoticed)
    try:
        yield
    finally:
        with _lock:
            _inside.remove(mark)
            if not _inside and _ask is not None:
                setattr(copyreg, _NAME, _ask)
        _is_here.reset(token)
