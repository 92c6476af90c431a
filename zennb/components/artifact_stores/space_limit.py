"""Owns `SpaceLimit`: the soft limit of a local store, and the one warning when it is nearly reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import TraitError

from zennb.core.planning.pruning import parse_size
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SpaceLimit", "checked_limit"]

_FROM = 0.8
"""Part of the limit from which on the store warns."""


def checked_limit(text: str) -> str:
    """Return a limit as written; "" for none.

    Raises:
        TraitError: it is no size.
    """
    try:
        parse_size(text or "0")
    except UsageError as error:
        raise TraitError(error.message) from None
    return text


class SpaceLimit:
    """Watches how much a store holds, without asking it after every step.

    Args:
        measure: returns the bytes in the store, which takes milliseconds per ten thousand blobs.
    """

    def __init__(self, measure: Callable[[], int]) -> None:
        self._measure = measure
        self._used: int | None = None
        self._has_warned = False

    def added(self, amount: int) -> None:
        """Note that so many bytes were stored; storing some content twice counts twice until the next measurement."""
        if self._used is not None:
            self._used += amount

    def warning(self, name: str, limit: str) -> str:
        """Return a sentence, once, when a store is nearly full; else "".

        Args:
            name: the store.
            limit: its limit, as its owner wrote it; "" for none.
        """
        most = parse_size(limit) if limit else 0
        if not most or self._has_warned or (self._used is not None and self._used < most * _FROM):
            return ""
        self._used = self._measure()
        if self._used < most * _FROM:
            return ""
        self._has_warned = True
        return (
            f"artifact store '{name}' holds {self._used / most:.0%} of its limit of {limit}: "
            "`%artifacts usage` shows what takes the space, `%artifacts prune` frees some. Nothing was deleted."
        )
