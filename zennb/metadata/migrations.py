"""Owns the schema of the database: creating it, migrating an older one, refusing a newer or foreign one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from zennb.errors import ForeignStore
from zennb.metadata.reasons import foreign_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "APPLICATION",
    "MIGRATIONS",
    "VERSION",
    "Migration",
    "migrate",
    "needs_work",
    "refuse_triggers",
    "schema",
]

VERSION = 9
"""`PRAGMA user_version` of the schema in `schema.sql`."""

APPLICATION = 0x7A656E62
"""`PRAGMA application_id`: the letters `zenb`; identifies the database as ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """The SQL that takes a database to `version`; all migrations run in one transaction."""

    version: int
    script: str


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        version=2,
        script="""
        CREATE TABLE touched (
            step     INTEGER PRIMARY KEY REFERENCES steps (id),
            observed INTEGER REFERENCES texts (id),
            carried  TEXT
        );
        """,
    ),
    Migration(
        version=3,
        script="""
        CREATE TABLE step_details (
            step       INTEGER PRIMARY KEY REFERENCES steps (id),
            observed   INTEGER REFERENCES texts (id),   -- JSON object: kind -> name -> state
            carried    TEXT,                            -- JSON object: where the settings are that it changed
            attempts   TEXT,                            -- JSON array: attempts that failed before the last one
            saved      REAL NOT NULL,                   -- seconds that reuse spared
            expires    REAL,                            -- when its results stop being reused
            provenance INTEGER REFERENCES texts (id)    -- JSON object: name -> where its value came from
        );
        INSERT INTO step_details (step, observed, carried, saved) SELECT step, observed, carried, 0.0 FROM touched;
        DROP TABLE touched;
        CREATE TABLE run_details (
            run        INTEGER PRIMARY KEY REFERENCES runs (id),
            parent     INTEGER REFERENCES runs (id),    -- the run that started it
            git_commit TEXT NOT NULL,                   -- of the notebook's folder
            dirty      INTEGER,                         -- whether that tree had changes; NULL when unknown
            computed   REAL NOT NULL,                   -- seconds of work in its steps
            saved      REAL NOT NULL                    -- seconds that reuse spared
        );
        CREATE INDEX runs_by_parent ON run_details (parent) WHERE parent IS NOT NULL;
        """,
    ),
    Migration(
        version=4,
        # A copy, since a renamed or altered table would keep another text in the schema than a new one.
        script="""
        CREATE TEMP TABLE details_before AS SELECT * FROM step_details;
        DROP TABLE step_details;
        CREATE TABLE step_details (
            step       INTEGER PRIMARY KEY REFERENCES steps (id),
            observed   INTEGER REFERENCES texts (id),   -- JSON object: kind -> name -> state
            carried    TEXT,                            -- JSON object: where the settings are that it changed
            attempts   TEXT,                            -- JSON array: attempts that failed before the last one
            saved      REAL NOT NULL,                   -- seconds that reuse spared
            expires    REAL,                            -- when its results stop being reused
            provenance INTEGER REFERENCES texts (id),   -- JSON object: name -> where its value came from
            seal       TEXT                             -- signature over what reuse takes from the record
        );
        INSERT INTO step_details SELECT *, NULL FROM details_before;
        DROP TABLE details_before;
        CREATE INDEX outputs_by_artifact ON outputs (artifact, step);
        CREATE TABLE pins (
            artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
            created  REAL NOT NULL
        );
        CREATE TABLE freed (
            store   TEXT NOT NULL,
            blob    TEXT NOT NULL,
            size    INTEGER NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (blob, store)
        ) WITHOUT ROWID;
        CREATE TABLE retired (
            name    TEXT PRIMARY KEY,
            version INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE run_processes (
            run  INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            mark TEXT NOT NULL
        );
        """,
    ),
    Migration(
        version=5,
        script="""
        CREATE TABLE artifact_details (
            artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
            parts    INTEGER REFERENCES texts (id)      -- JSON array: further blobs that hold its large memory
        );
        """,
    ),
    Migration(
        version=6,
        script="""
        CREATE TEMP TABLE details_before AS SELECT * FROM step_details;
        DROP TABLE step_details;
        CREATE TABLE step_details (
            step       INTEGER PRIMARY KEY REFERENCES steps (id),
            observed   INTEGER REFERENCES texts (id),   -- JSON object: kind -> name -> state
            carried    TEXT,                            -- JSON object: where the settings are that it changed
            attempts   TEXT,                            -- JSON array: attempts that failed before the last one
            saved      REAL NOT NULL,                   -- seconds that reuse spared
            expires    REAL,                            -- when its results stop being reused
            provenance INTEGER REFERENCES texts (id),   -- JSON object: name -> where its value came from
            seal       TEXT,                            -- signature over what reuse takes from the record
            ran_on     TEXT                             -- what ran it in place of the stack's orchestrator
        );
        INSERT INTO step_details SELECT *, NULL FROM details_before;
        DROP TABLE details_before;
        """,
    ),
    Migration(
        version=7,
        script="""
        CREATE TEMP TABLE details_before AS SELECT * FROM step_details;
        DROP TABLE step_details;
        CREATE TABLE step_details (
            step       INTEGER PRIMARY KEY REFERENCES steps (id),
            observed   INTEGER REFERENCES texts (id),   -- JSON object: kind -> name -> state
            carried    TEXT,                            -- JSON object: where the settings are that it changed
            attempts   TEXT,                            -- JSON array: attempts that failed before the last one
            saved      REAL NOT NULL,                   -- seconds that reuse spared
            expires    REAL,                            -- when its results stop being reused
            provenance INTEGER REFERENCES texts (id),   -- JSON object: name -> where its value came from
            seal       TEXT,                            -- signature over what reuse takes from the record
            ran_on     TEXT,                            -- what ran it in place of the stack's orchestrator
            metrics    INTEGER REFERENCES texts (id)    -- JSON object: name -> what it logged
        );
        INSERT INTO step_details SELECT *, NULL FROM details_before;
        DROP TABLE details_before;
        """,
    ),
    Migration(
        version=8,
        script="""
        CREATE TABLE models (
            name TEXT PRIMARY KEY,
            last INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE model_versions (
            model    TEXT NOT NULL REFERENCES models (name),
            version  INTEGER NOT NULL,
            artifact INTEGER NOT NULL REFERENCES artifacts (id),
            created  REAL NOT NULL,
            note     TEXT NOT NULL,
            tags     TEXT NOT NULL,                 -- JSON object
            PRIMARY KEY (model, version)
        ) WITHOUT ROWID;
        CREATE INDEX model_versions_by_artifact ON model_versions (artifact);
        CREATE TABLE model_aliases (
            model   TEXT NOT NULL,
            alias   TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (model, alias),
            FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON DELETE CASCADE
        ) WITHOUT ROWID;
        """,
    ),
    Migration(
        version=9,
        script="""
        CREATE TABLE tags (
            kind   TEXT NOT NULL,                   -- `run` or `artifact`
            number INTEGER NOT NULL,                -- its id
            key    TEXT NOT NULL,
            text   TEXT NOT NULL,
            PRIMARY KEY (kind, number, key)
        ) WITHOUT ROWID;
        CREATE INDEX tags_by_key ON tags (kind, key, text);
        CREATE TABLE notes (
            kind   TEXT NOT NULL,
            number INTEGER NOT NULL,
            text   TEXT NOT NULL,
            PRIMARY KEY (kind, number)
        ) WITHOUT ROWID;
        """,
    ),
)
"""In order of version; version 1 is the first schema and needs none."""


def schema() -> str:
    """Return the SQL that creates a database of the current version."""
    return resources.files("zennb.metadata").joinpath("schema.sql").read_text(encoding="utf-8")


def needs_work(connection: sqlite3.Connection, path: Path, *, version: int = VERSION) -> bool:
    """Return whether the database is new or older than `version`; changes nothing.

    Raises:
        ForeignStore: it belongs to another program, or to a newer zennb.
    """
    application = _pragma(connection, "application_id")
    found = _pragma(connection, "user_version")
    if application != APPLICATION:
        if _has_tables(connection):
            raise ForeignStore(
                f"{path} is a database of another program, not zennb's metadata store; "
                "move it away, or set ZENNB_HOME to another directory."
            )
        return True
    if found > version:
        raise ForeignStore(
            f"{path} has format {found}, written by a newer zennb; this one knows formats up to {version}: "
            "run `pip install --upgrade zennb`, or set ZENNB_HOME to another directory."
        )
    return found < version


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    version: int = VERSION,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Create the tables, or run the missing migrations, inside the caller's transaction.

    Checks again whether there is work, since another process may have done it in the meantime.
    """
    if not needs_work(connection, path, version=version):
        return
    if _pragma(connection, "application_id") != APPLICATION:
        _run(connection, schema())
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
    else:
        found = _pragma(connection, "user_version")
        for migration in migrations:
            if found < migration.version <= version:
                _run(connection, migration.script)
    # Part of the transaction, as the header of the file is written with it: a version never
    # stands above tables of another.
    connection.execute(f"PRAGMA user_version = {version:d}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _run(connection: sqlite3.Connection, script: str) -> None:
    # Not `executescript`: it commits the open transaction, and a failed migration could not be rolled back.
    for statement in _statements(script):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def refuse_triggers(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database in which a trigger may drop what is recorded, without an error."""
    sql = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    foreign = connection.execute(sql).fetchone()
    if foreign is not None:
        raise foreign_item(path, *foreign)
