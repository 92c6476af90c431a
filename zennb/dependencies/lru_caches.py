"""Owns whether a function behind `functools.lru_cache` remembers results of code that has changed since."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from zennb.compat.python import CachedFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["cached_functions", "is_outdated"]

_made_by: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
"""Cached function → digest of all that its code reached when it began to remember."""


def is_outdated(cached: Any, reached: Callable[[], str]) -> bool:
    """Say whether a cached function remembers results of code that has changed since, and note what it is now.

    Args:
        cached: the function.
        reached: returns a digest of all that its code reaches now.
    """
    if cached.cache_info().currsize == 0:
        _made_by[cached] = reached()
        return False
    now = reached()
    return _made_by.setdefault(cached, now) != now


def cached_functions(names: Mapping[str, Any]) -> list[Any]:
    """Return the functions behind `functools.lru_cache` that these names stand for."""
    return [value for value in names.values() if type(value) is CachedFunction]
