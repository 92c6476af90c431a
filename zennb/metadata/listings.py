"""Owns `Listings`: long listings in pages.

A page starts after the last record of the page before (its time and id) instead of at an offset. So the last of ten
thousand pages costs as much as the first, and runs that begin in the meantime shift nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from zennb.core.records.pages import ArtifactFilter, Page, ProducingStep, RunFilter, RunPlace, Use
from zennb.core.records.seal import SignerRecords
from zennb.metadata.artifacts import HEADS, VERSIONS, select_artifacts
from zennb.metadata.checks import status_of
from zennb.metadata.elements import NO_LOOP_VARIABLE, no_element
from zennb.metadata.interned_text import InternedText, find_text, plain
from zennb.metadata.labels import labelled, tag_condition
from zennb.metadata.logged import checked_steps, logged_names, logged_steps
from zennb.metadata.run_selection import count_runs, select_runs
from zennb.metadata.table import select
from zennb.metadata.transactions import Queries, reading

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from zennb.core.records.records import Artifact, Run, Step
    from zennb.metadata.connection import Database

__all__ = ["Listings"]

R = TypeVar("R")

# Step along an index from value to value: one lookup per distinct value instead of one per record.
_STACKS = (
    "WITH RECURSIVE names (name) AS (SELECT min(stack) FROM runs UNION ALL "
    "SELECT (SELECT min(r.stack) FROM runs r WHERE r.stack > names.name) FROM names WHERE names.name IS NOT NULL) "
    "SELECT name FROM names WHERE name IS NOT NULL LIMIT ?"
)
_NOTEBOOKS = (
    "WITH RECURSIVE names (name) AS (SELECT min(notebook) FROM runs UNION ALL "
    "SELECT (SELECT min(r.notebook) FROM runs r WHERE r.notebook > names.name) FROM names "
    "WHERE names.name IS NOT NULL) "
    "SELECT n.text FROM names JOIN texts n ON n.id = names.name LIMIT ?"
)
_USES = (
    "SELECT s.id AS step, s.name AS name, s.status AS status, s.run AS run, coalesce(r.stack, '') AS stack, "
    "n.text AS notebook, s.started AS started FROM "
    "(SELECT DISTINCT step FROM inputs WHERE artifact = ? AND step < ? ORDER BY step DESC LIMIT ?) newest "
    "CROSS JOIN steps s ON s.id = newest.step JOIN texts n ON n.id = s.notebook LEFT JOIN runs r ON r.id = s.run"
)
# Outputs are in `current`, under the notebook that put them out last; captured values only refer to a step.
_MADE_IN = (
    "(EXISTS (SELECT 1 FROM current c WHERE c.name = h.name AND c.notebook = :notebook) OR (h.kind <> 'output' AND "
    "(SELECT s.notebook FROM artifacts m JOIN steps s ON s.id = m.step WHERE m.id = h.artifact) = :notebook))"
)
# A signature consists of 64 digits of the user's own, a blank, 64 of the public key, later a blank and the public one
_SIGNERS = (
    "SELECT coalesce(substr(d.seal, 66, 64), '') AS key, count(*) AS records, "
    "json_group_array(DISTINCT r.host) AS hosts "
    "FROM step_details d JOIN steps s ON s.id = d.step LEFT JOIN runs r ON r.id = s.run GROUP BY 1 ORDER BY 2 DESC"
)
_BEYOND = 2**62
"""Above every id."""


class Listings(Queries):
    """Runs and artifacts a page at a time; every method is one transaction.

    Args:
        database: where they are recorded.
        dead: returns the runs that say `running` though their process is gone.
    """

    def __init__(self, database: Database, dead: Callable[[], frozenset[int]]) -> None:
        super().__init__(database)
        self._dead = dead

    def runs(self, which: RunFilter, *, after: RunPlace | None = None, limit: int = 25) -> Page[Run]:
        """Return runs, newest first, each with the number of its steps per status.

        Args:
            which: which of them.
            after: the place of the last run of the page before; None for the first page.
            limit: at most so many.
        """
        return self._database.read(_runs, which, after=after, limit=limit, dead=self._dead())

    @reading
    def signers(self, connection: sqlite3.Connection) -> list[SignerRecords]:
        """Return whose signatures the records of steps claim to have, the most frequent first; none is checked."""
        found = select(connection, _SIGNERS)
        return [
            SignerRecords(
                key=row["key"],
                records=row["records"],
                hosts=tuple(sorted(filter(None, json.loads(row["hosts"])))),
            )
            for row in found
        ]

    @reading
    def logged(
        self,
        connection: sqlite3.Connection,
        metric: str,
        *,
        step: str | None = None,
        notebook: str | None = None,
        limit: int = 200,
    ) -> list[Step]:
        """Return the records of steps that ran and logged a metric; see `logged_steps`."""
        return logged_steps(connection, metric, step=step, notebook=notebook, limit=limit)

    @reading
    def checked(self, connection: sqlite3.Connection, *, limit: int = 20) -> list[Step]:
        """Return the records of steps that ran and whose outputs were checked, the newest first."""
        return checked_steps(connection, limit=limit)

    @reading
    def metric_names(self, connection: sqlite3.Connection) -> list[str]:
        """Return the names of metrics that were logged lately."""
        return logged_names(connection)

    @reading
    def artifacts(
        self,
        connection: sqlite3.Connection,
        which: ArtifactFilter,
        *,
        after: int | None = None,
        limit: int = 25,
    ) -> Page[Artifact]:
        """Return the latest version of each name, newest first; with a tag, every version that has it.

        Args:
            connection: passed by `reading`.
            which: which of them.
            after: id of the last artifact of the page before; None for the first page.
            limit: at most so many.
        """
        where = f"h.artifact < :before AND {no_element('h.name')}"
        values: dict[str, object] = {"before": _BEYOND, "limit": limit + 1}
        if which.notebook is not None:
            values["notebook"] = find_text(connection, InternedText.of(which.notebook))
            if values["notebook"] is None:
                return Page()
            where += f" AND {_MADE_IN}"
        if which.kind is not None:
            values["kind"] = which.kind
            where += " AND h.kind = :kind"
        elif which.tag is None:
            where += f" AND {NO_LOOP_VARIABLE}"
        if which.text:
            values["text"] = f"%{_escaped(plain(which.text))}%"
            where += " AND h.name LIKE :text ESCAPE '\\'"
        source = "heads h"
        if which.tag is not None:
            condition, values["tag"] = tag_condition("artifact", "h.artifact", which.tag)
            where, source = f"{where} AND {condition.replace('?', ':tag')}", VERSIONS
        # Counted before the place of the page joins the conditions: the total is that of all pages.
        total = _count(connection, f"SELECT count(*) FROM {source} WHERE {where}", values)
        if after is not None:
            values["before"] = after
        where = f"WHERE {where} ORDER BY h.artifact DESC LIMIT :limit"
        found = select_artifacts(connection, where, values, query=HEADS.replace("heads h", source))
        return _page(labelled(connection, found), limit, total)

    @reading
    def versions(
        self, connection: sqlite3.Connection, name: str, *, before: int | None = None, limit: int = 25
    ) -> Page[Artifact]:
        """Return versions of one name, newest first, beginning below version `before`."""
        total = _count(connection, "SELECT count(*) FROM artifacts WHERE name = ?", (plain(name),))
        where = "WHERE a.name = ? AND a.version < ? ORDER BY a.version DESC LIMIT ?"
        values = (plain(name), _BEYOND if before is None else before, limit + 1)
        return _page(labelled(connection, select_artifacts(connection, where, values)), limit, total)

    @reading
    def uses(
        self, connection: sqlite3.Connection, artifact: int, *, before: int | None = None, limit: int = 25
    ) -> Page[Use]:
        """Return the steps that took an artifact, newest first, beginning below the step record `before`."""
        total = _count(connection, "SELECT count(DISTINCT step) FROM inputs WHERE artifact = ?", (artifact,))
        values = (artifact, _BEYOND if before is None else before, limit + 1)
        found = [
            Use(**{**row, "name": str(row["name"]), "status": status_of(row["status"])})
            for row in map(dict, select(connection, _USES, values))
        ]
        return _page(found, limit, total)

    @reading
    def users(self, connection: sqlite3.Connection, artifact: int) -> int:
        """Return how many different steps took an artifact: a step that ran twice is one."""
        sql = (
            "SELECT count(*) FROM (SELECT DISTINCT s.name, s.notebook FROM inputs i JOIN steps s ON s.id = i.step "
            "WHERE i.artifact = ?)"
        )
        return _count(connection, sql, (artifact,))

    @reading
    def makers(self, connection: sqlite3.Connection, steps: Iterable[int | None]) -> dict[int, ProducingStep]:
        """Return step id → name, run and notebook of that step, for the ids given."""
        found = select(
            connection,
            "SELECT s.id AS step, s.name AS name, s.run AS run, n.text AS notebook "
            "FROM steps s JOIN texts n ON n.id = s.notebook WHERE s.id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted({step for step in steps if step is not None})),),
        )
        return {row["step"]: ProducingStep(**dict(row)) for row in found}

    @reading
    def stacks(self, connection: sqlite3.Connection, *, limit: int = 200) -> list[str]:
        """Return the names of stacks that have runs."""
        return [str(text) for (text,) in connection.execute(_STACKS, (limit,))]

    @reading
    def notebooks(self, connection: sqlite3.Connection, *, limit: int = 200) -> list[str]:
        """Return the notebooks that have runs, by name."""
        return sorted(str(text) for (text,) in connection.execute(_NOTEBOOKS, (limit,)))


def _runs(
    connection: sqlite3.Connection,
    which: RunFilter,
    *,
    after: RunPlace | None,
    limit: int,
    dead: frozenset[int],
) -> Page[Run]:
    total = count_runs(connection, which, dead=dead)
    found = select_runs(connection, which, after=after, limit=limit + 1, offset=0, dead=dead) if total else []
    return _page(found, limit, total)


def _page(found: list[R], limit: int, total: int) -> Page[R]:
    """Return a page from what was found, one more than fits on it when others follow."""
    return Page(items=found[:limit], total=total, more=len(found) > limit)


def _count(connection: sqlite3.Connection, sql: str, values: Sequence[object] | Mapping[str, object]) -> int:
    return int(connection.execute(sql, values).fetchone()[0])


def _escaped(text: str) -> str:
    """Escape `text` so that `LIKE` matches every character literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
