"""Owns the tables of artifacts: giving out versions, and finding by name, version, digest, notebook."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.metadata import rows
from zennb.metadata.interned_text import InternedText, find_text
from zennb.metadata.rows import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from zennb.core.records.records import Artifact

__all__ = [
    "COLUMNS",
    "NewArtifact",
    "artifact_now",
    "artifact_version",
    "artifacts_with_digests",
    "history",
    "latest_artifacts",
    "latest_names",
    "record_artifact",
    "select_artifacts",
]

COLUMNS = (
    "a.id, a.name, a.version, a.digest, a.blob, a.item, a.materializer, a.size, a.type, a.kind, "
    "a.step, a.created, a.needs, a.packages, a.summary"
)
"""In schema order, from a table or join that calls `artifacts` `a`; what `rows.artifact` reads."""

_INSERT = (
    "INSERT INTO artifacts (name, version, digest, blob, item, materializer, size, type, kind, step, "
    "created, needs, packages, summary) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_HEAD = (
    "SELECT a.id, a.version, a.digest, a.blob, a.item, a.materializer "
    "FROM heads h JOIN artifacts a ON a.id = h.artifact WHERE h.name = ?"
)
_SET_HEAD = (
    "INSERT INTO heads (name, artifact, kind) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET artifact = excluded.artifact, kind = excluded.kind"
)


@dataclass(frozen=True, slots=True)
class NewArtifact:
    """An artifact not recorded yet, its columns ready; made before the transaction, to keep that short."""

    artifact: Artifact
    needs: str
    packages: str
    summary: str

    @classmethod
    def of(cls, artifact: Artifact) -> NewArtifact:
        """Return `artifact` ready to be recorded."""
        return cls(
            artifact, rows.dump(artifact.needs), rows.dump(artifact.packages), rows.dump(artifact.summary)
        )


def record_artifact(connection: sqlite3.Connection, new: NewArtifact, *, step: int) -> Artifact:
    """Give `new` the next version of its name, or return the latest one when it is the same content."""
    artifact, name = new.artifact, plain(new.artifact.name)
    head = connection.execute(_HEAD, (name,)).fetchone()
    if head is not None and head[2:] == (
        artifact.digest,
        artifact.blob,
        artifact.item,
        artifact.materializer,
    ):
        return _by_id(connection, head[0])
    version = 1 if head is None else head[1] + 1
    created = artifact.created or time.time()
    values = (
        name,
        version,
        artifact.digest,
        artifact.blob,
        artifact.item,
        artifact.materializer,
        artifact.size,
        plain(artifact.type),
        artifact.kind,
        step,
        created,
        new.needs,
        new.packages,
        new.summary,
    )
    number = int(connection.execute(_INSERT, values).lastrowid or 0)
    connection.execute(_SET_HEAD, (name, number, artifact.kind))
    return replace(artifact, id=number, version=version, step=step, created=created)


def latest_artifacts(
    connection: sqlite3.Connection, *, name: str | None, kind: str | None, limit: int, offset: int
) -> list[Artifact]:
    """Return the latest version of each name, newest first."""
    conditions, values = [], []
    if name is not None:
        conditions.append("h.name = ?")
        values.append(plain(name))
    if kind is not None:
        conditions.append("h.kind = ?")
        values.append(kind)
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return select_artifacts(
        connection,
        f"SELECT {COLUMNS} FROM heads h CROSS JOIN artifacts a ON a.id = h.artifact {where}"
        "ORDER BY h.artifact DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )


def latest_names(connection: sqlite3.Connection, *, limit: int) -> list[str]:
    """Return names of artifacts, the one that got a version last first."""
    cursor = connection.execute("SELECT name FROM heads ORDER BY artifact DESC LIMIT ?", (limit,))
    return [str(name) for (name,) in cursor]


def history(connection: sqlite3.Connection, name: str, *, limit: int, offset: int) -> list[Artifact]:
    """Return versions of one name, newest first."""
    sql = f"SELECT {COLUMNS} FROM artifacts a WHERE a.name = ? ORDER BY a.version DESC LIMIT ? OFFSET ?"
    return select_artifacts(connection, sql, (plain(name), limit, offset))


def artifact_version(connection: sqlite3.Connection, name: str, version: int) -> Artifact | None:
    """Return one version of a name."""
    sql = f"SELECT {COLUMNS} FROM artifacts a WHERE a.name = ? AND a.version = ?"
    return _first(select_artifacts(connection, sql, (plain(name), version)))


def artifact_now(
    connection: sqlite3.Connection, name: str, *, notebook: InternedText | None
) -> Artifact | None:
    """Return what a step put out last under `name`: in the notebook, else in any, else the latest version."""
    columns = f"SELECT {COLUMNS} FROM current c JOIN artifacts a ON a.id = c.artifact"
    name, found = plain(name), None
    number = None if notebook is None else find_text(connection, notebook)
    if number is not None:
        sql = f"{columns} WHERE c.name = ? AND c.notebook = ?"
        found = _first(select_artifacts(connection, sql, (name, number)))
    if found is None:
        sql = f"{columns} WHERE c.name = ? ORDER BY c.step DESC LIMIT 1"
        found = _first(select_artifacts(connection, sql, (name,)))
    return found or _first(latest_artifacts(connection, name=name, kind=None, limit=1, offset=0))


def artifacts_with_digests(
    connection: sqlite3.Connection, digests: Iterable[str], *, limit: int
) -> dict[str, list[Artifact]]:
    """Return digest → artifacts of that content, newest first."""
    sql = f"SELECT {COLUMNS} FROM artifacts a WHERE a.digest = ? ORDER BY a.id DESC LIMIT ?"
    return {digest: select_artifacts(connection, sql, (digest, limit)) for digest in digests}


def _by_id(connection: sqlite3.Connection, number: int) -> Artifact:
    sql = f"SELECT {COLUMNS} FROM artifacts a WHERE a.id = ?"
    return select_artifacts(connection, sql, (number,))[0]


def select_artifacts(connection: sqlite3.Connection, sql: str, values: Sequence[object]) -> list[Artifact]:
    """Return the artifacts that a query for `COLUMNS` finds."""
    return [rows.artifact(row) for row in connection.execute(sql, values)]


def _first(found: list[Artifact]) -> Artifact | None:
    return found[0] if found else None
