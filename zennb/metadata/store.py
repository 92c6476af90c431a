"""Owns `MetadataStore`, the one door to what is remembered; each method is one transaction."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from zennb.core.records.pages import RunFilter
from zennb.core.records.records import Status
from zennb.errors import StoreError, UnknownName
from zennb.metadata import artifacts, runs, stacks, steps
from zennb.metadata.artifacts import history
from zennb.metadata.connection import Database
from zennb.metadata.interned_text import InternedText
from zennb.metadata.listings import Listings
from zennb.metadata.runs import NewRun
from zennb.metadata.step_history import StepHistory, select_known
from zennb.metadata.steps import NewStep

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from zennb.core.records.records import Artifact, ComponentSpec, Run, StackSpec, Step
    from zennb.worker_thread import DelayedCall

__all__ = ["MetadataStore"]

R = TypeVar("R")


class MetadataStore:
    """Stacks, components, runs, steps, artifacts and the edges between them, in one SQLite file.

    Any number of threads and processes may use one file. Every method may raise `StoreBusy` when another
    process holds the file for longer than `deadline`, and `StoreError` when it cannot be read or written.

    Args:
        path: the file, `metadata.db` of a home; made when missing.
        deadline: seconds to wait for a lock that another process holds.

    Raises:
        ForeignStore: the file belongs to another program or to a newer zennb.

    Attributes:
        listings: runs and artifacts a page at a time.
    """

    def __init__(self, path: Path, *, deadline: float = 10.0) -> None:
        self.path = path
        self._database = Database(path, deadline=deadline)
        self.listings = Listings(self._database, self._dead)

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._database.close()

    def atomically(self, function: Callable[[], R]) -> R:
        """Run `function` so that all it does through this store happens at once or not at all.

        It runs on the store's own thread, so it must be short and must not wait for other threads.
        """
        return self._database.write(lambda _connection: function())

    # What is registered

    def components(self, type: str | None = None) -> list[ComponentSpec]:  # noqa: A002 -- ZenML's word
        """Return registered components of one type or all, by type and name."""
        return self._database.read(stacks.select_components, type)

    def put_component(self, spec: ComponentSpec, *, replace: bool = False) -> None:
        """Register a component; an equal one is left alone.

        Raises:
            NameTaken: one of that name differs, and `replace` was not asked for.
        """
        self._database.write(stacks.put_component, spec, replace=replace)

    def delete_component(self, type: str, name: str) -> None:  # noqa: A002 -- ZenML's word
        """Delete a component if it exists.

        Raises:
            StoreError: a stack names it.
        """
        self._database.write(stacks.delete_component, type, name)

    def rename_component(self, type: str, old: str, new: str) -> None:  # noqa: A002 -- ZenML's word
        """Rename a component, in the stacks that name it too.

        Raises:
            StoreError: `new` exists.
        """
        self._database.write(stacks.rename_component, type, old, new)

    def stacks(self) -> list[StackSpec]:
        """Return all stacks, by name."""
        return self._database.read(stacks.select_stacks, None)

    def stack(self, name: str) -> StackSpec | None:
        """Return one stack."""
        found = self._database.read(stacks.select_stacks, name)
        return found[0] if found else None

    def put_stack(self, spec: StackSpec, *, replace: bool = False) -> None:
        """Register a stack of components that are registered; an equal one is left alone.

        Raises:
            NameTaken: one of that name differs, and `replace` was not asked for.
            StoreError: it names a component that is not registered.
        """
        self._database.write(stacks.put_stack, spec, replace=replace)

    def delete_stack(self, name: str) -> None:
        """Delete a stack if it exists; its components, and the runs it was used for, stay."""
        self._database.write(stacks.delete_stack, name)

    def rename_stack(self, old: str, new: str) -> None:
        """Rename a stack; runs of the past keep the old name.

        Raises:
            StoreError: `new` exists.
        """
        self._database.write(stacks.rename_stack, old, new)

    def setting(self, key: str) -> str | None:
        """Return a setting, or None when it was never set."""
        return self._database.read(stacks.setting, key)

    def set_setting(self, key: str, value: str) -> None:
        """Write a setting."""
        self._database.write(stacks.set_setting, key, value)

    # What happened

    def begin_run(self, run: Run) -> Run:
        """Record that a run began; returned with its id."""
        return self._database.write(runs.record_run, NewRun.of(run))

    def begin_run_later(self, run: Run, seconds: float, then: Callable[[Run], None]) -> DelayedCall[Run]:
        """Record that a run began, if it still goes on in so many seconds: until then its record can be taken back.

        Of a run that is recorded already, a session is written as running again, unless more of it was written since or
        another process began it; others are left alone.

        Args:
            run: the run.
            seconds: how long a run may take without a record.
            then: takes the run with its id, on the store's own thread.
        """
        return self._database.write_later(seconds, lambda connection: runs.begin_run(connection, run), then)

    def end_run(self, run: Run) -> Run:
        """Record status, duration, parameters and versions of a run that this process began."""
        return self._database.write(runs.update_run, NewRun.of(run))

    def set_commit(self, run_id: int, commit: str, *, dirty: bool | None) -> None:
        """Record the git commit of a run's folder, and whether its files differ from it; None when unknown."""
        self._database.write(runs.set_commit, run_id, commit, dirty)

    def add(self, step: Step, *, run: Run | None = None) -> Step:
        """Record a step, its new artifacts and its edges in one transaction; returned with all ids filled in.

        An artifact without id gets the next version of its name, unless it equals that name's latest version.

        Args:
            step: what happened.
            run: the run it belongs to, recorded with it: inserted when it has no id, else updated.
        """
        return self.add_all([step], run=run)[0]

    def add_all(self, steps: Iterable[Step], *, run: Run | None = None) -> list[Step]:
        """Record several steps as `add` does, all in one transaction.

        What one of them makes and another takes is one artifact, when both hold the same object.
        """
        new = [NewStep.of(step) for step in steps]
        return self._database.write(_add, new, None if run is None else NewRun.of(run))

    def find(self, key: str, *, limit: int = 8) -> list[Step]:
        """Return completed steps of that key that may be reused, newest first."""
        return self._database.read(steps.reusable_steps, key, limit=limit)

    def known_of(
        self, keys: Iterable[str], *, name: str, notebook: str, source: str, stack: str
    ) -> StepHistory:
        """Return what a decision on a step needs, as it was at one moment.

        Args:
            keys: the step's keys; the results of the first that has any are returned.
            name: the step.
            notebook: its notebook.
            source: text of its cell now.
            stack: the stack it is to run on.
        """
        where = InternedText.of(notebook)
        return self._database.read(select_known, keys, name=name, notebook=where, source=source, stack=stack)

    def previous(self, name: str, notebook: str, *, source: str | None = None) -> Step | None:
        """Return the latest record of a step that ran, was reused or failed.

        Args:
            name: the step.
            notebook: its notebook.
            source: text of its cell now. With it, a step that has no record in this notebook is also looked for among
                those of kernels that did not know their notebook (papermill, `jupyter execute`): by its name, and by
                its text without the `%%step` line.
        """
        return self._database.read(steps.previous_step, name, InternedText.of(notebook), source)

    def previous_all(
        self, names: Iterable[str], notebook: str, *, sources: Mapping[str, str] | None = None
    ) -> dict[str, Step]:
        """Return for each of many step names what `previous` returns, those without a record left out."""
        return self._database.read(
            steps.previous_steps, list(names), InternedText.of(notebook), sources or {}
        )

    def with_code(self, codes: Iterable[str], *, limit: int = 2000) -> list[Step]:
        """Return steps with one of these codes (`CacheKeyParts.code`) that are or were reusable, newest first."""
        return self._database.read(steps.steps_with_code, list(codes), limit=limit)

    def find_all(self, keys: Iterable[str]) -> dict[str, Step]:
        """Return for each of many keys the first that `find` returns, those without one left out."""
        return self._database.read(steps.newest_reusable, list(keys))

    def step(self, id: int) -> Step | None:  # noqa: A002 -- the record's word
        """Return one step."""
        return self._database.read(steps.step_by_id, id)

    def steps(self, run_id: int) -> list[Step]:
        """Return the steps of a run, in the order they ended."""
        return self._database.read(steps.steps_of_run, run_id)

    def latest_steps(self, notebook: str, *, sources: Mapping[str, str] | None = None) -> list[Step]:
        """Return the newest record of each step name of a notebook, oldest first.

        Args:
            notebook: the notebook.
            sources: step name → text of its cell now; what is found with it, see `previous`.
        """
        return self._database.read(steps.latest_steps, InternedText.of(notebook), sources or {})

    def run(self, id: int) -> Run | None:  # noqa: A002 -- the record's word
        """Return one run, with the number of its steps per status."""
        return self._database.read(runs.run_by_id, id, dead=self._dead())

    def children(self, run_id: int) -> list[Run]:
        """Return the runs that a run has started, in the order they began."""
        return self._database.read(runs.children_of, run_id, dead=self._dead())

    def runs(
        self,
        *,
        stack: str | None = None,
        notebook: str | None = None,
        status: Status | str | None = None,
        kind: str | None = None,
        since: float | None = None,
        until: float | None = None,
        nested: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Run]:
        """Return runs, newest first, each with the number of its steps per status.

        Args:
            stack: name of the stack at the time.
            notebook: the notebook, as recorded.
            status: only runs that show this status.
            kind: `session`, `pipeline` or `notebook`; `step` in databases of version 0.1.
            since: begun at or after this time, in seconds since the epoch.
            until: begun before this time, in seconds since the epoch.
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
            nested=nested,
        )
        return self._database.read(runs.select_runs, which, limit=limit, offset=offset, dead=self._dead())

    def artifacts(
        self, *, name: str | None = None, kind: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Artifact]:
        """Return the latest version of each name, newest first."""
        return self._database.read(
            artifacts.latest_artifacts, name=name, kind=kind, limit=limit, offset=offset
        )

    def artifact_names(self, *, limit: int = 500) -> list[str]:
        """Return names of artifacts, the one that got a version last first; much cheaper than the records."""
        return self._database.read(artifacts.latest_names, limit=limit)

    def run_ids(self, *, limit: int = 50) -> list[int]:
        """Return ids of runs, newest first; much cheaper than the records."""
        return self._database.read(runs.latest_ids, limit=limit)

    def history(self, name: str, *, limit: int = 1000, offset: int = 0) -> list[Artifact]:
        """Return versions of one name, newest first."""
        return self._database.read(history, name, limit=limit, offset=offset)

    def artifact(
        self, name: str, version: int | None = None, *, notebook: str | None = None
    ) -> Artifact | None:
        """Return one version of a name, or what the name stands for now.

        Args:
            name: the variable's name.
            version: counts from 1; None asks for the artifact that a step put out last (run or cached).
            notebook: prefer what steps of this notebook put out, when they ever did.
        """
        if version is not None:
            return self._database.read(artifacts.artifact_version, name, version)
        where = None if notebook is None else InternedText.of(notebook)
        return self._database.read(artifacts.artifact_now, name, notebook=where)

    def producer(self, artifact: Artifact) -> Step | None:
        """Return the step that made or captured an artifact."""
        return None if artifact.step is None else self.step(artifact.step)

    def consumers(self, artifact: Artifact, *, limit: int = 100) -> list[Step]:
        """Return steps that took an artifact as input, newest first."""
        return [] if artifact.id is None else self._database.read(steps.consumers, artifact.id, limit=limit)

    def expire(self, artifact: Artifact, *, when: float, why: str) -> list[tuple[str, Status]]:
        """Stop the reuse of what put out an artifact; nothing is deleted.

        Args:
            artifact: as recorded.
            when: from when on, in seconds since the epoch.
            why: the reason that later runs say.

        Returns:
            Step name and status of each record whose reuse ends with this.
        """
        if artifact.id is None:
            return []
        found = self._database.write(steps.expire, artifact.id, when=when, why=why)
        return [(name, Status(status)) for name, status in found]

    def with_digests(self, digests: Iterable[str], *, limit: int = 8) -> dict[str, list[Artifact]]:
        """Return for each of many digests the artifacts of that content, newest first."""
        return self._database.read(artifacts.artifacts_with_digests, digests, limit=limit)

    def _dead(self) -> frozenset[int]:
        """Return runs to be shown as interrupted, and write that down if nobody else is writing just now."""
        dead = self._database.read(runs.dead_runs)
        if dead:
            with contextlib.suppress(StoreError):  # a list neither fails nor waits because of it
                self._database.write_at_once(runs.mark_dead, dead)
        return dead


def _status(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise UnknownName("status", text, list(Status)) from None


def _add(connection: sqlite3.Connection, new: Sequence[NewStep], run: NewRun | None) -> list[Step]:
    recorded = None if run is None else runs.record_run(connection, run)
    shared: dict[int, Artifact] = {}
    added = [
        steps.record_step(
            connection, step, run=step.step.run if recorded is None else recorded.id, recorded=shared
        )
        for step in new
    ]
    for number in {step.run for step in added if step.run is not None}:
        runs.add_seconds(connection, number, [step for step in added if step.run == number])
    return added
