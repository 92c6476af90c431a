"""Owns which processes were started here through multiprocessing: how many, and which are no workers of zennb."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["has_pools_of_others", "note_own_pool", "processes_made"]

_own: WeakSet[Any] = WeakSet()


def note_own_pool(pool: object) -> None:
    """Note a pool of zennb, to which no step hands work itself."""
    _own.add(pool)


def has_pools_of_others() -> bool:
    """Whether processes are alive that multiprocessing has started, other than workers of zennb."""
    loaded = sys.modules.get("multiprocessing")
    children: Iterable[Any] = () if loaded is None else loaded.active_children()
    own = {pid for pool in list(_own) for pid in list(getattr(pool, "_processes", None) or ())}
    return any(child.pid not in own for child in children)


def processes_made() -> object:
    """Return a value that is another after a process was made, also by loky; always another where that is not known."""
    module = sys.modules.get("multiprocessing.process")
    if module is None:
        return "count(1)"
    counter = getattr(module, "_process_counter", None)
    return object() if counter is None else repr(counter)
