"""Owns the tables of duckdb's default connection: `duckdb.sql(...)` finds them wherever they were made."""

from __future__ import annotations

import sys
from typing import Any

from zennb.core.records.observed import UNTOUCHED
from zennb.digests.stream import text_digest

__all__ = ["DUCKDB_TABLES", "DuckdbTables"]

DUCKDB_TABLES = "tables of duckdb"

_OBJECTS = (
    "select schema_name, table_name, sql, true from duckdb_tables() where not internal "
    "union all select schema_name, view_name, sql, false from duckdb_views() where not internal order by all"
)


class DuckdbTables:
    """What is in duckdb's default connection (a `Setting`). It is compared, but not restored: the step runs again."""

    name = DUCKDB_TABLES
    modules = frozenset({"duckdb"})
    matters = True
    is_per_context = False

    def read(self) -> tuple[tuple[str, ...], ...] | None:
        """Return each table and view with its definition and a digest of its rows; None while there are none."""
        duckdb: Any = sys.modules.get("duckdb")
        if duckdb is None:
            return None
        try:
            found: Any = getattr(duckdb, "default_connection", None)
            # A cursor: asking the connection itself would end a result that the user still reads.
            cursor = (found() if callable(found) else found).cursor()
            objects = cursor.execute(_OBJECTS).fetchall()
            tables = tuple((*map(str, each[:3]), _rows(cursor, each) if each[3] else "") for each in objects)
        except Exception:  # noqa: BLE001 - a version without it, or a connection that was closed
            return None
        return tables or None

    def digest(self, seen: tuple[tuple[str, ...], ...] | None) -> str:
        """Return the digest of all tables."""
        return text_digest(part for table in seen for part in table) if seen else UNTOUCHED

    def change(self, _before: object, after: object) -> Any:
        """Return what a step that changed the tables left, which is not applied."""
        return str(after)

    def apply(self, change: Any) -> None:
        """Do nothing: no step that changes tables is reused."""


def _rows(cursor: Any, table: tuple[Any, ...]) -> str:
    schema, name = ('"' + str(part).replace('"', '""') + '"' for part in table[:2])
    return str(cursor.execute(f"select count(*), sum(hash(t)) from {schema}.{name} t").fetchall())
