"""Owns the error messages of the metadata store: errors of SQLite, who holds a lock, and a file that has gone."""

from __future__ import annotations

import os
import re
import sqlite3
from typing import TYPE_CHECKING

from zennb.errors import ForeignStore, StoreBusy, StoreError, StoreFull, StoreGone, StoreReadOnly
from zennb.metadata.processes import writers
from zennb.sqlite_files import NotAFileError, is_full

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.sqlite_files import Identity

__all__ = [
    "busy",
    "cannot_be_made",
    "cut_short",
    "damaged",
    "foreign_item",
    "gone",
    "outdated",
    "read_only",
    "translated",
]

_REPAIR = "`zennb doctor --repair` brings back what is intact"

_REFUSED = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT}
_FOREIGN_SCHEMA = re.compile(r"no such (?:table|column|index)|table \S+ has |cannot modify \S+ because")
"""How SQLite says of our SQL that tables or columns are missing, or are others than ours."""


def translated(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error of ours for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return ForeignStore(
            f"{path} is not a database, so it is not zennb's metadata store; {_REPAIR} and moves the file aside, "
            "or set ZENNB_HOME to another directory."
        )
    if code == sqlite3.SQLITE_CORRUPT or _is_of_foreign_schema(error):
        return damaged(path, error)
    if code in _REFUSED:
        return StoreError(
            f"the metadata store {path} has refused what was asked ({error}), and nothing was changed: run it again, "
            "since another process may have changed or deleted records meanwhile. `zennb doctor` says whether the file "
            "is damaged."
        )
    if is_full(error):
        return _full(path, error)
    if code == sqlite3.SQLITE_READONLY:
        return read_only(path, f" ({error})")
    return StoreError(
        f"the metadata store {path} could not do what was asked ({error}); nothing was changed: "
        "check that its directory exists, can be written to and has space left. `zennb doctor` says more."
    )


def _is_of_foreign_schema(error: sqlite3.Error) -> bool:
    """Whether the tables are not ours, or a trigger that is not ours refuses a change."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code == sqlite3.SQLITE_CONSTRAINT_TRIGGER or (
        code == sqlite3.SQLITE_ERROR and _FOREIGN_SCHEMA.match(str(error)) is not None
    )


def damaged(path: Path, error: Exception) -> StoreError:
    """Return the error for a database whose content is damaged."""
    return StoreError(
        f"the metadata store {path} is damaged ({error}); {_REPAIR} and moves the damaged file aside."
    )


def foreign_item(path: Path, kind: str, name: str) -> ForeignStore:
    """Return the error for a database with a trigger or view in it."""
    return ForeignStore(
        f"the metadata store {path} contains the {kind} '{name}', which zennb did not make and which may change "
        f"what is recorded; {_REPAIR} and moves the file aside."
    )


def _full(path: Path, error: sqlite3.Error) -> StoreFull:
    limit = "disk full" if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL else "no room on the disk"
    return StoreFull(
        f"there is no room left for the metadata store {path} ({error}); nothing was changed: make room on its "
        "disk. `zennb artifacts prune` deletes values there, also where nothing else can be changed.",
        limit=limit,
    )


def read_only(path: Path, why: str = "") -> StoreReadOnly:
    """Return the error for a change of a database that cannot be written to; `why` is what SQLite says of it."""
    return StoreReadOnly(
        f"zennb's home {path.parent} is read-only here{why}, so nothing can be recorded in it; make it writable for "
        "you, or set ZENNB_HOME to a directory that you can write to.",
        what="the home",
    )


def outdated(path: Path) -> StoreReadOnly:
    """Return the error for a database that has to be made or migrated where nothing can be written."""
    return StoreReadOnly(
        f"zennb's home {path.parent} is read-only here, and {path.name} has to be brought to the format of this "
        "version first; open it once where it can be written to, or set ZENNB_HOME to another directory.",
        what="the home",
    )


def cannot_be_made(path: Path, error: OSError) -> StoreError:
    """Return the error for a database that cannot be made."""
    if isinstance(error, NotAFileError):
        return StoreError(
            f"the metadata store {path} cannot be opened, since {error.filename} is not a file; `zennb doctor "
            "--repair` moves it aside."
        )
    return StoreError(
        f"the metadata store cannot be made at {path} ({error}); "
        "set ZENNB_HOME to a directory that you can write to. `zennb doctor` says more."
    )


def busy(path: Path, *, deadline: float) -> StoreBusy:
    """Return the error that names the process which holds the database."""
    holders = [process for process in writers(path) if process != os.getpid()]
    who = f"process {holders[0]}" if holders else "another process"
    return StoreBusy(
        f"the metadata store {path} has been locked by {who} for {deadline:g} s; "
        "nothing was changed: let it finish or end it, then run the cell again."
    )


def gone(path: Path, *, opened: Identity, now: Identity) -> StoreGone:
    """Return the error for a database whose files are not those that were opened.

    Args:
        path: the database.
        opened: its files when it was opened.
        now: the files at its path.
    """
    what = _what_happened(path, opened, now)
    return StoreGone(
        f"{what} while this process had it open, so nothing more is recorded; type `%zennb reopen`, which opens the "
        "home again, then run the cell again.",
        what=what,
    )


def cut_short(file: str) -> StoreGone:
    """Return the error for a file of an open database that is shorter than what was written to it."""
    what = f"{file} was cut short"
    return StoreGone(
        f"{what} while this process had it open, so nothing more is recorded; type `%zennb reopen`, which brings back "
        "what was in it and opens the home again, then run the cell again.",
        what=what,
        is_cut=True,
    )


def _what_happened(path: Path, opened: Identity, now: Identity) -> str:
    if not path.parent.exists():
        return f"zennb's home {path.parent} was deleted or moved"
    if now[0] is None:
        return f"{path} was deleted or moved"
    if now[0] != opened[0]:
        return f"{path} was replaced by another file"
    ending, found = ("-wal", now[1]) if now[1] != opened[1] else ("-shm", now[2])
    what = "deleted" if found is None else "replaced by another file"
    return f"{path}{ending}, which belongs to the database beside it and holds its latest records, was {what}"
