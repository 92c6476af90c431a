"""Owns the tables of runs: recording them, and finding those that nobody runs any more."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.pages import RunFilter
from zennb.core.records.records import Run, Status
from zennb.errors import StoreError, UnknownName
from zennb.metadata.interned_text import intern_text, plain
from zennb.metadata.processes import hostname, is_alive, mark_of
from zennb.metadata.rows import RUNS
from zennb.metadata.run_claims import RunClaim, RunClaims
from zennb.metadata.run_selection import select_runs, select_runs_where
from zennb.metadata.transactions import Queries, reading, writing
from zennb.with_blocks import block

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from zennb.core.records.records import Step
    from zennb.core.records.run_conditions import RunCondition
    from zennb.metadata.connection import Database
    from zennb.metadata.table import NewRow
    from zennb.worker_thread import DelayedCall

__all__ = ["RunQueries", "add_seconds", "record_run"]

# Added by SQLite, not read and written back: steps of several processes may belong to one run of a notebook.
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


class RunQueries(Queries):
    """What the metadata store answers about runs, and how it records them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._claims = RunClaims()

    def begin_run(self, run: Run, claim: RunClaim | None = None) -> Run:
        """Record that a run began, or that a session continues; returned with its id.

        Args:
            run: the run.
            claim: says when its owner stops to run it; without one, it runs until its end is recorded.
        """
        if run.id is not None:
            return self._database.write(lambda connection: self._claimed(_begin(connection, run), claim))
        new = RUNS.new(run)
        return self._database.write(lambda connection: self._claimed(record_run(connection, new), claim))

    def begin_run_later(
        self, run: Run, seconds: float, then: Callable[[Run], None], claim: RunClaim | None = None
    ) -> DelayedCall[Run]:
        """Record that a run began, unless the call is cancelled within so many seconds.

        Of a run that is recorded already, a session is written as running again, unless it was written since or
        another process began it; others are left alone.

        Args:
            run: the run.
            seconds: how long a run may take without a record.
            then: takes the run with its id, on the store's own thread.
            claim: says when its owner stops to run it.
        """
        return self._database.write_later(
            seconds, lambda connection: self._claimed(_begin(connection, run), claim), then
        )

    def end_run(self, run: Run) -> Run:
        """Record status, duration, parameters and versions of a run that this process began."""
        ended = self._database.write(_update_run, RUNS.new(run))
        self._note_end(run)
        return ended

    @block
    def claim(self) -> Iterator[RunClaim]:
        """Claim a run that begins in the block; if the block fails, what is recorded of it ends as well."""
        with RunClaim(on_error=self.end_orphans) as claim:
            yield claim

    def end_orphans(self) -> None:
        """Record as interrupted the runs of this process whose owner has stopped to run them; does not wait for it."""
        with contextlib.suppress(StoreError):  # a listing tries again
            self._database.write_later(0.0, self._end_orphans, self._claims.forget_orphans)

    def _claimed(self, run: Run, claim: RunClaim | None) -> Run:
        """Note the claim on a run that is being recorded, in the same transaction: no listing sees it without."""
        if run.id is not None:
            self._claims.note(run.id, claim)
        return run

    def _note_end(self, run: Run | None) -> None:
        if run is not None and run.status is not Status.RUNNING:
            self._claims.forget(run.id)

    def _end_orphans(
        self, connection: sqlite3.Connection, dead: frozenset[int] = frozenset()
    ) -> frozenset[int]:
        orphans = self._claims.orphans()  # only now: a session may go on in the meantime
        _mark_dead(connection, dead | orphans)
        return orphans

    @writing
    def set_commit(
        self, connection: sqlite3.Connection, run_id: int, commit: str, *, dirty: bool | None
    ) -> None:
        """Record the git commit of a run's folder, and whether its files differ from it; None when unknown."""
        connection.execute(_SET_COMMIT, (run_id, plain(commit), dirty))

    def run(self, id: int) -> Run | None:  # noqa: A002 -- the record's word
        """Return one run, with the number of its steps per status."""
        found = self._database.read(select_runs_where, "WHERE r.id = ?", (id,), self.dead_runs())
        return found[0] if found else None

    def children(self, run_id: int) -> list[Run]:
        """Return the runs that a run has started, in the order they began."""
        return self._database.read(
            select_runs_where, "WHERE d.parent = ? ORDER BY r.id", (run_id,), self.dead_runs()
        )

    def runs(
        self,
        *,
        stack: str | None = None,
        notebook: str | None = None,
        status: Status | str | None = None,
        kind: str | None = None,
        since: float | None = None,
        until: float | None = None,
        tag: str | None = None,
        where: tuple[RunCondition, ...] = (),
        nested: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Run]:
        """Return runs, newest first, each with the number of its steps per status.

        Args:
            stack: name of the stack at the time.
            notebook: the notebook, as recorded.
            status: only runs that show this status.
            kind: `session`, `pipeline` or `notebook`; `step` in databases of the first format.
            since: begun at or after this time, in seconds since the epoch.
            until: begun before this time, in seconds since the epoch.
            tag: only runs with this tag: `KEY`, or `KEY=TEXT`.
            where: only runs for whose metrics and parameters all of these hold.
            nested: also runs that another run has started.
            limit: at most so many.
            offset: leave out so many of the newest.
        """
        which = RunFilter(
            stack=stack,
            notebook=notebook,
            status=None if status is None else _status(status),
            kind=kind,
            since=since,
            until=until,
            tag=tag,
            where=where,
            nested=nested,
        )
        return self._database.read(select_runs, which, limit=limit, offset=offset, dead=self.dead_runs())

    @reading
    def run_ids(self, connection: sqlite3.Connection, *, limit: int = 50) -> list[int]:
        """Return ids of runs, newest first; much cheaper than the records."""
        cursor = connection.execute("SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT ?", (limit,))
        return [int(run) for (run,) in cursor]

    def dead_runs(self) -> frozenset[int]:
        """Return runs to be shown as interrupted, and record that unless another process is writing just now."""
        dead, orphans = self._database.read(_dead_runs, self._claims)
        if dead or orphans:
            with contextlib.suppress(StoreError):  # a listing neither fails nor waits because of it
                self._claims.forget_orphans(self._database.write_at_once(self._end_orphans, dead))
        return dead | orphans


def record_run(connection: sqlite3.Connection, new: NewRow[Run]) -> Run:
    """Insert a run, or update the one that has its id; returned with its id."""
    if new.record.id is not None:
        return _update_run(connection, new)
    run = replace(new.record, id=RUNS.insert(connection, new))
    _mark_process(connection, run)
    return run


def _mark_process(connection: sqlite3.Connection, run: Run) -> None:
    """Record what tells the process of a run from another one that gets its number later, if it is a running one."""
    mark = mark_of(run.process) if run.status is Status.RUNNING and run.host == hostname() else ""
    if mark:
        connection.execute("INSERT OR IGNORE INTO run_processes (run, mark) VALUES (?, ?)", (run.id, mark))


def _update_run(connection: sqlite3.Connection, new: NewRow[Run]) -> Run:
    """Write status, duration, parameters and versions of a run that was begun.

    Only the process that began a run may do that: a process forked from it has the run's id as well. What steps add
    to the run (`add_seconds`) and its commit (`set_commit`) stay as they are.
    """
    run = new.record
    connection.execute(
        "UPDATE runs SET status = ?, seconds = ?, parameters = ?, versions = ? "
        "WHERE id = ? AND host = ? AND process = ?",
        (
            run.status.value,
            run.seconds,
            new.values["parameters"],
            intern_text(connection, new.values["versions"]),
            run.id,
            plain(run.host),
            run.process,
        ),
    )
    return run


def _begin(connection: sqlite3.Connection, run: Run) -> Run:
    """Record that a run began, or that a session continues; returned with its id.

    Only its own process writes a session, and not when the record has been updated since.
    """
    if run.id is None:
        return record_run(connection, RUNS.new(run))
    connection.execute(
        "UPDATE runs SET status = 'running' "
        "WHERE id = ? AND kind = 'session' AND host = ? AND process = ? AND seconds <= ?",
        (run.id, plain(run.host), run.process, run.seconds),
    )
    running = replace(run, status=Status.RUNNING)
    _mark_process(connection, running)
    return running


def add_seconds(connection: sqlite3.Connection, run: int, steps: Iterable[Step]) -> None:
    """Add the duration of steps, and what their reuse saved, to their run and to the one that started it."""
    computed = saved = 0.0
    for step in steps:
        if step.is_element:
            continue  # its time is part of that of the mapped step
        saved += step.saved  # also of a mapped step that ran some of its elements
        if step.status is not Status.CACHED and step.status.value not in _IDLE:
            computed += step.seconds + sum(attempt.seconds for attempt in step.attempts)
    if not (computed or saved):
        return
    found = connection.execute("SELECT parent FROM run_details WHERE run = ?", (run,)).fetchone()
    parents = [found[0]] if found is not None and found[0] is not None else []
    connection.executemany(_ADD_SECONDS, [(each, computed, saved) for each in (run, *parents)])


def _dead_runs(connection: sqlite3.Connection, claims: RunClaims) -> tuple[frozenset[int], frozenset[int]]:
    """Return ids of runs of this machine that say `running`: those whose process is gone, and orphans of this one."""
    # Only of this machine: nobody can tell from here whether a process elsewhere is alive.
    rows = connection.execute(
        "SELECT r.id, r.process, r.started, p.mark FROM runs r LEFT JOIN run_processes p ON p.run = r.id "
        "WHERE r.status = 'running' AND r.host = ?",
        (plain(hostname()),),
    ).fetchall()
    claimed = claims.orphans()  # only now: a claim is noted before its run can be read
    orphans = frozenset(run for run, process, *_ in rows if process == os.getpid() and run in claimed)
    gone = [run for run, process, since, mark in rows if not is_alive(process, since=since, mark=mark or "")]
    return frozenset(gone) - orphans, orphans


def _mark_dead(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Write `interrupted` to runs that nobody runs any more."""
    connection.executemany(
        "UPDATE runs SET status = 'interrupted' WHERE id = ? AND status = 'running'",
        [(number,) for number in numbers],
    )


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise UnknownName("status", text, list(Status)) from None
