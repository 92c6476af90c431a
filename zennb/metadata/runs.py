"""Owns the table of runs: beginning, ending, listing and counting them, and telling when one died silently."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.records import Status
from zennb.metadata import rows
from zennb.metadata.processes import hostname, is_alive
from zennb.metadata.rows import plain
from zennb.metadata.texts import Text, find_text, keep_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from zennb.core.pages import RunFilter, RunPlace
    from zennb.core.records import Run

__all__ = [
    "NewRun",
    "count_runs",
    "dead_runs",
    "latest_ids",
    "mark_dead",
    "record_run",
    "run_by_id",
    "select_runs",
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


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run with its columns ready; made before the transaction, to keep that short."""

    run: Run
    notebook: Text
    snapshot: Text
    versions: Text
    parameters: str

    @classmethod
    def of(cls, run: Run) -> NewRun:
        """Return `run` ready to be recorded."""
        return cls(
            run=run,
            notebook=Text.of(run.notebook),
            snapshot=Text.of(rows.dump_stack(run.stack)),
            versions=Text.of(rows.dump(run.versions)),
            parameters=rows.dump(run.parameters),
        )


def record_run(connection: sqlite3.Connection, new: NewRun) -> Run:
    """Insert a run, or update the one that has its id; returned with its id."""
    if new.run.id is not None:
        return update_run(connection, new)
    run = new.run
    values = (
        run.kind,
        keep_text(connection, new.notebook),
        plain(run.stack.name),
        run.status.value,
        run.started,
        run.seconds,
        plain(run.host),
        run.process,
        keep_text(connection, new.snapshot),
        new.parameters,
        keep_text(connection, new.versions),
    )
    run = replace(run, id=int(connection.execute(_INSERT, values).lastrowid or 0))
    _set_details(connection, run)
    return run


def _set_details(connection: sqlite3.Connection, run: Run) -> None:
    known = (run.parent, run.commit, run.dirty, run.computed, run.saved)
    if any(known) or run.dirty is not None:
        connection.execute("INSERT OR REPLACE INTO run_details VALUES (?, ?, ?, ?, ?, ?)", (run.id, *known))


def update_run(connection: sqlite3.Connection, new: NewRun) -> Run:
    """Write status, duration and versions of a run that was begun."""
    connection.execute(
        "UPDATE runs SET status = ?, seconds = ?, versions = ? WHERE id = ?",
        (new.run.status.value, new.run.seconds, keep_text(connection, new.versions), new.run.id),
    )
    _set_details(connection, new.run)
    return new.run


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
    notebook = None if which.notebook is None else find_text(connection, Text.of(which.notebook))
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
    counts = _counts(connection, [row[0] for row in listed])
    return [
        rows.run(row, counts.get(row[0], {}), status=Status.INTERRUPTED if row[0] in dead else None)
        for row in listed
    ]


def _counts(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    cursor = connection.execute(
        "SELECT run, status, count(*) FROM steps WHERE run IN (SELECT value FROM json_each(?)) "
        "GROUP BY run, status",
        (_json(numbers),),
    )
    for run, status, count in cursor:
        counts[run][status] = count
    return counts


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(list(numbers))
