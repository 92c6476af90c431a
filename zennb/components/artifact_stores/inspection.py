"""Owns the check of a local store's database before diskcache opens it: its schema and its settings.

diskcache trusts the settings in the database: it formats some into SQL, sets all of them as attributes of itself, and
evicts by them. So foreign settings are corrected, and reported, before diskcache reads them.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.row import Row
from zennb.components.content import is_digest
from zennb.errors import ForeignStore, listing
from zennb.sqlite_files import refuse_obstacles

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SETTINGS", "inspect", "is_empty", "is_evidently_ours", "unknown_items"]

SETTINGS: dict[str, int | str] = {
    "cull_limit": 0,
    "disk_min_file_size": 2**31,
    "disk_pickle_protocol": 5,
    "eviction_policy": "none",
    "size_limit": 2**62,
    "sqlite_auto_vacuum": 1,
    "sqlite_cache_size": 2**13,
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # if another process truncates a mapped database, the kernel dies
    "sqlite_synchronous": 1,
    "statistics": 0,
    "tag_index": 0,
}
"""Every setting of diskcache, as our stores have it: nothing is evicted, nothing is counted."""

_COUNTERS = frozenset({"count", "size", "hits", "misses"})
_TABLES = frozenset({"Cache", "Settings"})
_INDEXES = frozenset(
    {
        "Cache_access_count",
        "Cache_access_time",
        "Cache_expire_time",
        "Cache_key_raw",
        "Cache_store_time",
        "Cache_tag_rowid",
    }
)
_COUNTING = re.compile(
    r"CREATE TRIGGER Settings_(?:count|size)_(?:insert|update|delete) AFTER (?:INSERT|UPDATE|DELETE) "
    r"ON Cache FOR EACH ROW BEGIN UPDATE Settings SET value = value [-+ .\w]+ "
    r"WHERE key = \"(?:count|size)\"; END"
)
"""The only triggers there are; each counts rows or bytes."""


def inspect(database: Path, *, timeout: float) -> list[str]:
    """Check the schema of the database, correct foreign settings, and return messages about them.

    Args:
        database: an existing file.
        timeout: seconds to wait for another process.

    Raises:
        ForeignStore: it has tables, triggers or views that diskcache does not make.
        sqlite3.Error: it is locked, damaged, unreadable or no database.
    """
    with closing(_connect(database, timeout)) as connection:
        unknown = unknown_items(connection)
        if unknown:
            raise ForeignStore(
                f"{database} has been tampered with or belongs to something else: it contains "
                f"{listing(unknown, most=3)}. Nothing was read from it. Restore it from a backup, or begin "
                "a new store in another directory."
            )
        return _put_right(connection, database)


def is_empty(database: Path, *, timeout: float) -> bool:
    """Say whether nothing has been stored in the database yet."""
    with closing(_connect(database, timeout)) as connection:
        return connection.execute("SELECT 1 FROM Cache LIMIT 1").fetchone() is None


def is_evidently_ours(database: Path, *, timeout: float) -> bool:
    """Say whether all rows are as zennb writes them: bytes under the digest of a content, with our tag.

    So a store is known again that has lost its marker file. No other program writes such rows.
    """
    with closing(_connect(database, timeout)) as connection:
        if unknown_items(connection):
            return False
        rows = connection.execute(
            "SELECT key, raw, mode, filename, value, tag FROM Cache ORDER BY rowid LIMIT 1000"
        )
        return all(
            raw == 1 and mode == 1 and filename is None and is_digest(key) and not Row.read(value, tag).fault
            for key, raw, mode, filename, value, tag in rows
        )


def _connect(database: Path, timeout: float) -> sqlite3.Connection:
    # `rw`: SQLite would otherwise make a missing file. What the schema of a foreign file calls must not be trusted
    # before it has been checked.
    refuse_obstacles(database)
    uri = f"{database.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def unknown_items(connection: sqlite3.Connection) -> list[str]:
    """Return what the schema of a database has, or lacks, unlike one of diskcache."""
    shapes = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    found = [f"the {kind} '{name}'" for kind, name, sql in shapes if not _is_ours(kind, name, sql)]
    tables = {name for kind, name, _ in shapes if kind == "table"}
    return found + [f"no table '{name}'" for name in sorted(_TABLES - tables)]


def _is_ours(kind: str, name: str, sql: str) -> bool:
    if kind == "trigger":
        return _COUNTING.fullmatch(" ".join(sql.split())) is not None
    known = {"table": _TABLES, "index": _INDEXES}.get(kind, frozenset())
    return name in known or name.startswith("sqlite_")  # SQLite keeps that prefix for itself


def _put_right(connection: sqlite3.Connection, database: Path) -> list[str]:
    found = dict(connection.execute("SELECT key, value FROM Settings").fetchall())
    foreign = {
        key: value
        for key, value in found.items()
        if key not in _COUNTERS and (key not in SETTINGS or SETTINGS[key] != value)
    }
    if not foreign:
        return []
    connection.execute("BEGIN IMMEDIATE")
    for key in foreign:
        if key in SETTINGS:
            connection.execute("UPDATE Settings SET value = ? WHERE key = ?", (SETTINGS[key], key))
        else:
            connection.execute("DELETE FROM Settings WHERE key = ?", (key,))
    connection.execute("COMMIT")
    shown = ", ".join(f"{key}={str(value)[:40]}" for key, value in foreign.items())
    notice = (
        f"Something else opened {database} with diskcache and left settings of its own ({shown}); they are "
        "put right again. It may have removed artifacts: the steps that made them will run again."
    )
    return [notice]
