"""Owns the error messages of a local store: errors of SQLite and of the file system, and who holds a lock."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.errors import ForeignStore, StoreBusy, StoreError, StoreFull, StoreGone, StoreReadOnly
from zennb.sqlite_files import NotAFileError, is_full

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["database_reason", "holder", "lost_content", "lost_database", "read_only", "system_reason"]

_LOCKS = Path("/proc/locks")
_ELSEWHERE = (
    "or use a stack with an artifact store elsewhere "
    "(%artifact-store register NAME --flavor=local --path=DIRECTORY)."
)
_ANEW = (
    "Nothing was changed. `zennb doctor --repair` brings back what is intact, and moves aside what is not; or move "
    "the whole directory away to begin anew: the steps will run again."
)
_FULL = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota reached",
    errno.EFBIG: "file size limit reached",
}
_BARRED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_BARRED_CODES = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def database_reason(root: Path, error: BaseException, *, timeout: float) -> StoreError:
    """Return the error of ours for an error of the database.

    Args:
        root: the store's directory.
        error: what was raised; its context is examined too.
        timeout: seconds that were waited for another process.
    """
    # The Timeout that diskcache raises says nothing; the error of SQLite is its context.
    chain = [error]
    # What a user's code was handling may lead back to itself.
    while (context := chain[-1].__context__) is not None and not any(context is each for each in chain):
        chain.append(context)
    # The lowest byte is the kind of error; the others say where it happened.
    codes = {getattr(link, "sqlite_errorcode", 0) & 0xFF for link in chain}
    if any(is_full(link) for link in chain):
        limit = "disk full" if sqlite3.SQLITE_FULL in codes else "no room on the disk"
        return _no_room(root, str(chain[-1]), limit, 0)
    if codes & _BARRED_CODES:
        return _barred(root, str(chain[-1]))
    if codes & _DAMAGED_CODES or isinstance(error, UnicodeDecodeError):
        return ForeignStore(f"The database of the artifact store in {root} is damaged ({chain[-1]}). {_ANEW}")
    if codes & _BUSY_CODES:
        return _busy(root, timeout=timeout)
    return StoreError(f"The artifact store in {root} failed: {chain[-1]}. What was stored before is safe.")


def system_reason(root: Path, error: OSError) -> StoreError:
    """Return the error of ours for an error of the file system; `error.short` says how many bytes found no room."""
    if isinstance(error, NotAFileError):
        return ForeignStore(
            f"The artifact store in {root} cannot be opened, since {error.filename} is not a file. {_ANEW}"
        )
    why = error.strerror or str(error)
    limit = _FULL.get(error.errno or 0, "")
    if limit:
        return _no_room(root, why, limit, getattr(error, "short", 0))
    if error.errno in _BARRED:
        return _barred(root, why)
    return StoreError(f"The artifact store in {root} failed: {error}. What was stored before is safe.")


def _busy(root: Path, *, timeout: float) -> StoreBusy:
    """Return the error that names the process which holds the store."""
    who = holder([root / "cache.db", root / "cache.db-shm"])
    return StoreBusy(
        f"The artifact store in {root} has been held by {who} for {timeout:g} seconds. Nothing was stored or "
        "lost. Wait for it or end it, then run the cell again; the option `timeout` says how long to wait."
    )


def lost_database(root: Path) -> ForeignStore:
    """Return the error for a store whose database is missing."""
    database = root / "cache.db"
    what = "is a link" if database.is_symlink() else "is empty" if database.is_file() else "is missing"
    return ForeignStore(f"The artifact store in {root} has lost its database: cache.db {what}. {_ANEW}")


def lost_content(root: Path, cut: str) -> StoreGone:
    """Return the error for an open store whose database or log (`cut`) was cut short, or whose log was exchanged."""
    what = f"{cut} was cut short" if cut else f"{root / 'cache.db-wal'} was deleted or replaced"
    return StoreGone(
        f"{what} while this process had it open, so nothing more is stored; type `%zennb reopen`, which brings "
        "back what is intact and opens the home again, then run the cell again.",
        what=what,
        is_cut=bool(cut),
    )


def _no_room(root: Path, why: str, limit: str, short: int) -> StoreFull:
    return StoreFull(
        f"There is no room left for the artifact store in {root} ({why}). Nothing half-written is kept, "
        f"and what was stored before is safe. Make room, {_ELSEWHERE}",
        limit=limit,
        short=short,
    )


def _barred(root: Path, why: str) -> StoreReadOnly:
    return StoreReadOnly(
        f"The artifact store in {root} cannot be written to ({why}); nothing was stored. Make the directory "
        f"writable for you, {_ELSEWHERE}",
        what="the artifact store",
    )


def read_only(root: Path) -> StoreReadOnly:
    """Return the error for a change of a store that can only be read."""
    return _barred(root, "it is read-only here")


def holder(files: Iterable[Path], *, locks: Path = _LOCKS) -> str:
    """Name the holder of a write lock on one of `files`: "process 4711 (python3)", or "another process".

    Args:
        files: the files of a database.
        locks: the kernel's table of file locks; only Linux has one.
    """
    pids = _writers({str(inode) for file in files if (inode := _inode(file))}, locks)
    others = pids - {os.getpid()}
    if others:
        pid = min(others)
        return f"process {pid}{_command(pid)}"
    return "another thread of this process" if pids else "another process"


def _writers(inodes: set[str], locks: Path) -> set[int]:
    try:
        lines = locks.read_text().splitlines()
    except OSError:
        return set()
    # e.g. "7: POSIX  ADVISORY  WRITE 4711 fd:00:1441797 120 120"; "->" marks one that waits.
    rows = [line.split() for line in lines if "->" not in line]
    return {
        int(row[4])
        for row in rows
        if len(row) >= 8 and row[3] == "WRITE" and row[5].rpartition(":")[2] in inodes and int(row[4]) > 0
    }


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _command(pid: int) -> str:
    """Return the program's name, without its arguments, which may contain secrets."""
    try:
        return f" ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return ""
