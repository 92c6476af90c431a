"""Owns the table of runs: beginning, ending, listing and counting them, and telling when one died silently."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.metadata import rows
from zennb.metadata.interned_text import InternedText, find_text, intern_text
from zennb.metadata.processes import hostname, is_alive
from zennb.metadata.rows import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from zennb.core.records.pages import RunFilter, RunPlace
    from zennb.core.records.records import Run, Step

__all__ = [
    "NewRun",
    "add_seconds",
    "begin_run",
    "children_of",
    "count_runs",
    "dead_runs",
    "latest_ids",
    "mark_dead",
    "record_run",
    "run_by_id",
    "select_runs",
    "set_commit",
    "update_run",
]

_RUN = (
    "SELECT r.id, r.kind, n.text, r.stack, r.status, r.started, r.seconds, r.host, r.process, "
    "k.text, r.parameters, v.text, d.parent, d.git_commit, d.dirty, d.computed, d.saved "
    "FROM runs r JOIN texts n ON n.id = r.notebook "
    "JOIN texts k ON k.id = r.snapshot JOIN texts v ON v.id = r.versions "
    "LEFT JOIN run_details d ON d.run = r.id "
)
_INSERT = (
    "INSERT INTO runs (kind, notebook, stack, status, started, seconds, host, process, snapshot, "
    "parameters, versions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_SECONDS = (
    "INSERT INTO run_details (run, parent, git_commit, dirty, computed, saved) VALUES (?, NULL, '', NULL, ?, ?) "
    "ON CONFLICT (run) DO UPDATE SET computed = computed + excluded.computed, saved = saved + excluded.saved"
)
_SET_COMMIT = (
    "INSERT INTO run_details (run, parent, git_commit, dirty, computed, saved) VALUES (?, NULL, ?, ?, 0.0, 0.0) "
    "ON CONFLICT (run) DO UPDATE SET git_commit = excluded.git_commit, dirty = excluded.dirty"
)
_IDLE = ("skipped", "running")
"""States of steps in which no work was done."""


_ENDED_PARENT = (
    "r.id NOT IN (SELECT d.run FROM run_details d JOIN runs p ON p.id = d.parent WHERE p.status <> ?)"
)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run with its columns ready; made before the transaction, to keep that short."""

    run: Run
    notebook: InternedText
    snapshot: InternedText
    versions: InternedText
    parameters: str

    @classmethod
    def of(cls, run: Run) -> NewRun:
        """Return `run` ready to be recorded."""
        return cls(
            run=run,
            notebook=InternedText.of(run.notebook),
            snapshot=InternedText.of(rows.dump_stack(run.stack)),
            versions=InternedText.of(rows.dump(run.versions)),
            parameters=rows.dump(run.parameters),
        )


def record_run(connection: sqlite3.Connection, new: NewRun) -> Run:
    """Insert a run, or update the one that has its id; returned with its id."""
    if new.run.id is not None:
        return update_run(connection, new)
    run = new.run
    values = (
        run.kind,
        intern_text(connection, new.notebook),
        plain(run.stack.name),
        run.status.value,
        run.started,
        run.seconds,
        plain(run.host),
        run.process,
        intern_text(connection, new.snapshot),
        new.parameters,
        intern_text(connection, new.versions),
    )
    run = replace(run, id=int(connection.execute(_INSERT, values).lastrowid or 0))
    known = (run.parent, run.commit, run.dirty, run.computed, run.saved)
    if any(known) or run.dirty is not None:
        connection.execute("INSERT INTO run_details VALUES (?, ?, ?, ?, ?, ?)", (run.id, *known))
    return run


def update_run(connection: sqlite3.Connection, new: NewRun) -> Run:
    """Write status, duration, parameters and versions of a run that was begun.

    Only the process that began a run may do that: a process forked from it knows the run's id as well. What steps add
    to the run (`add_seconds`) and its commit (`set_commit`) are left as they are.
    """
    run = new.run
    connection.execute(
        "UPDATE runs SET status = ?, seconds = ?, parameters = ?, versions = ? "
        "WHERE id = ? AND host = ? AND process = ?",
        (
            run.status.value,
            run.seconds,
            new.parameters,
            intern_text(connection, new.versions),
            run.id,
            plain(run.host),
            run.process,
        ),
    )
    return run


def begin_run(connection: sqlite3.Connection, run: Run) -> Run:
    """Record that a run began, or that a session goes on; returned with its id.

    A session is written by its own process only, and stays as it is when that process has written more of it since.
    """
    if run.id is None:
        return record_run(connection, NewRun.of(run))
    connection.execute(
        "UPDATE runs SET status = 'running' "
        "WHERE id = ? AND kind = 'session' AND host = ? AND process = ? AND seconds <= ?",
        (run.id, plain(run.host), run.process, run.seconds),
    )
    return replace(run, status=Status.RUNNING)


def add_seconds(connection: sqlite3.Connection, run: int, steps: Iterable[Step]) -> None:
    """Add what steps took, and what reusing them spared, to their run and to the one that started it."""
    computed = saved = 0.0
    for step in steps:
        if step.status is Status.CACHED:
            saved += step.saved
        elif step.status.value not in _IDLE:
            computed += step.seconds + sum(attempt.seconds for attempt in step.attempts)
    if not (computed or saved):
        return
    found = connection.execute("SELECT parent FROM run_details WHERE run = ?", (run,)).fetchone()
    parents = [found[0]] if found is not None and found[0] is not None else []
    connection.executemany(_ADD_SECONDS, [(each, computed, saved) for each in (run, *parents)])


def set_commit(connection: sqlite3.Connection, run: int, commit: str, dirty: bool | None) -> None:
    """Write the git commit of a run's folder, and whether its files differ from it."""
    connection.execute(_SET_COMMIT, (run, plain(commit), dirty))


def dead_runs(connection: sqlite3.Connection) -> frozenset[int]:
    """Return ids of runs of this machine that say `running` though their process is gone."""
    running = connection.execute(
        "SELECT id, process, started FROM runs WHERE status = 'running' AND host = ?", (plain(hostname()),)
    )
    return frozenset(number for number, process, started in running if not is_alive(process, since=started))


def mark_dead(connection: sqlite3.Connection, numbers: Collection[int]) -> None:
    """Write `interrupted` to runs whose process is gone."""
    connection.executemany(
        "UPDATE runs SET status = 'interrupted' WHERE id = ? AND status = 'running'",
        [(number,) for number in numbers],
    )


def run_by_id(connection: sqlite3.Connection, number: int, *, dead: frozenset[int]) -> Run | None:
    """Return one run with the number of its steps per status."""
    found = _decode(connection, connection.execute(_RUN + "WHERE r.id = ?", (number,)), dead)
    return found[0] if found else None


def select_runs(
    connection: sqlite3.Connection,
    which: RunFilter,
    *,
    limit: int,
    offset: int,
    dead: frozenset[int],
    after: RunPlace | None = None,
) -> list[Run]:
    """Return runs, newest first, each with the number of its steps per status; only those that stand `after`."""
    found = _conditions(connection, which, dead)
    if found is None:
        return []
    where, values = found
    if after is not None:
        where = f"{where} AND (r.started, r.id) < (?, ?)" if where else "(r.started, r.id) < (?, ?)"
        values = [*values, *after]
    cursor = connection.execute(
        f"{_RUN}{f'WHERE {where} ' if where else ''}ORDER BY r.started DESC, r.id DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return _decode(connection, cursor, dead)


def children_of(connection: sqlite3.Connection, number: int, *, dead: frozenset[int]) -> list[Run]:
    """Return the runs that a run has started, in the order they began."""
    where = "WHERE d.parent = ? ORDER BY r.id"
    return _decode(connection, connection.execute(_RUN + where, (number,)), dead)


def count_runs(connection: sqlite3.Connection, which: RunFilter, *, dead: frozenset[int]) -> int:
    """Return how many runs there are; none is decoded."""
    found = _conditions(connection, which, dead)
    if found is None:
        return 0
    where, values = found
    sql = f"SELECT count(*) FROM runs r{f' WHERE {where}' if where else ''}"
    return int(connection.execute(sql, values).fetchone()[0])


def latest_ids(connection: sqlite3.Connection, *, limit: int) -> list[int]:
    """Return ids of runs, newest first."""
    cursor = connection.execute("SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT ?", (limit,))
    return [int(run) for (run,) in cursor]


def _conditions(
    connection: sqlite3.Connection, which: RunFilter, dead: frozenset[int]
) -> tuple[str, list[object]] | None:
    """Return the conditions as SQL and their values; None when nothing can meet them."""
    notebook = None if which.notebook is None else find_text(connection, InternedText.of(which.notebook))
    if which.notebook is not None and notebook is None:
        return None
    given = (
        ("r.notebook = ?", notebook),
        ("r.stack = ?", None if which.stack is None else plain(which.stack)),
        ("r.kind = ?", which.kind),
        ("r.started >= ?", which.since),
        ("r.started < ?", which.until),
    )
    found: list[tuple[str, object]] = [(condition, value) for condition, value in given if value is not None]
    if which.status is not None:
        found += _status(which.status, dead)
    if not which.nested:
        # While a notebook runs, whoever lists its pipelines is in it.
        found.append((_ENDED_PARENT, Status.RUNNING.value))
    return " AND ".join(condition for condition, _ in found), [value for _, value in found]


def _status(status: Status, dead: frozenset[int]) -> list[tuple[str, object]]:
    """Say which rows show `status`; the `dead` ones show as interrupted, whatever is written there."""
    plainly: tuple[str, object] = ("r.status = ?", status.value)
    if dead and status is Status.RUNNING:
        return [plainly, ("r.id NOT IN (SELECT value FROM json_each(?))", _json(dead))]
    if dead and status is Status.INTERRUPTED:
        return [("(r.status = 'interrupted' OR r.id IN (SELECT value FROM json_each(?)))", _json(dead))]
    return [plainly]


def _decode(connection: sqlite3.Connection, found: Iterable[rows.Row], dead: frozenset[int]) -> list[Run]:
    listed = list(found)
    tallies = _tallies(connection, [row[0] for row in listed])
    return [
        rows.run(row, tallies[row[0]], status=Status.INTERRUPTED if row[0] in dead else None)
        for row in listed
    ]


def _tallies(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, rows.Tally]:
    """Return per run its steps: how many in which state, and each name's latest state."""
    cursor = connection.execute(
        "SELECT run, name, status, count(*), min(id), max(id) FROM steps "
        "WHERE run IN (SELECT value FROM json_each(?)) GROUP BY run, name, status",
        (_json(numbers),),
    )
    groups: dict[int, list[rows.Row]] = defaultdict(list)
    for run, *group in cursor:
        groups[run].append(tuple(group))
    return {number: rows.tally(groups[number]) for number in numbers}


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(list(numbers))
