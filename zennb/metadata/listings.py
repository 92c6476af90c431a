"""Owns the pages of long listings: each read begins where the page before ended, and counts without decoding.

A page is found by the place of the last record shown (its time and id), not by counting past those before it, so
the last page of ten thousand costs what the first does, and a run that begins meanwhile moves nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from zennb.core.records.pages import ArtifactFilter, Page, ProducingStep, RunFilter, RunPlace, Use
from zennb.core.records.records import Status
from zennb.metadata import runs
from zennb.metadata.artifacts import COLUMNS, select_artifacts
from zennb.metadata.interned_text import InternedText, find_text
from zennb.metadata.rows import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from zennb.core.records.records import Artifact, Run
    from zennb.metadata.connection import Database

__all__ = ["Listings"]

# Values along an index one after another: as many look-ups as different values, not as records.
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
    "SELECT s.id, s.name, s.status, s.run, coalesce(r.stack, ''), n.text, s.started FROM "
    "(SELECT DISTINCT step FROM inputs WHERE artifact = ? AND step < ? ORDER BY step DESC LIMIT ?) newest "
    "CROSS JOIN steps s ON s.id = newest.step JOIN texts n ON n.id = s.notebook LEFT JOIN runs r ON r.id = s.run"
)
# What a step put out is among what the notebook's names stand for now; what was captured has a step only.
_MADE_IN = (
    "(EXISTS (SELECT 1 FROM current c WHERE c.name = h.name AND c.notebook = ?1) OR (h.kind <> 'output' AND "
    "(SELECT s.notebook FROM artifacts m JOIN steps s ON s.id = m.step WHERE m.id = h.artifact) = ?1))"
)
_BEYOND = 2**62
"""Above every id."""


class Listings:
    """Runs and artifacts a page at a time; every method is one look at the database.

    Args:
        database: where they are recorded.
        dead: tells which runs say `running` though their process is gone.
    """

    def __init__(self, database: Database, dead: Callable[[], frozenset[int]]) -> None:
        self._database, self._dead = database, dead

    def runs(self, which: RunFilter, *, after: RunPlace | None = None, limit: int = 25) -> Page[Run]:
        """Return runs, newest first, each with the number of its steps per status.

        Args:
            which: which of them.
            after: where the last run of the page before stands; None for the first page.
            limit: at most so many.
        """
        return self._database.read(_runs, which, after=after, limit=limit, dead=self._dead())

    def artifacts(
        self, which: ArtifactFilter, *, after: int | None = None, limit: int = 25
    ) -> Page[Artifact]:
        """Return the latest version of each name, newest first.

        Args:
            which: which of them.
            after: id of the last artifact of the page before; None for the first page.
            limit: at most so many.
        """
        return self._database.read(_artifacts, which, after=after, limit=limit)

    def versions(self, name: str, *, before: int | None = None, limit: int = 25) -> Page[Artifact]:
        """Return versions of one name, newest first, beginning below version `before`."""
        return self._database.read(_versions, name, before=before, limit=limit)

    def uses(self, artifact: int, *, before: int | None = None, limit: int = 25) -> Page[Use]:
        """Return the steps that took an artifact, newest first, beginning below the step record `before`."""
        return self._database.read(_uses, artifact, before=before, limit=limit)

    def makers(self, steps: Iterable[int | None]) -> dict[int, ProducingStep]:
        """Return step id → who that is, for the ids given; one look for all."""
        return self._database.read(_makers, [step for step in steps if step is not None])

    def stacks(self, *, limit: int = 200) -> list[str]:
        """Return the names of stacks that have runs."""
        return self._database.read(_texts, _STACKS, limit)

    def notebooks(self, *, limit: int = 200) -> list[str]:
        """Return the notebooks that have runs, by name."""
        return sorted(self._database.read(_texts, _NOTEBOOKS, limit))


def _runs(
    connection: sqlite3.Connection,
    which: RunFilter,
    *,
    after: RunPlace | None,
    limit: int,
    dead: frozenset[int],
) -> Page[Run]:
    total = runs.count_runs(connection, which, dead=dead)
    found = (
        runs.select_runs(connection, which, after=after, limit=limit + 1, offset=0, dead=dead)
        if total
        else []
    )
    return Page(items=found[:limit], total=total, more=len(found) > limit)


def _artifacts(
    connection: sqlite3.Connection, which: ArtifactFilter, *, after: int | None, limit: int
) -> Page[Artifact]:
    where = "h.artifact < ?2"
    values: list[object] = [None, _BEYOND]
    if which.notebook is not None:
        values[0] = find_text(connection, InternedText.of(which.notebook))
        if values[0] is None:
            return Page()
        where += f" AND {_MADE_IN}"
    if which.kind is not None:
        values.append(which.kind)
        where += f" AND h.kind = ?{len(values)}"
    if which.text:
        values.append(f"%{_escaped(plain(which.text))}%")
        where += f" AND h.name LIKE ?{len(values)} ESCAPE '\\'"
    total = connection.execute(f"SELECT count(*) FROM heads h WHERE {where}", values).fetchone()[0]
    if after is not None:
        values[1] = after
    values.append(limit + 1)
    found = select_artifacts(
        connection,
        f"SELECT {COLUMNS} FROM heads h CROSS JOIN artifacts a ON a.id = h.artifact WHERE {where} "
        f"ORDER BY h.artifact DESC LIMIT ?{len(values)}",
        values,
    )
    return Page(items=found[:limit], total=total, more=len(found) > limit)


def _versions(connection: sqlite3.Connection, name: str, *, before: int | None, limit: int) -> Page[Artifact]:
    total = connection.execute("SELECT count(*) FROM artifacts WHERE name = ?", (plain(name),)).fetchone()[0]
    found = select_artifacts(
        connection,
        f"SELECT {COLUMNS} FROM artifacts a WHERE a.name = ? AND a.version < ? ORDER BY a.version DESC LIMIT ?",
        (plain(name), _BEYOND if before is None else before, limit + 1),
    )
    return Page(items=found[:limit], total=total, more=len(found) > limit)


def _uses(connection: sqlite3.Connection, artifact: int, *, before: int | None, limit: int) -> Page[Use]:
    total = connection.execute(
        "SELECT count(DISTINCT step) FROM inputs WHERE artifact = ?", (artifact,)
    ).fetchone()[0]
    values = (artifact, _BEYOND if before is None else before, limit + 1)
    found = [
        Use(step=step, name=name, status=Status(status), run=run, stack=stack, notebook=text, started=started)
        for step, name, status, run, stack, text, started in connection.execute(_USES, values)
    ]
    return Page(items=found[:limit], total=total, more=len(found) > limit)


def _makers(connection: sqlite3.Connection, steps: list[int]) -> dict[int, ProducingStep]:
    cursor = connection.execute(
        "SELECT s.id, s.name, s.run, n.text FROM steps s JOIN texts n ON n.id = s.notebook "
        "WHERE s.id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(set(steps))),),
    )
    return {
        step: ProducingStep(step=step, name=name, run=run, notebook=text) for step, name, run, text in cursor
    }


def _texts(connection: sqlite3.Connection, sql: str, limit: int) -> list[str]:
    return [str(text) for (text,) in connection.execute(sql, (limit,))]


def _escaped(text: str) -> str:
    """Return `text` such that `LIKE` takes every character of it for itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
