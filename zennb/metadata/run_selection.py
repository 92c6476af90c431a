"""Owns the queries for runs: which runs a filter finds, and how many, each with what its steps did."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Run, Status
from zennb.metadata.checks import status_of
from zennb.metadata.elements import no_element
from zennb.metadata.interned_text import InternedText, find_text, plain
from zennb.metadata.labels import labelled, tag_condition
from zennb.metadata.logged import RUNS_THAT_LOGGED, runs_where, searched
from zennb.metadata.rows import RUNS
from zennb.metadata.table import select

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from zennb.core.records.pages import RunFilter, RunPlace

__all__ = ["count_runs", "select_runs", "select_runs_where"]

_WITH_STEP = "r.id IN (SELECT s.run FROM steps s WHERE s.name = ?)"
_ENDED_PARENT = (
    "r.id NOT IN (SELECT d.run FROM run_details d JOIN runs p ON p.id = d.parent WHERE p.status <> ?)"
)


def select_runs(
    connection: sqlite3.Connection,
    which: RunFilter,
    *,
    limit: int,
    offset: int,
    dead: frozenset[int],
    after: RunPlace | None = None,
) -> list[Run]:
    """Return runs, newest first, each with the number of its steps per status; only those after `after`."""
    found = _conditions(connection, which, dead)
    if found is None:
        return []
    where, values = found
    if after is not None:
        where = f"{where} AND (r.started, r.id) < (?, ?)" if where else "(r.started, r.id) < (?, ?)"
        values = [*values, *after]
    where = f"{f'WHERE {where} ' if where else ''}ORDER BY r.started DESC, r.id DESC LIMIT ? OFFSET ?"
    return select_runs_where(connection, where, (*values, limit, offset), dead)


def count_runs(connection: sqlite3.Connection, which: RunFilter, *, dead: frozenset[int]) -> int:
    """Return how many runs there are; none is decoded."""
    found = _conditions(connection, which, dead)
    if found is None:
        return 0
    where, values = found
    sql = f"SELECT count(*) FROM runs r{f' WHERE {where}' if where else ''}"
    return int(connection.execute(sql, values).fetchone()[0])


def _conditions(
    connection: sqlite3.Connection, which: RunFilter, dead: frozenset[int]
) -> tuple[str, list[object]] | None:
    """Return the conditions as SQL and their values; None when nothing can meet them."""
    notebook = None if which.notebook is None else find_text(connection, InternedText.of(which.notebook))
    if which.notebook is not None and notebook is None:
        return None
    conditions = (
        ("r.notebook = ?", notebook),
        ("r.stack = ?", None if which.stack is None else plain(which.stack)),
        ("r.kind = ?", which.kind),
        ("r.started >= ?", which.since),
        ("r.started < ?", which.until),
        (_WITH_STEP, None if which.step is None else plain(which.step)),
        (RUNS_THAT_LOGGED, None if which.metric is None else searched(which.metric)),
    )
    found: list[tuple[str, object]] = [
        (condition, value) for condition, value in conditions if value is not None
    ]
    if which.status is not None:
        found += _shows(which.status, dead)
    if which.tag is not None:
        found.append(tag_condition("run", "r.id", which.tag))
    for condition in which.where:
        found.append(("r.id IN (SELECT value FROM json_each(?))", _json(runs_where(connection, condition))))
    if not which.nested:
        # Pipelines of a notebook that still runs are listed: the user is inside that notebook.
        found.append((_ENDED_PARENT, Status.RUNNING.value))
    return " AND ".join(condition for condition, _ in found), [value for _, value in found]


def _shows(status: Status, dead: frozenset[int]) -> list[tuple[str, object]]:
    """Say which rows show `status`; the `dead` ones show as interrupted, whatever is written there."""
    recorded: tuple[str, object] = ("r.status = ?", status.value)
    if dead and status is Status.RUNNING:
        return [recorded, ("r.id NOT IN (SELECT value FROM json_each(?))", _json(dead))]
    if dead and status is Status.INTERRUPTED:
        return [("(r.status = 'interrupted' OR r.id IN (SELECT value FROM json_each(?)))", _json(dead))]
    return [recorded]


def select_runs_where(
    connection: sqlite3.Connection, where: str, values: Sequence[object], dead: frozenset[int]
) -> list[Run]:
    """Return the runs that a condition finds, each with the number of its steps per status; `dead` as `select_runs`."""
    found = [RUNS.fields(row) for row in select(connection, RUNS.query + where, values)]
    groups = _step_groups(connection, [row["id"] for row in found])
    # One query for the steps of all runs on the page, not one for each.
    for fields in found:
        fields.update(_tally(groups[fields["id"]]))
        if fields["id"] in dead:
            fields["status"] = Status.INTERRUPTED
    return labelled(connection, [Run(**fields) for fields in found])


def _step_groups(connection: sqlite3.Connection, runs: Sequence[int]) -> dict[int, list[Any]]:
    """Return per run its steps grouped by name and status: how many, first and last id."""
    cursor = connection.execute(
        "SELECT run, name, status, count(*), min(id), max(id) FROM steps "
        f"WHERE run IN (SELECT value FROM json_each(?)) AND {no_element('name')} GROUP BY run, name, status",
        (_json(runs),),
    )
    groups: dict[int, list[Any]] = defaultdict(list)
    for run, *group in cursor:
        groups[run].append(group)
    return groups


def _tally(groups: Sequence[Any]) -> dict[str, Any]:
    """Return the fields `steps` and `names` of a run from the groups of its steps."""
    steps: dict[str, int] = {}
    latest: dict[str, tuple[bool, int, str]] = {}
    for label, state, count, _, high in sorted(groups, key=lambda group: group[3]):
        name, status = str(label), status_of(state).value
        steps[status] = steps.get(status, 0) + count
        # A step counts by its latest record that is not `cached`, if there is one: what it did in this run is more
        # than what it was spared afterwards.
        latest[name] = max(latest.get(name, (False, 0, "")), (status != Status.CACHED.value, high, status))
    return {"steps": steps, "names": {name: state for name, (_, _, state) in latest.items()}}


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(list(numbers))
