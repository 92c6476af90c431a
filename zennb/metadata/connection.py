"""Owns `Database`: the connections to the SQLite file, transactions, waiting for locks, and forks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import traceback
import weakref
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from zennb.errors import StoreError, StoreFull
from zennb.metadata import reasons
from zennb.metadata.migrations import migrate, needs_work, refuse_triggers
from zennb.sqlite_files import (
    OpenFiles,
    Snapshot,
    exclusively,
    identity,
    is_writable,
    keep_open,
    open_snapshot,
    refuse_obstacles,
)
from zennb.worker_thread import WorkerThread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.worker_thread import DelayedCall

__all__ = ["Database"]

P = ParamSpec("P")
R = TypeVar("R")

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.05  # seconds between two attempts to get a lock

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",  # committed transactions survive a crash of the process
    "foreign_keys = ON",
    "cache_size = -16384",  # KiB
    "wal_autocheckpoint = 4000",  # pages; more than by default, since a cell waits for each checkpoint
)

# Connections inherited through a fork: SQLite forbids even closing them in the child, so they are never freed.
_inherited: list[object] = []


class Database:
    """One SQLite file in WAL mode, shared by any number of threads and processes.

    All writes run on one worker thread. The main thread reads through its own connection without waiting for the
    worker; an interrupt there leaves at most a read transaction open until the next read, which blocks no process.

    Every read and write first checks that the open file is still the one at its path, and every write once more when it
    is done: nobody would ever find what was written to a deleted file. Where nothing can be written, it only reads. On
    a full disk it reads as well, and writes what there is room for.

    Args:
        path: the file; its directory is made when missing.
        deadline: seconds to wait for a lock that another process holds.

    Raises:
        ForeignStore: the file belongs to another program or to a newer zennb.
        StoreBusy: another process holds the lock for longer than `deadline`.
        StoreError: it cannot be opened.

    Attributes:
        is_read_only: whether it cannot be written to.
    """

    def __init__(self, path: Path, *, deadline: float = 10.0) -> None:
        self.path, self.deadline = path, deadline
        self._lock = threading.Lock()
        self._closed = False
        self._snapshot: Snapshot | None = None
        self._refusal: StoreError = reasons.read_only(path)
        self._connection: sqlite3.Connection
        self._start()

    def read(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `function(connection, ...)` on one consistent view of the database; it must not write."""
        # A cell reads several times, and a switch to the worker thread and back takes
        # longer than most of the queries.
        if threading.current_thread() is threading.main_thread() and self._snapshot is None:
            self._check()
            return self._retry_while_locked(
                lambda: self._read_once(lambda reader: function(reader, *args, **kwargs))
            )
        # Each of the other threads would need a connection of its own, and panels start many.
        return self._call("BEGIN", lambda connection: function(connection, *args, **kwargs))

    def write(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `function(connection, ...)` in one transaction: all of it happens or nothing.

        Inside another call's transaction it joins that one; an interrupt ends the waiting only.
        """
        return self._change(lambda connection: function(connection, *args, **kwargs))

    def write_at_once(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `function(connection, ...)` as `write` does, but raise `StoreBusy` instead of waiting for a lock."""
        return self._change(lambda connection: function(connection, *args, **kwargs), deadline=0.0)

    def write_later(
        self, seconds: float, function: Callable[[sqlite3.Connection], R], then: Callable[[R], None]
    ) -> DelayedCall[R]:
        """Do as `write` does after a delay, and pass the result to `then`, unless the call is cancelled before."""

        def written() -> R:
            if self._snapshot is None:
                self._verify()  # once more: what is written behind the end of a log that was cut short hides that
            result = self._retry_while_locked(lambda: self._written(function))
            then(result)
            return result

        self._check()
        return self._worker.later(seconds, written)

    def compact(self) -> None:
        """Shrink the file, if a quarter of it and at least a megabyte is free; other processes wait meanwhile.

        That needs as much room as the file has, for a moment; without, it stays as it is.
        """
        self._check()
        with contextlib.suppress(StoreFull):
            self._worker.call(self._retry_while_locked, self._vacuum)

    def close(self) -> None:
        """Close the file and end the thread; twice is fine."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if os.getpid() == self._process:
                self._finish_files()
                if self._snapshot is not None:
                    self._worker.call(self._snapshot.close)
                elif not self._is_gone():
                    with self._files.closing():
                        self._reader.close()
                        self._worker.call(self._connection.close)
                self._worker.close()

    @property
    def is_read_only(self) -> bool:
        """Whether it cannot be written to."""
        return self._snapshot is not None

    def _change(self, function: Callable[[sqlite3.Connection], R], *, deadline: float | None = None) -> R:
        self._check()
        return self._worker.call(self._retry_while_locked, lambda: self._written(function), deadline)

    def _written(self, function: Callable[[sqlite3.Connection], R]) -> R:
        if self._snapshot is not None and self._connection is self._snapshot.connection:
            return self._written_alone(function)
        result = self._transact("BEGIN IMMEDIATE", function)
        if self._snapshot is None and not self._connection.in_transaction:
            self._verify()  # a file that was deleted in the meantime has taken what was written with it
        return result

    def _written_alone(self, function: Callable[[sqlite3.Connection], R]) -> R:
        """Write what a full disk has room for: deleting makes room, but the first connection needs some."""
        if not isinstance(self._refusal, StoreFull):
            raise self._refusal.with_traceback(None)
        self._renew()  # there may be room by now
        if self._snapshot is None:
            return self._written(function)
        reading = self._connection
        with exclusively(self.path, timeout=0) as connection:
            self._connection = connection  # for calls inside this one
            try:
                return function(connection)
            finally:
                self._connection = reading

    def _call(
        self, begin: str, function: Callable[[sqlite3.Connection], R], *, deadline: float | None = None
    ) -> R:
        self._check()
        return self._worker.call(self._retry_while_locked, lambda: self._transact(begin, function), deadline)

    def _vacuum(self) -> None:
        if self._snapshot is not None:
            return
        ask = ("freelist_count", "page_count", "page_size")
        free, pages, size = (self._connection.execute(f"PRAGMA {each}").fetchone()[0] for each in ask)
        if free * size >= 1_000_000 and free * 4 >= pages:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _check(self) -> None:
        """Refuse when closed; after a fork, open the file again."""
        if self._closed:
            raise StoreError(
                f"the metadata store {self.path} is closed; open it again, or restart the kernel."
            )
        if os.getpid() != self._process:
            self._reopen()
        if self._snapshot is None:
            self._verify()
        elif not self._snapshot.is_current():
            self._worker.call(self._renew_if_changed)

    def _verify(self) -> None:
        """Check that the open files are still those at the path, and whole.

        Raises:
            StoreGone: they are not.
        """
        now, cut = self._files.check()
        if cut:
            raise reasons.cut_short(cut)
        if now != self._files.identity:
            raise reasons.gone(self.path, opened=self._files.identity, now=now)

    def _is_gone(self) -> bool:
        return identity(str(self.path))[0] != self._files.identity[0]

    def _renew_if_changed(self) -> None:
        """Open a database that cannot be written to again, because somebody else has changed it."""
        shown = self._snapshot
        if shown is not None and self._connection is shown.connection and not shown.is_current():
            self._retry_while_locked(self._renew)

    def _renew(self) -> None:
        before = self._snapshot
        self._connection = self._open()
        if before is not None:
            before.close()

    def _transact(self, begin: str, function: Callable[[sqlite3.Connection], R]) -> R:
        connection = self._connection
        return (
            function(connection)
            # A method that is called inside `atomically` joins its transaction.
            if connection.in_transaction
            else _in_transaction(connection, begin, function)
        )

    def _read_once(self, function: Callable[[sqlite3.Connection], R]) -> R:
        if self._reader.in_transaction:  # an interrupt cut the last read short
            _roll_back(self._reader)
        try:
            return _in_transaction(self._reader, "BEGIN", function)
        except BaseException as error:
            # IPython keeps the traceback of an interrupted cell. As long as a frame in it holds a query that was not
            # read to its end, this connection sees the database as it was then, in all later transactions, too.
            traceback.clear_frames(error.__traceback__)
            raise

    def _retry_while_locked(self, work: Callable[[], R], deadline: float | None = None) -> R:
        """Run `work`, and retry while another process holds a lock, until the deadline.

        SQLite's own busy timeout does not cover recovery and the switch to WAL, so it is not used.
        """
        until = time.monotonic() + (self.deadline if deadline is None else deadline)
        pause = _FIRST_PAUSE
        while True:
            try:
                return work()
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BUSY:
                    raise reasons.translated(self.path, error) from error
                if time.monotonic() + pause >= until:
                    raise reasons.busy(self.path, deadline=self.deadline) from error
            except UnicodeDecodeError as error:  # SQLite quotes garbage in its message
                raise reasons.damaged(self.path, error) from error
            time.sleep(pause)
            # Short at first, since most locks are held briefly; longer then, so as not to keep a core busy.
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _start(self) -> None:
        self._process = os.getpid()
        self._worker = WorkerThread("zennb-metadata")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._worker.call(self._retry_while_locked, self._open)
        except OSError as error:
            self._worker.close()
            if isinstance(error, StoreError):
                raise
            raise reasons.cannot_be_made(self.path, error) from error

    def _reopen(self) -> None:
        with self._lock:
            if os.getpid() != self._process:
                self._finish_files.detach()
                _inherited.append((self._connection, self._reader, self._worker))
                self._start()

    def _open(self) -> sqlite3.Connection:
        refuse_obstacles(self.path)
        if self.path.exists() and not is_writable(self.path):
            self._refusal = reasons.read_only(self.path)
            return self._open_to_read()
        try:
            return self._open_to_write()
        except sqlite3.Error as error:  # the rights to write are there, but perhaps no room
            refusal = reasons.translated(self.path, error)
            if not isinstance(refusal, StoreFull):  # busy, for example: it is tried again
                raise
            self._refusal = refusal
            return self._open_to_read()

    def _open_to_write(self) -> sqlite3.Connection:
        # Python begins no transactions by itself, and waiting is done by `_retry_while_locked`.
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0, cached_statements=256)
        try:
            # In one transaction: another process may be creating the tables right now.
            connection.execute("BEGIN")
            work = needs_work(connection, self.path)
            refuse_triggers(connection, self.path)
            connection.execute("COMMIT")
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if work:
                connection.execute("BEGIN IMMEDIATE")
                migrate(connection, self.path)
                connection.execute("COMMIT")
            self._reader = self._open_reader()
            self._snapshot = None
            self._note_files(connection)
        except BaseException:
            _roll_back(connection)
            connection.close()
            raise
        return connection

    def _open_to_read(self) -> sqlite3.Connection:
        snapshot = open_snapshot(self.path)
        try:
            self._check_format(snapshot.connection)
            self._reader, self._snapshot = snapshot.connection, snapshot
            self._note_files(snapshot.connection)
        except BaseException:
            snapshot.close()
            raise
        return snapshot.connection

    def _check_format(self, connection: sqlite3.Connection) -> None:
        if needs_work(connection, self.path):
            raise self._refusal if isinstance(self._refusal, StoreFull) else reasons.outdated(self.path)
        refuse_triggers(connection, self.path)  # on a full disk, what there is room for is written

    def _note_files(self, connection: sqlite3.Connection) -> None:
        """Note which files are open; all three are there as soon as the database was read once."""
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        self._files = OpenFiles(str(self.path))
        # At exit connections are closed in any case, and the last one deletes the log of whatever is there by then.
        is_snapshot = self._snapshot is not None
        finish = partial(_spare_the_next, self._files, connection, self._reader)
        self._finish_files = weakref.finalize(self, (lambda: None) if is_snapshot else finish)

    def _open_reader(self) -> sqlite3.Connection:
        reader = sqlite3.connect(  # opened here, on the worker thread, and used by the main thread
            self.path, isolation_level=None, timeout=0, cached_statements=256, check_same_thread=False
        )
        reader.execute("PRAGMA query_only = ON")
        reader.execute("PRAGMA cache_size = -16384")
        return reader


def _in_transaction(
    connection: sqlite3.Connection, begin: str, function: Callable[[sqlite3.Connection], R]
) -> R:
    """Run `function(connection)` in one transaction."""
    connection.execute(begin)
    try:
        result = function(connection)
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return result


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite may have rolled back by itself already, e.g. when the disk is full.
    with contextlib.suppress(sqlite3.Error):
        connection.rollback()


def _spare_the_next(opened: OpenFiles, *connections: sqlite3.Connection) -> None:
    """Never close connections to a file that is not the one at its path any more, or was cut short: see `keep_open`."""
    now, cut = opened.check()
    if now[0] != opened.identity[0] or cut:
        keep_open(*connections)
