"""Owns what a local store says when it cannot: errors of SQLite and of the file system, in sentences."""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.lock_holder import holder
from zennb.errors import ForeignStore, StoreBusy, StoreError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["busy", "database_reason", "lost_database", "system_reason"]

_ELSEWHERE = (
    "or use a stack with an artifact store elsewhere "
    "(%artifact-store register NAME --flavor=local --path=DIRECTORY)."
)
_ANEW = (
    "Nothing was changed. Restore cache.db from a backup; or, to begin anew, move the whole directory away: "
    "the steps will run again."
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BARRED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_BARRED_CODES = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})
_DAMAGED_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def database_reason(root: Path, error: BaseException, *, timeout: float) -> StoreError:
    """Return the sentence for an error of the database.

    Args:
        root: the store's directory.
        error: what was raised, with what it hides in its context.
        timeout: seconds that were waited for another process.
    """
    chain = [error]
    while (context := chain[-1].__context__) is not None:
        chain.append(context)
    codes = {getattr(link, "sqlite_errorcode", 0) & 0xFF for link in chain}
    if codes & _FULL_CODES:
        return _no_room(root, str(chain[-1]))
    if codes & _BARRED_CODES:
        return _barred(root, str(chain[-1]))
    if codes & _DAMAGED_CODES:
        return ForeignStore(f"The database of the artifact store in {root} is damaged ({chain[-1]}). {_ANEW}")
    if codes & _BUSY_CODES:
        return busy(root, timeout=timeout)
    return StoreError(f"The artifact store in {root} failed: {chain[-1]}. What was stored before is safe.")


def system_reason(root: Path, error: OSError) -> StoreError:
    """Return the sentence for an error of the file system."""
    why = error.strerror or str(error)
    if error.errno in _FULL:
        return _no_room(root, why)
    if error.errno in _BARRED:
        return _barred(root, why)
    return StoreError(f"The artifact store in {root} failed: {error}. What was stored before is safe.")


def busy(root: Path, *, timeout: float) -> StoreBusy:
    """Return the sentence that names who holds the store."""
    who = holder([root / "cache.db", root / "cache.db-shm"])
    return StoreBusy(
        f"The artifact store in {root} has been held by {who} for {timeout:g} seconds. Nothing was stored or "
        "lost. Wait for it or end it, then run the cell again; the option `timeout` says how long to wait."
    )


def lost_database(root: Path) -> ForeignStore:
    """Return the sentence for a store whose database is gone."""
    database = root / "cache.db"
    what = "is a link" if database.is_symlink() else "is empty" if database.is_file() else "is missing"
    return ForeignStore(f"The artifact store in {root} has lost its database: cache.db {what}. {_ANEW}")


def _no_room(root: Path, why: str) -> StoreError:
    return StoreError(
        f"There is no room left for the artifact store in {root} ({why}). Nothing half-written is kept, "
        f"and what was stored before is safe. Make room, {_ELSEWHERE}"
    )


def _barred(root: Path, why: str) -> StoreError:
    return StoreError(
        f"The artifact store in {root} cannot be written to ({why}); nothing was stored. Make the directory "
        f"writable for you, {_ELSEWHERE}"
    )
