"""Owns `salvage`: the records of a database whose schema somebody changed, written into a new database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from zennb.metadata.migrations import migrate
from zennb.metadata.schema_check import intact_tables
from zennb.sqlite_files import UNREADABLE, is_passing, open_snapshot

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["salvage"]

_STEPS = frozenset(
    {"texts", "runs", "steps", "artifacts", "heads", "inputs", "outputs", "current"}
    | {"step_details", "artifact_details"}
)
"""The tables that hold the record of a step. Without one of them, the copies beside the values are better."""


def salvage(database: Path, draft: Path) -> frozenset[str] | None:
    """Write the tables of a database that are intact into a new one; return the names of those that are not.

    Args:
        database: a database of records with missing, changed or foreign tables, indexes or triggers.
        draft: the new database; not there when the result is None, because the steps are not intact.
    """
    try:
        lacking = _salvaged(database, draft)
    except UNREADABLE as error:
        if is_passing(error):
            draft.unlink(missing_ok=True)
            raise  # this says nothing about the database
        lacking = None
    if lacking is None:
        draft.unlink(missing_ok=True)
    return lacking


def _salvaged(database: Path, draft: Path) -> frozenset[str] | None:
    with closing(open_snapshot(database)) as snapshot:
        source = snapshot.connection
        tables = intact_tables(source)
        if not tables >= _STEPS or source.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            return None
        with closing(sqlite3.connect(draft, isolation_level=None)) as target:
            target.execute("BEGIN")
            migrate(target, draft)
            for table in sorted(tables):
                rows = source.execute(f"SELECT * FROM {table}")
                holders = ", ".join("?" * len(rows.description))
                target.executemany(f"INSERT INTO {table} VALUES ({holders})", rows)
            target.execute("COMMIT")
            if target.execute("PRAGMA foreign_key_check").fetchone() is not None:
                return None
            return frozenset(intact_tables(target) - tables)
