"""Owns what connections and cursors of sqlite3 are while they wait for the next command.

As long as nothing is left to be fetched or committed, a connection is its database and a few settings. Some things can
be seen to be there but not be read, such as functions of the user, traces and converters of types; with one of them, a
connection has no known state.
"""

from __future__ import annotations

import gc
import os
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from xxhash import xxh3_128

from zennb.compat.instances import is_a

__all__ = [
    "PRAGMAS",
    "ConnectionState",
    "CursorState",
    "connection_state",
    "cursor_state",
    "is_sqlite",
    "is_uncommitted",
    "may_share_memory",
    "note_database",
]

_LARGEST = 64_000_000
"""Bytes of a database that are read to tell whether it has changed; it is read again after every cell."""

PRAGMAS = (
    "automatic_index",
    "cache_size",
    "cell_size_check",
    "defer_foreign_keys",
    "foreign_keys",
    "full_column_names",
    "ignore_check_constraints",
    "legacy_alter_table",
    "locking_mode",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "short_column_names",
    "synchronous",
    "temp_store",
    "trusted_schema",
    "writable_schema",
)
"""Settings of a connection that can be read and set, and on which it may depend what a command gives or does."""

_LIMITS = 12
"""How many limits a connection has: the lengths of texts and commands, and the like."""

_LISTS = ("function_list", "collation_list", "module_list")
"""What a new connection knows; what is more was added to this one, and nobody can tell what it does."""


class ConnectionState(NamedTuple):
    """What an open connection is, apart from its factories of rows and texts.

    Attributes:
        path: the file of the database, absolute; "" in memory.
        content: digest of all that is in the database.
        is_writable: whether the file was opened for writing as well.
        isolation: the level of isolation.
        autocommit: how transactions begin and end (from Python 3.12).
        settings: how long it waits for a lock, the values of `PRAGMAS`, whether `LIKE` tells capitals from small
            letters, and its limits.
        counts: the row that was inserted last, the changes of the last command, and all changes.
    """

    path: str
    content: str
    is_writable: bool
    isolation: str | None
    autocommit: int | None
    settings: tuple[Any, ...]
    counts: tuple[int, int, int]


def is_sqlite(value: object, name: str) -> bool:
    """Whether a value is of a type of sqlite3, not of one that derives from it."""
    return type(value) is getattr(sys.modules.get("sqlite3"), name, None)


_shared: set[str] = set()
"""Databases that were opened in this process so that several connections can have one in memory."""


def note_database(name: object) -> None:
    """Note that a database was opened."""
    text = name.decode("utf-8", "replace") if is_a(name, bytes) else str(name) if is_a(name, str) else ""
    if "cache=shared" in text or "memdb" in text:
        _shared.add(text)


def may_share_memory() -> bool:
    """Whether another connection may have the database in memory of a connection: a connection does not tell."""
    return bool(_shared)


def is_uncommitted(value: Any) -> bool:
    """Whether a value is a connection with changes that are not committed."""
    try:
        return is_sqlite(value, "Connection") and bool(value.in_transaction)
    except Exception:  # noqa: BLE001 - it is closed, or belongs to another thread
        return False


def connection_state(value: Any) -> ConnectionState | None:
    """Return what an open connection is; None for anything else, and when that cannot be told.

    Asking changes nothing, and calls no code of the user.
    """
    if not is_sqlite(value, "Connection") or not _is_plain(value):
        return None
    try:
        return None if value.in_transaction else _state_at_once(value)
    except Exception:  # noqa: BLE001 - it is closed, locked, damaged, or belongs to another thread
        return None


def _is_plain(connection: Any) -> bool:
    """Whether a connection calls nothing of the user before it gives a row."""
    # Beside a function that traces, allows or watches commands, the module is kept that called it.
    parts = gc.get_referents(connection)
    return connection.text_factory in (str, bytes, bytearray) and not any(
        type(part) is ModuleType for part in parts
    )


def _state_at_once(connection: Any) -> ConnectionState | None:
    """Return what a connection is, without waiting for another process that locks its file."""
    cursor = connection.cursor()
    cursor.row_factory = None
    patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
    cursor.execute("PRAGMA busy_timeout = 0").fetchall()
    try:
        found = _state(connection)
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {patience}").fetchall()
    return None if found is None else found._replace(settings=(patience, *found.settings))


def _state(connection: Any) -> ConnectionState | None:
    cursor = connection.cursor()
    cursor.row_factory = None

    def rows(command: str) -> list[Any]:
        return list(cursor.execute(command).fetchall())

    counts = rows("SELECT last_insert_rowid(), changes(), total_changes(), 'a' LIKE 'A'")[0]
    if any(type(part) is list and part for part in gc.get_referents(cursor)):
        return None  # it converts types
    if not _known("function_list") or any(set(rows(f"PRAGMA {name}")) - _known(name) for name in _LISTS):
        return None  # there are others, or this release of SQLite does not tell
    if any(each() is not None for each in _blobs(connection)):
        return None
    paths = {str(name): path for _, name, path in map(_texts, rows("PRAGMA database_list"))}
    if paths.keys() - {"main", "temp"} or ("temp" in paths and rows("SELECT 1 FROM sqlite_temp_master")):
        return None
    where = paths["main"]
    found = _in_file(where) if where else _in_memory(connection, rows)
    if found is None:
        return None
    content, is_writable = found
    settings = [row[0] if (row := next(iter(rows(f"PRAGMA {name}")), None)) else None for name in PRAGMAS]
    return ConnectionState(
        path=where,
        content=content,
        is_writable=is_writable,
        isolation=connection.isolation_level,
        autocommit=getattr(connection, "autocommit", None),
        settings=(*_texts(settings), counts[3], *map(connection.getlimit, range(_LIMITS))),
        counts=counts[:3],
    )


def _texts(parts: Any) -> tuple[Any, ...]:
    """Return parts of rows, with texts as texts however the connection gives them."""
    return tuple(bytes(part).decode() if type(part) in (bytes, bytearray) else part for part in parts)


def _blobs(connection: Any) -> list[Any]:
    """Return weak references to the values that are open to be read and written in parts."""
    _cursors, blobs = [part for part in gc.get_referents(connection) if type(part) is list]
    return list(blobs)


@lru_cache(maxsize=8)
def _known(name: str) -> frozenset[Any]:
    """Return what a list says in a new connection, texts as any kind of text."""
    connection = sys.modules["sqlite3"].connect(":memory:")
    found: set[Any] = set()
    for kind in (str, bytes):
        connection.text_factory = kind
        found.update(connection.execute(f"PRAGMA {name}").fetchall())
    connection.close()
    return frozenset(found)


def _in_memory(connection: Any, rows: Any) -> tuple[str, bool] | None:
    pages = rows("PRAGMA page_count")[0][0]
    if not pages:
        return "", True
    if pages * rows("PRAGMA page_size")[0][0] > _LARGEST or not hasattr(connection, "serialize"):
        return None
    return xxh3_128(connection.serialize()).hexdigest(), True


def _in_file(path: str) -> tuple[str, bool] | None:
    """Return a digest of the file of a database, and whether it is open for writing; None when that is not plain.

    It is read by the descriptor that is open: to close another one of the same file would release the locks that
    sqlite has on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    from fcntl import F_GETFL, fcntl

    named, numbers = Path(path).stat(), _open_as(path)
    if not Path(path).is_absolute() or not numbers or named.st_size > _LARGEST:
        return None
    modes = {fcntl(number, F_GETFL) & os.O_ACCMODE for number in numbers}
    content = os.pread(numbers[0], named.st_size + 1, 0)
    if len(modes) != 1 or len(content) != named.st_size:
        return None
    digest = xxh3_128(content)
    log = Path(f"{path}-wal")
    if log.exists():
        if log.stat().st_size > _LARGEST:
            return None
        digest.update(log.read_bytes())
    return digest.hexdigest(), modes == {os.O_RDWR}


def _open_as(path: str) -> list[int]:
    """Return the descriptors of this process that refer to a file."""
    named, found = Path(path).stat(), []
    for number in map(int, os.listdir("/dev/fd")):  # noqa: PTH208 - the names alone
        try:
            if os.path.samestat(os.fstat(number), named):
                found.append(number)
        except OSError:  # the one of the listing itself
            continue
    return found


class CursorState(NamedTuple):
    """What a cursor is that has nothing left to fetch, apart from its connection and its factory of rows."""

    columns: tuple[str, ...] | None
    changed: int
    row: int | None
    size: int


def cursor_state(value: Any) -> CursorState | None:
    """Return what a cursor is that has nothing left to fetch; None for anything else."""
    if not is_sqlite(value, "Cursor") or any(
        type(part).__name__ == "Statement" for part in gc.get_referents(value)
    ):
        return None
    try:
        description = value.description
        columns = None if description is None else tuple(str(each[0]) for each in description)
        return CursorState(columns, value.rowcount, value.lastrowid, value.arraysize)
    except Exception:  # noqa: BLE001 - its connection belongs to another thread
        return None
