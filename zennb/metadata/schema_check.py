"""Owns the check of a database's schema: what of it is missing, foreign or not as zennb makes it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

from zennb.metadata.migrations import APPLICATION, migrate, needs_work, schema

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeAlias

__all__ = ["intact_tables", "schema_fault"]

Items: TypeAlias = "dict[tuple[str, str], str]"
"""The SQL of each table, index, trigger and view, by kind and name."""

_COMMENT = re.compile(r"--[^\n]*")
_FORBIDDEN = {
    getattr(sqlite3, f"SQLITE_{name}") for name in ("ATTACH", "SELECT", "CREATE_VTABLE", "PRAGMA", "FUNCTION")
}


def schema_fault(connection: sqlite3.Connection, path: Path) -> str:
    """Return what is wrong with the schema of a database of records, as a phrase; "" when nothing is.

    An older one is right when its migrations lead to the schema of today. They are tried on empty tables in memory.

    Raises:
        ForeignStore: it belongs to another program, or to a newer zennb.
    """
    found = _items(connection)
    foreign = [key for key in found if key[0] not in {"table", "index"}]
    if not foreign and needs_work(connection, path):
        try:
            found = _migrated(connection, path)
        except sqlite3.Error as error:
            return f"its tables are not those of its format ({error})"
    wanted = _wanted()
    faults = [
        *(f"it lacks the {kind} '{name}'" for kind, name in wanted if (kind, name) not in found),
        *(
            f"it contains the {kind} '{name}', which zennb did not make"
            for kind, name in found.keys() - wanted
        ),
        *(
            f"the {kind} '{name}' in it is not as zennb makes it"
            for kind, name in wanted
            if found.get((kind, name), wanted[kind, name]) != wanted[kind, name]
        ),
    ]
    more = f"; {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"{faults[0]}{more}" if faults else ""


def intact_tables(connection: sqlite3.Connection) -> set[str]:
    """Return the tables of a database that are as zennb makes them today, and so are those they refer to."""
    found, wanted = _items(connection), _wanted()
    intact = {
        name for kind, name in wanted if kind == "table" and found.get((kind, name)) == wanted[kind, name]
    }
    while True:
        kept = {name for name in intact if _parents(connection, name) <= intact}
        if kept == intact:
            return intact
        intact = kept


def _parents(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[2]) for row in connection.execute(f"PRAGMA foreign_key_list({table})")}


def _items(connection: sqlite3.Connection) -> Items:
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {
        # The text of a comment may differ from release to release.
        (str(kind), str(name)): " ".join(_COMMENT.sub("", str(sql)).split())
        for kind, name, sql in rows
        if kind not in {"table", "index"} or not str(name).startswith("sqlite_")  # SQLite's own
    }


@cache
def _wanted() -> Items:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema())
        return _items(connection)


def _migrated(connection: sqlite3.Connection, path: Path) -> Items:
    sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        # Somebody else may have written it, so it must only make tables and indexes.
        copy.set_authorizer(
            lambda action, *_rest: sqlite3.SQLITE_DENY if action in _FORBIDDEN else sqlite3.SQLITE_OK
        )
        for (text,) in connection.execute(f"{sql} ORDER BY type = 'index', rowid").fetchall():
            copy.execute(text)
        copy.set_authorizer(None)
        copy.execute(f"PRAGMA application_id = {APPLICATION}")
        copy.execute(f"PRAGMA user_version = {version:d}")
        migrate(copy, path)
        return _items(copy)
