"""Owns SQLite databases as files: which file a connection has open, and reading where nothing can be written."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FAMILY",
    "UNREADABLE",
    "Fingerprint",
    "Identity",
    "NotAFileError",
    "OpenFiles",
    "Snapshot",
    "allow",
    "exclusively",
    "files_in_the_way",
    "files_of_others",
    "fingerprint",
    "identity",
    "is_busy",
    "is_full",
    "is_passing",
    "is_writable",
    "keep_open",
    "open_snapshot",
    "refuse_empty",
    "refuse_obstacles",
    "skipping_damage",
    "uri",
]

FAMILY = ("", "-wal", "-shm", "-journal")
"""What follows the name of a database in the names of its files; the last one is only there in passing."""

UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OSError)
"""What reading a damaged database raises. Python cannot even decode the messages in which SQLite quotes garbage."""

_PATIENCE = 5.0
"""Seconds to wait while another process holds a lock."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITTEN = {
    getattr(sqlite3, f"SQLITE_IOERR_{name}", 0)
    for name in ("WRITE", "FSYNC", "TRUNCATE", "SHMOPEN", "SHMSIZE", "SHMMAP")
} - {0}

Identity: TypeAlias = tuple[tuple[int, int] | None, ...]
"""Device and inode of the database, its write-ahead log and the index of that; None for a file that is missing."""

Fingerprint: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""Inode, size and modification time of the database and of its write-ahead log."""


def identity(path: str) -> Identity:
    """Return which files are at the path of a database now."""
    return _seen(path)[0]


def fingerprint(path: str) -> Fingerprint:
    """Return the state of a database's files; another one after any change of its content."""
    return tuple(_state(path + ending) for ending in FAMILY[:2])


def is_writable(path: Path) -> bool:
    """Return whether a database at that path can be written to: its file, if there is one, and its folder.

    SQLite needs the folder for its log. `os.access` also asks whether the file system is mounted read-only.
    """
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def allow(path: Path, *, writing: bool = True) -> bool:
    """Give the owner of a file or folder back the rights that zennb needs; return whether that had to be done."""
    if path.is_symlink() or not hasattr(os, "geteuid"):
        return False
    with suppress(OSError):
        seen = path.stat()
        wanted = 0o700 if stat.S_ISDIR(seen.st_mode) else 0o600 if writing else 0o400
        if seen.st_uid == os.geteuid() and seen.st_mode & wanted != wanted:
            path.chmod(stat.S_IMODE(seen.st_mode) | wanted)
            return True
    return False


def is_busy(error: BaseException) -> bool:
    """Return whether an error means that another process holds a lock, and nothing about the database itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_full(error: BaseException) -> bool:
    """Return whether an error means that there is no room, and nothing about the database itself."""
    code = getattr(error, "sqlite_errorcode", 0)
    is_system = isinstance(error, OSError) and error.errno in _NO_ROOM
    return is_system or code & 0xFF == sqlite3.SQLITE_FULL or code in _UNWRITTEN


def is_passing(error: BaseException) -> bool:
    """Return whether an error says nothing about the database itself: another process holds it, or there is no room."""
    return is_busy(error) or is_full(error)


@contextmanager
def skipping_damage() -> Iterator[None]:
    """Leave the block where something is damaged. An error that will pass is raised: what it hides may be intact."""
    try:
        yield
    except UNREADABLE as error:
        if is_passing(error):
            raise


def files_of_others(path: Path) -> list[Path]:
    """Return those files of a database that this user may not read and write."""
    found = [path.with_name(path.name + ending) for ending in FAMILY]
    return [each for each in found if each.is_file() and not os.access(each, os.R_OK | os.W_OK)]


def files_in_the_way(path: Path) -> list[Path]:
    """Return what is in the places of the files beside a database, and is not a file."""
    found = [path.with_name(path.name + ending) for ending in FAMILY[1:]]
    return [each for each in found if os.path.lexists(each) and not each.is_file()]


class NotAFileError(OSError):
    """Something that is not a file is in the place of a file of a database; `filename` says which."""


def refuse_obstacles(path: Path) -> None:
    """Make sure that SQLite can open a database without waiting: whoever reads a pipe waits for somebody to write.

    Raises:
        NotAFileError: the place of the database, its log, the index of that, or its journal is taken by something else.
    """
    for each in [path, *files_in_the_way(path)]:
        if os.path.lexists(each) and not each.is_file():
            raise NotAFileError(errno.EINVAL, "it is not a file", str(each))


def refuse_empty(path: Path) -> None:
    """Make sure that a database has content: opening one without removes its log, which may hold all of it.

    Raises:
        sqlite3.DatabaseError: it is an empty file.
    """
    if path.exists() and not path.stat().st_size:
        raise sqlite3.DatabaseError("it is empty")


def uri(path: Path, mode: str) -> str:
    """Return the address under which SQLite opens a file, whatever characters are in its path."""
    return f"{path.absolute().as_uri()}?mode={mode}"


class OpenFiles:
    """The files of a database that is open: whether they are still those at its path, and none was cut short.

    A database and its log also become shorter when SQLite gives back free pages or empties the log. So if one of them
    has, a new connection reads all: only where the rest lies behind the end of a file, it fails.

    Args:
        path: the database, which was read once, so that all its files are there.

    Attributes:
        path: the database.
        identity: which files are open.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self.identity, self._sizes = _seen(path)

    def check(self) -> tuple[Identity, str]:
        """Return which files are at the path now, and which of those that are open was cut short; "" for none."""
        now, sizes = _seen(self.path)
        if now == self.identity and sizes != self._sizes:
            with self._lock:
                return now, self._cut()
        # Whoever opens an empty database next, deletes its log.
        is_emptied = now[0] == self.identity[0] is not None and bool(self._sizes[0]) and not sizes[0]
        return now, self.path if is_emptied else ""

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Close the connections in here: of a log that was cut short, nothing is written to the database.

        The last connection to close would copy what is left of it, page by page, and make a mixture of old and new. One
        that only reads cannot.
        """
        if not self.check()[1].endswith("-wal"):
            yield
            return
        with closing(sqlite3.connect(uri(Path(self.path), "ro"), uri=True)) as last:
            with suppress(sqlite3.Error):
                last.execute("SELECT 1 FROM sqlite_master").fetchone()
            yield

    def _cut(self) -> str:
        _, sizes = _seen(self.path)
        shorter = [
            end for end, size, before in zip(FAMILY, sizes, self._sizes, strict=False) if size < before
        ]
        is_whole = _is_whole(Path(self.path)) if shorter else True
        if is_whole is False:
            return f"{self.path}{shorter[0]}"
        if is_whole:  # else it is asked again the next time
            self._sizes = sizes
        return ""


def _is_whole(path: Path) -> bool | None:
    """Return whether all of a database can be read; None when that cannot be told now."""
    try:
        refuse_obstacles(path)
        refuse_empty(path)
        with closing(_readable(uri(path, "ro"))) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except UNREADABLE as error:
        return None if is_passing(error) else False


class Snapshot:
    """A database that is only read, in a place where nothing can be written.

    Attributes:
        connection: for one thread at a time.

    Args:
        path: the database.
        connection: reads it, or a copy.
        copy: the folder of that copy; None for none.
        is_live: whether the connection itself sees what others write.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, copy: Path | None, *, is_live: bool
    ) -> None:
        self._path, self.connection, self._copy = str(path), connection, copy
        self._seen = None if is_live else fingerprint(self._path)

    def is_current(self) -> bool:
        """Return whether it shows what the database holds now."""
        return self._seen is None or self._seen == fingerprint(self._path)

    def close(self) -> None:
        """Close the connection and remove the copy; twice is fine."""
        self.connection.close()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)


def open_snapshot(path: Path) -> Snapshot:
    """Open a database that cannot be written to, or only in part because its disk is full.

    In WAL mode SQLite needs two files beside the database, and cannot make them there. So if nobody else has it open,
    it is opened as a file that never changes, and the caller asks `is_current` before each use. If somebody was killed
    while it was open, part of its content is in the log: then a copy of both is read, in memory if no disk has room.

    Raises:
        sqlite3.Error, UnicodeDecodeError: it cannot be read, or is empty.
        OSError: it cannot be copied, or it or its log is no file.
    """
    refuse_obstacles(path)
    refuse_empty(path)
    try:
        return Snapshot(path, _readable(uri(path, "ro")), None, is_live=True)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_busy(error):  # somebody writes to it: as a file that never changes it would look damaged
            raise
    log = Path(f"{path}-wal")
    if not (log.exists() and log.stat().st_size):
        return Snapshot(path, _readable(f"{uri(path, 'ro')}&immutable=1"), None, is_live=False)
    folder = Path(tempfile.mkdtemp(prefix="zennb-"))
    try:
        for each in (path, log):
            shutil.copyfile(each, folder / each.name)
        return Snapshot(path, _readable(uri(folder / path.name, "rw")), folder, is_live=False)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not (isinstance(error, (OSError, sqlite3.Error)) and is_writable(path)):
            raise
        return Snapshot(path, _in_memory(path), None, is_live=False)


@contextmanager
def exclusively(path: Path, *, timeout: float) -> Iterator[sqlite3.Connection]:
    """Change a database in one transaction, also where the disk has no room for the index of its log.

    As long as SQLite has the database to itself it keeps that index in memory. It does not try before it has to: other
    processes cannot even read meanwhile.

    Args:
        path: the database.
        timeout: seconds to wait for a lock.

    Raises:
        sqlite3.Error: it is in use, or cannot be changed: there may be no room for the log either.
    """
    try:
        connection = _locked(path, "NORMAL", "BEGIN IMMEDIATE", timeout)
    except sqlite3.Error as error:
        if is_busy(error):
            raise
        connection = _locked(path, "EXCLUSIVE", "BEGIN IMMEDIATE", timeout)
    with closing(connection):
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back by itself already
                connection.rollback()
            raise


def _locked(path: Path, locking: str, begin: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri(path, "rw"), uri=True, isolation_level=None, timeout=timeout, check_same_thread=False
    )
    try:
        for statement in ("trusted_schema = OFF", "foreign_keys = ON", f"locking_mode = {locking}"):
            connection.execute(f"PRAGMA {statement}")
        connection.execute(begin).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _in_memory(path: Path) -> sqlite3.Connection:
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        # Locked before the copy begins: `backup` would wait for ever for another process.
        with closing(_locked(path, "EXCLUSIVE", "SELECT 1 FROM sqlite_master", _PATIENCE)) as connection:
            connection.backup(memory)
        memory.execute("PRAGMA query_only = ON")
    except BaseException:
        memory.close()
        raise
    return memory


def _readable(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=_PATIENCE, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        with closing(connection.execute("SELECT count(*) FROM sqlite_master")) as cursor:
            cursor.fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def keep_open(*connections: sqlite3.Connection) -> None:
    """Never close these connections, not even when the interpreter ends.

    The last connection to a database deletes its log *by name*. If another database is at that path by now, that would
    be the log of the other one, with all that was written to it since.
    """
    for each in connections:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


def _seen(path: str) -> tuple[Identity, tuple[int, ...]]:
    """Return which files are there, and how many bytes the database and its log have."""
    found = [_stat(path + ending) for ending in FAMILY[:3]]
    sizes = tuple(0 if each is None else each.st_size for each in found[:2])
    return tuple(None if each is None else (each.st_dev, each.st_ino) for each in found), sizes


def _state(path: str) -> tuple[int, int, int] | None:
    found = _stat(path)
    return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - asked at every call
    except OSError:
        return None
