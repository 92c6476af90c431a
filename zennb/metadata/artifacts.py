"""Owns the table of artifacts: assigning versions, and finding them by name, version, digest and notebook."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.records import LOOP_VARIABLE, Artifact
from zennb.metadata.elements import NO_LOOP_VARIABLE, no_element
from zennb.metadata.interned_text import InternedText, find_text, plain
from zennb.metadata.labels import labelled
from zennb.metadata.rows import ARTIFACTS
from zennb.metadata.table import NewRow, select
from zennb.metadata.transactions import Queries, reading

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

__all__ = ["DETAILS", "HEADS", "VERSIONS", "ArtifactQueries", "record_artifact", "select_artifacts"]

DETAILS = "LEFT JOIN artifact_details d ON d.artifact = a.id "
"""What a query for the columns of an artifact has to join besides `artifacts a`."""

VERSIONS = "(SELECT name, id AS artifact, kind FROM artifacts) h"
"""In place of `heads h`, what makes a query for the latest version of each name one for all versions."""

# CROSS JOIN keeps SQLite from starting with `artifacts`, which has a row for every version.
HEADS = f"SELECT {ARTIFACTS.columns} FROM heads h CROSS JOIN artifacts a ON a.id = h.artifact {DETAILS}"
"""A query for the latest version of each name, to be continued with `WHERE` or `ORDER BY`."""
_CURRENT = f"SELECT {ARTIFACTS.columns} FROM current c JOIN artifacts a ON a.id = c.artifact {DETAILS}"
_HEAD = (
    "SELECT a.id, a.version, h.kind, a.digest, a.blob, a.item, a.materializer "
    "FROM heads h JOIN artifacts a ON a.id = h.artifact WHERE h.name = ?"
)
_SET_HEAD = (
    "INSERT INTO heads (name, artifact, kind) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET artifact = excluded.artifact, kind = excluded.kind"
)


class ArtifactQueries(Queries):
    """What the metadata store answers about artifacts."""

    @reading
    def artifacts(
        self,
        connection: sqlite3.Connection,
        *,
        name: str | None = None,
        kind: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Artifact]:
        """Return the latest version of each name, newest first."""
        return labelled(connection, _latest(connection, name=name, kind=kind, limit=limit, offset=offset))

    @reading
    def artifact_names(self, connection: sqlite3.Connection, *, limit: int = 500) -> list[str]:
        """Return names of artifacts, the last to get a version first; much cheaper than the records."""
        sql = f"SELECT h.name FROM heads h WHERE {no_element('h.name')} ORDER BY h.artifact DESC LIMIT ?"
        cursor = connection.execute(sql, (limit,))
        return [str(name) for (name,) in cursor]

    @reading
    def history(
        self, connection: sqlite3.Connection, name: str, *, limit: int = 1000, offset: int = 0
    ) -> list[Artifact]:
        """Return versions of one name, newest first."""
        where = "WHERE a.name = ? ORDER BY a.version DESC LIMIT ? OFFSET ?"
        return labelled(connection, select_artifacts(connection, where, (plain(name), limit, offset)))

    @reading
    def artifact(
        self,
        connection: sqlite3.Connection,
        name: str,
        version: int | None = None,
        *,
        notebook: str | None = None,
    ) -> Artifact | None:
        """Return one version of a name, or the current value of the name.

        Args:
            connection: passed by `reading`.
            name: the variable's name.
            version: counts from 1; None asks for the artifact that a step put out last (run or cached).
            notebook: prefer what steps of this notebook put out, if they ever did.
        """
        return _first(labelled(connection, _named(connection, plain(name), version, notebook)))

    @reading
    def artifact_by_id(self, connection: sqlite3.Connection, number: int) -> Artifact | None:
        """Return the artifact with an id; None if there is none any more."""
        return _first(select_artifacts(connection, "WHERE a.id = ?", (number,)))

    @reading
    def current_output(self, connection: sqlite3.Connection, name: str, notebook: str) -> Artifact | None:
        """Return what a step of a notebook put out last under a name, run or cached; None if none ever did."""
        number = find_text(connection, InternedText.of(notebook))
        where, values = "WHERE c.name = ? AND c.notebook = ?", (plain(name), number)
        return None if number is None else _first(select_artifacts(connection, where, values, query=_CURRENT))


def _named(
    connection: sqlite3.Connection, name: str, version: int | None, notebook: str | None
) -> list[Artifact]:
    if version is not None:
        return select_artifacts(connection, "WHERE a.name = ? AND a.version = ?", (name, version))
    number = None if notebook is None else find_text(connection, InternedText.of(notebook))
    found: list[Artifact] = []
    if number is not None:
        where = "WHERE c.name = ? AND c.notebook = ?"
        found = select_artifacts(connection, where, (name, number), query=_CURRENT)
    if not found:
        where = "WHERE c.name = ? ORDER BY c.step DESC LIMIT 1"
        found = select_artifacts(connection, where, (name,), query=_CURRENT)
    return found or _latest(connection, name=name, kind=None, limit=1, offset=0)


def record_artifact(connection: sqlite3.Connection, new: NewRow[Artifact], *, step: int) -> Artifact:
    """Give `new` the next version of its name, or return the latest one when it has the same content."""
    artifact, name = new.record, plain(new.record.name)
    head = connection.execute(_HEAD, (name,)).fetchone()
    content = (artifact.digest, artifact.blob, artifact.item, artifact.materializer)
    # Compared within the transaction, so that two kernels that store the same value make one version.
    # What only a loop bound is listed nowhere, so it is another version once a step makes it.
    is_shown_now = head is not None and head[2] == LOOP_VARIABLE != artifact.kind
    if head is not None and head[3:] == content and not is_shown_now:
        return select_artifacts(connection, "WHERE a.id = ?", (head[0],))[0]
    version = 1 + max(0 if head is None else head[1], _retired(connection, name))
    created = artifact.created or time.time()
    number = ARTIFACTS.insert(connection, new, version=version, step=step, created=created)
    connection.execute(_SET_HEAD, (name, number, artifact.kind))
    return replace(artifact, id=number, version=version, step=step, created=created)


def _retired(connection: sqlite3.Connection, name: str) -> int:
    """Return the highest version of a name that was deleted; 0 for none. No number is given twice."""
    found = connection.execute("SELECT version FROM retired WHERE name = ?", (name,)).fetchone()
    return 0 if found is None else int(found[0])


def select_artifacts(
    connection: sqlite3.Connection,
    where: str,
    values: Sequence[object] | Mapping[str, object],
    *,
    query: str = ARTIFACTS.query,
) -> list[Artifact]:
    """Return the artifacts that a condition on table `a` finds; `query` is for other joins of that table."""
    return [Artifact(**ARTIFACTS.fields(row)) for row in select(connection, query + where, values)]


def _latest(
    connection: sqlite3.Connection, *, name: str | None, kind: str | None, limit: int, offset: int
) -> list[Artifact]:
    conditions = [("h.name = ?", None if name is None else plain(name)), ("h.kind = ?", kind)]
    known = [(condition, value) for condition, value in conditions if value is not None]
    listed = [no_element("h.name"), NO_LOOP_VARIABLE]
    where = f"WHERE {' AND '.join([condition for condition, _ in known] or listed)} "
    return select_artifacts(
        connection,
        f"{where}ORDER BY h.artifact DESC LIMIT ? OFFSET ?",
        (*(value for _, value in known), limit, offset),
        query=HEADS,
    )


def _first(found: list[Artifact]) -> Artifact | None:
    return found[0] if found else None
