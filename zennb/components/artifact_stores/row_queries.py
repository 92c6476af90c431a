"""Owns `RowQueries`: what a local store asks its database in SQL, however that is open."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

__all__ = ["RowQueries"]


class RowQueries:
    """Questions about rows, for each way to open the database."""

    def entries(self) -> list[tuple[object, object, float, object]]:
        """Return key, tag, time and the first bytes of every row; the rest of the content is not read."""
        found = self._fetch("SELECT key, tag, store_time, substr(value, 1, 8) FROM Cache WHERE raw = 1")
        return [(key, tag, _seconds(when), head) for key, tag, when, head in found]

    def stored_at(self, digest: str) -> float | None:
        """Return when a row was last stored or renewed, in seconds since the epoch; None when there is none."""
        found = self._fetch("SELECT store_time FROM Cache WHERE key = ? AND raw = 1", digest)
        return _seconds(found[0][0]) if found else None

    @abstractmethod
    def _fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds."""


def _seconds(value: object) -> float:
    """Return the time in a row; 0 where somebody has put something else there."""
    return float(value) if isinstance(value, int | float) else 0.0
