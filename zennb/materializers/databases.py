"""Owns how connections of sqlite3 to databases in memory, and their cursors, are stored and made again."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

from zennb.compat.databases import (
    PRAGMAS,
    ConnectionState,
    CursorState,
    connection_state,
    cursor_state,
    is_sqlite,
    may_share_memory,
)
from zennb.compat.open_files import is_opening

__all__ = ["connected_again", "cursor_again", "database_recipe"]

_MOST_CHANGES = 200_000
"""Changes that a connection to a database in memory may have made to be made again: they take 0.3 seconds."""


def database_recipe(value: Any) -> tuple[Any, ...] | None:
    """Return how to make a connection or cursor again that is the same; None for anything else.

    Raises:
        TypeError: none would be the same. It is in use, connected to a file, or shares its database.
    """
    if type(value).__module__ != "sqlite3":
        return None
    if is_sqlite(value, "Connection"):
        return _connection_recipe(value)
    return _cursor_recipe(value) if is_sqlite(value, "Cursor") else None


def _connection_recipe(connection: Any) -> tuple[Any, ...]:
    state = connection_state(connection)
    if state is None:
        raise TypeError("it is open")
    if state.path:
        raise TypeError("it is connected to a file")
    if state.counts[2] > _MOST_CHANGES:
        raise TypeError("too much was written through it")
    if may_share_memory():
        raise TypeError("another connection may have the same in memory")
    factories = connection.row_factory, connection.text_factory
    data = connection.serialize() if state.content else b""
    return connected_again, (tuple(state), factories, _is_for_its_thread(connection), data)


def _cursor_recipe(cursor: Any) -> tuple[Any, ...]:
    state = cursor_state(cursor)
    if state is None:
        raise TypeError("not all of its rows were fetched")
    if state.changed != -1 or state.row not in {None, _row(cursor.connection)}:
        raise TypeError("something was written through it")
    return cursor_again, (cursor.connection, tuple(state), cursor.row_factory)


def _is_for_its_thread(connection: Any) -> bool:
    """Whether other threads may not use a connection."""
    refused = []

    def ask() -> None:
        try:
            connection.total_changes  # noqa: B018 - asking is how to know
        except Exception:  # noqa: BLE001 - of sqlite3, which is not imported for values of other kinds
            refused.append(True)

    thread = threading.Thread(target=ask, name="sqlite")
    thread.start()
    thread.join()
    return bool(refused)


def connected_again(
    state: tuple[Any, ...],
    factories: tuple[Any, Any],
    for_its_thread: bool,
    data: bytes,
) -> Any:
    """Return a connection to a database in memory that is as `state` says, or a closed one while nothing is opened.

    Raises:
        ValueError: it is another one on this release of sqlite3.
    """
    there, sqlite3 = ConnectionState(*state), import_module("sqlite3")
    connection: Any = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=for_its_thread)
    if not is_opening():
        connection.close()
        return connection
    if data:
        source = sqlite3.connect(":memory:")
        source.deserialize(data)
        source.backup(connection)
        source.close()
    if any(there.counts):
        _count(connection, *there.counts)
    for name, value in zip(("busy_timeout", *PRAGMAS), there.settings, strict=False):
        if value is not None and connection.execute(f"PRAGMA {name}").fetchone() != (value,):
            connection.execute(f"PRAGMA {name} = {value}").fetchall()
    connection.isolation_level = there.isolation
    if there.autocommit is not None:
        connection.autocommit = there.autocommit
    connection.row_factory, connection.text_factory = factories
    if connection_state(connection) != there:
        connection.close()
        raise ValueError("the connection cannot be made again on this release of sqlite3")
    return connection


def _count(connection: Any, row: int, changes: int, total: int) -> None:
    """Let a connection tell the row inserted last, the changes of the last command and all changes, as another does."""
    for number in (total - changes, changes):
        connection.execute("CREATE TEMP TABLE zennb (a)")
        if number:
            connection.execute(
                "INSERT INTO temp.zennb (rowid) WITH RECURSIVE n (i) AS"
                " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT ? - ? + i FROM n",
                (number, row, number),
            )
        else:
            connection.execute("DELETE FROM temp.zennb WHERE 0")
        connection.execute("DROP TABLE temp.zennb")


def _row(connection: Any) -> int:
    cursor = connection.cursor()
    cursor.row_factory = None
    return int(cursor.execute("SELECT last_insert_rowid()").fetchone()[0])


def cursor_again(connection: Any, state: tuple[Any, ...], row_factory: Any) -> Any:
    """Return a cursor that has nothing left to fetch, as after the same commands.

    Raises:
        ValueError: it is another one on this release of sqlite3.
    """
    there = CursorState(*state)
    if not is_opening():
        return None
    cursor = connection.cursor()
    if there.columns is not None:
        names = ", ".join('NULL AS "' + name.replace('"', '""') + '"' for name in there.columns)
        cursor.execute(f"SELECT {names} LIMIT 0")
    elif there.row is not None:
        cursor.execute("DROP TABLE IF EXISTS temp.zennb")  # there is none: a command that gives no rows
    cursor.arraysize, cursor.row_factory = there.size, row_factory
    if cursor_state(cursor) != there:
        raise ValueError("the cursor cannot be made again on this release of sqlite3")
    return cursor
