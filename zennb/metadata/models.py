"""Owns `ModelQueries`: the tables of registered models, their versions and aliases."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from zennb.core.records.models import ModelVersion
from zennb.metadata import rows
from zennb.metadata.checks import is_texts
from zennb.metadata.interned_text import plain
from zennb.metadata.table import select
from zennb.metadata.transactions import Queries, reading, writing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

__all__ = ["REGISTERED", "ModelQueries", "select_models"]

REGISTERED = "SELECT artifact FROM pins UNION SELECT artifact FROM model_versions"
"""A query for the versions of artifacts that are never deleted: those that are pinned or registered as models."""

_VERSIONS = """
SELECT v.model, v.version, a.name AS artifact, a.version AS artifact_version, a.digest, v.created, v.note, v.tags,
    (SELECT json_group_array(l.alias) FROM model_aliases l WHERE l.model = v.model AND l.version = v.version) AS aliases
FROM model_versions v JOIN artifacts a ON a.id = v.artifact
WHERE :model IS NULL OR v.model = :model ORDER BY v.model, v.version DESC
"""


class ModelQueries(Queries):
    """What the metadata store answers about registered models, and how it writes them."""

    @writing
    def add(
        self,
        connection: sqlite3.Connection,
        model: str,
        artifact: tuple[str, int],
        *,
        note: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> int | None:
        """Register a version of an artifact, under its name and number; return the number of the model's version.

        Returns:
            None if there is no such artifact.
        """
        found = connection.execute(
            "SELECT id FROM artifacts WHERE name = ? AND version = ?", artifact
        ).fetchone()
        if found is None:
            return None
        connection.execute(
            "INSERT INTO models (name, last) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1",
            (plain(model),),
        )
        number = int(
            connection.execute("SELECT last FROM models WHERE name = ?", (plain(model),)).fetchone()[0]
        )
        connection.execute(
            "INSERT INTO model_versions (model, version, artifact, created, note, tags) VALUES (?, ?, ?, ?, ?, ?)",
            (plain(model), number, found[0], time.time(), plain(note), rows.dump(tags or {})),
        )
        return number

    @reading
    def versions(self, connection: sqlite3.Connection, model: str | None = None) -> list[ModelVersion]:
        """Return the versions of one model or all: by name, newest first."""
        return select_models(connection, model)

    @writing
    def set_alias(self, connection: sqlite3.Connection, model: str, alias: str, version: int) -> None:
        """Let an alias stand for a version of a model, and for no other one any more."""
        connection.execute(
            "INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?) "
            "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
            (model, alias, version),
        )

    @writing
    def delete_alias(self, connection: sqlite3.Connection, model: str, alias: str) -> None:
        """Take an alias of a model away."""
        connection.execute("DELETE FROM model_aliases WHERE model = ? AND alias = ?", (model, alias))

    @writing
    def delete(self, connection: sqlite3.Connection, model: str, version: int) -> None:
        """Delete a version of a model with its aliases; its artifact stays, and may be deleted to free space again."""
        connection.execute("DELETE FROM model_versions WHERE model = ? AND version = ?", (model, version))

    @writing
    def describe(
        self, connection: sqlite3.Connection, model: str, version: int, note: str, tags: Mapping[str, str]
    ) -> None:
        """Set the note and all tags of a version."""
        connection.execute(
            "UPDATE model_versions SET note = ?, tags = ? WHERE model = ? AND version = ?",
            (plain(note), rows.dump(tags), model, version),
        )

    @writing
    def restore(self, connection: sqlite3.Connection, version: ModelVersion) -> bool:
        """Register a version again as it was, unless there is one of that number; return whether it was done.

        The artifact may have another number by now: that with the same name and digest counts.
        """
        found = connection.execute(
            "SELECT id FROM artifacts WHERE name = :name AND digest = :digest "
            "ORDER BY version = :version DESC, id DESC",
            {"name": version.artifact, "digest": version.digest, "version": version.artifact_version},
        ).fetchone()
        place = (version.name, version.version)
        there = "SELECT 1 FROM model_versions WHERE model = ? AND version = ?"
        if found is None or connection.execute(there, place).fetchone() is not None:
            return False
        connection.execute(
            "INSERT INTO models (name, last) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last)",
            place,
        )
        connection.execute(
            "INSERT INTO model_versions (model, version, artifact, created, note, tags) VALUES (?, ?, ?, ?, ?, ?)",
            (*place, found[0], version.created, version.note, rows.dump(version.tags)),
        )
        connection.executemany(
            "INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(version.name, alias, version.version) for alias in version.aliases],
        )
        return True


def select_models(connection: sqlite3.Connection, model: str | None = None) -> list[ModelVersion]:
    """Return the versions of one model or all: by name, newest first."""
    return [_version(row) for row in select(connection, _VERSIONS, {"model": model})]


def _version(row: sqlite3.Row) -> ModelVersion:
    try:
        tags = rows.load_texts(row["tags"])
    except (TypeError, ValueError):
        tags = {}
    return ModelVersion(
        name=str(row["model"]),
        version=int(row["version"]),
        artifact=str(row["artifact"]),
        artifact_version=int(row["artifact_version"]),
        digest=str(row["digest"]),
        aliases=tuple(sorted(map(str, json.loads(row["aliases"])))),
        created=float(row["created"]),
        note=str(row["note"]),
        tags=tags if is_texts(tags) else {},
    )
