"""Owns `StrictCache`: the diskcache of a local artifact store, limited to rows of bytes under digests.

It never pickles, writes or removes a file, or evicts, and it stops opening when a deadline passes.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import diskcache
from diskcache import Timeout
from diskcache.core import MODE_RAW

from zennb.components.artifact_stores.inspection import SETTINGS
from zennb.components.artifact_stores.reasons import lost_content
from zennb.components.artifact_stores.row import Foreign
from zennb.components.artifact_stores.row_queries import RowQueries
from zennb.components.content import is_digest
from zennb.errors import ForeignStore
from zennb.sqlite_files import OpenFiles, refuse_obstacles

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["StrictCache", "Timeout", "make_database"]


class _StrictDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Accepts digests as keys and bytes in the row as values; leaves everything else alone."""

    def put(self, key: object) -> tuple[object, bool]:
        if not is_digest(key):
            raise TypeError("keys are digests")
        return key, True

    def get(self, key: object, raw: object) -> object:
        return key if raw == 1 and is_digest(key) else None

    def store(self, value: object, read: object, key: object = None) -> tuple[int, int, None, bytes]:
        if read or type(value) is not bytes:
            raise TypeError(f"values are bytes; {key!r} is not")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: object) -> object:
        is_ours = mode == MODE_RAW and filename is None and type(value) is bytes and not read
        return value if is_ours else Foreign(value)

    def filename(self, key: object = None, value: object = None) -> NoReturn:
        raise TypeError(f"values are never files of diskcache: {key!r}, {type(value)}")

    def remove(self, file_path: object) -> None:
        """Remove nothing: no file in the directory is diskcache's, whatever a row says."""


class _AsWritten(str):
    """A path in which diskcache expands no variables: a folder may really be called `$HOME` or `%TEMP%`.

    `os.path.expandvars` leaves a text alone in which it finds neither sign.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return self

    def __contains__(self, part: object) -> bool:
        return part not in {"$", "%", b"$", b"%"} and isinstance(part, str) and super().__contains__(part)

    def startswith(self, *place: Any) -> bool:
        return place[0] != "~" and super().startswith(*place)


class StrictCache(RowQueries, diskcache.Cache):  # type: ignore[misc]  # diskcache ships no types
    """A diskcache that stops opening when our deadline passes; its own is a minute per statement."""

    _until: float | None = None
    _is_closed = False

    def __init__(self, directory: Path, timeout: float) -> None:
        self._until = time.monotonic() + timeout
        self._files = OpenFiles(str(directory / "cache.db"))
        try:
            try:
                super().__init__(_AsWritten(directory), timeout=timeout, disk=_StrictDisk, **SETTINGS)
                self._verify()
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                if isinstance(error, UnicodeDecodeError):
                    raise
                # diskcache reads its settings as it wrote them; in a damaged table or index some are missing.
                raise sqlite3.DatabaseError(f"its settings cannot be read ({error})") from error
        except BaseException:
            with suppress(AttributeError):  # it failed before there was anything to close
                self.close()
            raise
        self._until = None
        self._files = OpenFiles(self._files.path)  # now that all of them are there

    def is_current(self) -> bool:
        """Return whether its database is still the one at that path.

        Raises:
            StoreGone: the database or its log was cut short, or the log is not the one that is open.
        """
        now, cut = self._files.check()
        if now[0] != self._files.identity[0]:
            return False
        if cut or (now[1] != self._files.identity[1] and not self._is_closed):
            raise lost_content(Path(self.directory), cut)
        return True

    def close(self) -> None:
        """Close the connection of this thread; the next use opens another one, which may have another log."""
        self._is_closed = True
        with self._files.closing():
            super().close()

    def _verify(self) -> None:
        for key, value in SETTINGS.items():
            if not key.startswith("sqlite_") and self.reset(key) != value:
                raise ForeignStore(
                    f"Something changes the settings of {self.directory} while it is opened ({key} is not "
                    f"{value!r}). Nothing was stored. End the other program that uses this directory."
                )

    def add(self, key: object, value: object, **options: Any) -> bool:
        """Add a row unless there is one; a row whose end is no time has ended."""
        try:
            return bool(super().add(key, value, **options))
        except TypeError:  # diskcache compares what stands in the row with the time
            sql = "UPDATE Cache SET expire_time = 0 WHERE key = ? AND typeof(expire_time) IN ('text', 'blob')"
            if not self._sql(sql, (key,)).rowcount:
                raise
            return bool(super().add(key, value, **options))

    def lock(self) -> AbstractContextManager[object]:
        """Let no other process store anything meanwhile."""
        transaction: AbstractContextManager[object] = self.transact()
        return transaction

    def renew(self, digest: str, *, now: float, unless_since: float) -> None:
        """Let a row count as stored now, unless it already does since a time; inside the caller's transaction."""
        self._sql(
            "UPDATE Cache SET store_time = ? WHERE key = ? AND raw = 1 AND store_time < ?",
            (now, digest, unless_since),
        )

    def give_back(self) -> None:
        """Shrink the database file by the pages of deleted rows, and empty its log; readers at work defer that."""
        with suppress(sqlite3.OperationalError):
            try:
                self._sql("PRAGMA busy_timeout = 0").fetchall()  # do not wait for them
                self._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._sql(f"PRAGMA busy_timeout = {int(self.timeout * 1000)}").fetchall()

    def _fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._sql(sql, values).fetchall()
        return found

    @property
    def _con(self) -> sqlite3.Connection:
        if getattr(self._local, "con", None) is None:  # diskcache connects once in each thread
            refuse_obstacles(Path(self.directory, "cache.db"))
        opened: sqlite3.Connection = super()._con
        if self._is_closed:
            self._files, self._is_closed = OpenFiles(self._files.path), False
        return opened

    @property
    def _sql(self) -> Callable[..., sqlite3.Cursor]:
        execute: Callable[..., sqlite3.Cursor] = super()._sql
        return execute if self._until is None else partial(self._hurried, execute)

    def _hurried(self, execute: Callable[..., sqlite3.Cursor], *args: Any) -> sqlite3.Cursor:
        try:
            return execute(*args)
        except sqlite3.OperationalError:
            if self._until is not None and time.monotonic() > self._until:
                raise Timeout from None
            raise


def make_database(directory: Path, *, timeout: float) -> None:
    """Make an empty database there, with our settings."""
    with closing(StrictCache(directory, timeout)):
        pass
