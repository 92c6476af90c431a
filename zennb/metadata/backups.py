"""Owns `Backups`: copies of `metadata.db`, made in the background by age and growth; two are kept."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
import uuid
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from zennb.metadata.migrations import needs_work
from zennb.sqlite_files import refuse_empty, refuse_obstacles, uri
from zennb.worker_thread import WorkerThread

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOLDER", "Backups", "backups_in"]

FOLDER = "backups"
"""The folder of the home that contains them."""

KEPT = 2
DAY = 24 * 3600.0
GROWTH, MARGIN = 1.2, 1_000_000
"""A backup is due when the database has 1.2 times its size and 1 MB more."""

_EVERY = 60.0  # seconds between two checks whether one is due
_PAGES = 256  # copied at a time: 1 MB
_PAUSE = 0.002  # seconds between: the disk is also for the cells
_NAME = re.compile(r"metadata-\d{8}T\d{9}-[0-9a-f]{8}\.db")
_OLD = 3600.0  # seconds after which an unfinished copy of a process that has gone is removed


def backups_in(home: Path) -> list[Path]:
    """Return the backups in a home, newest first."""
    with suppress(OSError):
        found = [entry for entry in (home / FOLDER).iterdir() if _NAME.fullmatch(entry.name)]
        return sorted(found, key=lambda entry: entry.name, reverse=True)
    return []


class _StoppedError(Exception):
    """The process ends before the copy is complete."""


class Backups:
    """Makes backups of one database while it is used.

    A backup is a copy by SQLite itself, of one consistent view, through a connection of its own and on a thread of its
    own: the store's thread goes on writing meanwhile, and in WAL mode a reader keeps no writer waiting.

    Args:
        database: `metadata.db` of a home.
    """

    def __init__(self, database: Path) -> None:
        self._database, self._folder = database, database.parent / FOLDER
        self._next = 0.0
        self._stop = threading.Event()
        self._worker: WorkerThread | None = None

    def changed(self) -> None:
        """Note that the database was changed; at most once a minute it is checked whether a backup is due."""
        now = time.monotonic()
        if now < self._next or self._stop.is_set():
            return
        self._next = now + _EVERY
        if self._worker is None:
            self._worker = WorkerThread("zennb-backup")
        self._worker.later(0.0, self._make_if_due)

    def make(self) -> Path:
        """Make a backup now and return it.

        Raises:
            sqlite3.Error, OSError: it could not be made; nothing is left of it.
        """
        self._folder.mkdir(exist_ok=True)
        now = time.time()
        moment = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}{int(now * 1000) % 1000:03d}"
        finished = self._folder / f"metadata-{moment}-{uuid.uuid4().hex[:8]}.db"
        draft = finished.with_name(f"{finished.name}.part")
        try:
            self._copy(draft)
            draft.replace(finished)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        self._forget_older()
        return finished

    def close(self) -> None:
        """Stop a copy that is being made, and end the thread; twice is fine."""
        self._stop.set()
        if self._worker is not None:
            self._worker.close()

    def _make_if_due(self) -> None:
        with suppress(sqlite3.Error, OSError, _StoppedError):  # tried again in a minute
            if self._is_due():
                self.make()

    def _is_due(self) -> bool:
        with closing(self._opened()) as connection:
            pages, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
            )
        newest = next(iter(backups_in(self._database.parent)), None)
        # A home without a backup counts from its beginning, when it was empty.
        since = newest or self._database.parent / "STORE.json"
        seen = since.stat()
        before = seen.st_size if newest is not None else 0
        return time.time() - seen.st_mtime > DAY or pages * size > GROWTH * before + MARGIN

    def _opened(self) -> sqlite3.Connection:
        refuse_obstacles(self._database)
        refuse_empty(self._database)
        return sqlite3.connect(uri(self._database, "ro"), uri=True, timeout=5.0)

    def _copy(self, draft: Path) -> None:
        with closing(self._opened()) as source, closing(sqlite3.connect(draft)) as target:
            # In one read transaction: a copy in parts would otherwise begin again after each change by others.
            source.execute("BEGIN")
            needs_work(source, self._database)  # reads it, and refuses what is not ours
            source.backup(target, pages=_PAGES, progress=self._progress, sleep=_PAUSE)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        with draft.open("rb+") as file:
            os.fsync(file.fileno())

    def _progress(self, _status: int, _remaining: int, _total: int) -> None:
        if self._stop.is_set():
            raise _StoppedError

    def _forget_older(self) -> None:
        for entry in backups_in(self._database.parent)[KEPT:]:
            entry.unlink(missing_ok=True)
        for entry in self._folder.glob("metadata-*.db.part"):  # of processes that were killed
            if time.time() - entry.stat().st_mtime > _OLD:
                entry.unlink(missing_ok=True)
