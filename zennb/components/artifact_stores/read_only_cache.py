"""Owns `ReadOnlyCache`: the rows of a local artifact store in a place where nothing can be written."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from zennb.components.artifact_stores.reasons import read_only
from zennb.components.artifact_stores.row import Foreign
from zennb.components.artifact_stores.row_queries import RowQueries
from zennb.components.content import is_digest
from zennb.sqlite_files import is_writable, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.components.artifact_stores.store_directory import StoreDirectory

__all__ = ["ReadOnlyCache", "is_read_only"]

_RAW = 1
"""How diskcache marks a value that is bytes in the row itself."""


def is_read_only(directory: StoreDirectory) -> bool:
    """Return whether a directory is a store, with marker and database, in a place where nothing can be written.

    Raises:
        ForeignStore: it is none of ours, or of a newer format.
    """
    if not directory.database.exists() or is_writable(directory.database):
        return False
    return directory.read_marker() is not None


class ReadOnlyCache(RowQueries):
    """What `StrictCache` offers for reading, without diskcache, which writes to a database when it opens it.

    Args:
        root: the store's directory.
        database: its database.

    Raises:
        sqlite3.Error, OSError: it cannot be read.
    """

    def __init__(self, root: Path, database: Path) -> None:
        self._root, self._database = root, database
        self._lock = threading.Lock()
        self._snapshot = open_snapshot(database)

    def get(self, digest: str, default: object = None, *, tag: bool = True) -> tuple[object, object]:
        """Return the value and the tag of a row; nothing in it is decoded."""
        del tag
        found = self._fetch("SELECT mode, filename, value, tag FROM Cache WHERE key = ? AND raw = 1", digest)
        if not found:
            return default, None
        mode, filename, value, label = found[0]
        is_ours = mode == _RAW and filename is None and isinstance(value, bytes)
        return (value if is_ours else Foreign(value)), label

    def __iter__(self) -> Iterator[str | None]:
        for (key,) in self._fetch("SELECT key FROM Cache WHERE raw = 1"):
            yield str(key) if is_digest(key) else None

    @contextmanager
    def transact(self) -> Iterator[None]:
        """Refuse: a change needs a store that can be written to."""
        self._refuse()
        yield

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise read_only(self._root)

    add = set = delete = renew = give_back = _refuse

    def close(self) -> None:
        """Close the database; twice is fine."""
        with self._lock:
            self._snapshot.close()

    def _fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:  # the main thread reads, too
            if not self._snapshot.is_current():
                self._snapshot.close()
                self._snapshot = open_snapshot(self._database)
            try:
                return self._snapshot.connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError:
                self._snapshot.close()
                self._snapshot = open_snapshot(self._database)
                raise
