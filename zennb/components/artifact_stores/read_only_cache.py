"""Owns `ReadOnlyCache`: the rows of a local artifact store where nothing, or not everything, can be written."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from zennb.components.artifact_stores.row import Foreign
from zennb.components.artifact_stores.row_queries import RowQueries
from zennb.components.content import is_digest
from zennb.errors import StoreFull
from zennb.sqlite_files import exclusively, identity, is_writable, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.components.artifact_stores.store_directory import StoreDirectory
    from zennb.errors import StoreError
    from zennb.sqlite_files import Snapshot

__all__ = ["ReadOnlyCache", "is_read_only", "is_store"]

_RAW = 1
"""How diskcache marks a value that is bytes in the row itself."""


_PATIENCE = 5.0
"""Seconds to wait while another process holds the store."""


def is_read_only(directory: StoreDirectory) -> bool:
    """Return whether a directory is a store, with marker and database, in a place where nothing can be written.

    Raises:
        ForeignStore: it is none of ours, or of a newer format.
    """
    return is_store(directory) and not is_writable(directory.database)


def is_store(directory: StoreDirectory) -> bool:
    """Return whether a directory is a store, with marker and database.

    Raises:
        ForeignStore: it is none of ours, or of a newer format.
    """
    return directory.database.exists() and directory.read_marker() is not None


class ReadOnlyCache(RowQueries):
    """What `StrictCache` offers for reading, without diskcache, which writes to a database when it opens it.

    Args:
        database: the store's database.
        refusal: says why nothing can be written.

    Raises:
        sqlite3.Error, OSError: it cannot be read.
    """

    def __init__(self, database: Path, refusal: StoreError) -> None:
        self._database, self.refusal = database, refusal
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = open_snapshot(database)
        self._identity = identity(str(database))[0]

    def is_current(self) -> bool:
        """Return whether the database is the one at that path."""
        return identity(str(self._database))[0] == self._identity

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
    def lock(self) -> Iterator[None]:
        """Let no other process store anything meanwhile."""
        if not isinstance(self.refusal, StoreFull):
            self._refuse()
        with exclusively(self._database, timeout=_PATIENCE):
            yield

    @contextmanager
    def transact(self) -> Iterator[None]:
        """Refuse: a change needs a store that can be written to."""
        self._refuse()
        yield

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise self.refusal.with_traceback(None)

    add = set = delete = renew = give_back = _refuse

    def close(self) -> None:
        """Close the database, which the next question opens again; twice is fine."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None

    def _fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:  # the main thread reads, too
            if self._snapshot is None or not self._snapshot.is_current():
                self._close()
                self._snapshot = open_snapshot(self._database)
            try:
                return self._snapshot.connection.execute(sql, values).fetchall()
            except sqlite3.OperationalError:
                self._close()
                raise
