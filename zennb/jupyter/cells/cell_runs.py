"""Owns the runs that the step cells of a kernel belong to: the run of the whole notebook, or the kernel's session.

Cells run by hand belong to one run per kernel and stack, of kind `session`. Its status is `running` while a cell runs
that takes more than a moment, and otherwise that of its latest step; `failed` while a step of it has failed and not run
since. A short cell costs one transaction, at its end.
`zennb run` begins one run for the whole notebook and hands it to the kernel; cells on its stack belong to that run.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.core.secrets.parameters import small_inputs
from zennb.engine.run.ended_run import run_versions
from zennb.engine.run.git import record_commit_later
from zennb.engine.run.unit_of_work import MAX_LOST_SECONDS
from zennb.engine.run.unstored import without_unstored
from zennb.engine.step.uninterrupted import uninterrupted
from zennb.errors import StoreError
from zennb.headless.handover import handed_over
from zennb.metadata.run_claims import RunClaim
from zennb.recovery.record_copies import sealed_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.core.records.records import Run, Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.jupyter.kernel.live_display import LiveLine
    from zennb.metadata.steps import NewStep
    from zennb.metadata.store import MetadataStore
    from zennb.worker_thread import DelayedCall

__all__ = ["CellRun", "KernelRuns"]


class KernelRuns:
    """The runs of one kernel's step cells. They outlive the extension, which may be loaded again."""

    def __init__(self) -> None:
        self._runs: list[_Ongoing] = []
        self._whole: dict[tuple[Path, int], Run | None] = {}

    def whole(self, metadata: MetadataStore) -> Run | None:
        """Return the run of the whole notebook, if this process is the kernel of one that is recorded there."""
        asked = metadata.path, os.getpid()  # a forked process is not the kernel
        if asked not in self._whole:
            self._whole[asked] = handed_over(metadata)
        return self._whole[asked]

    def forget(self) -> None:
        """Begin new runs from now on: those known so far may not be on record any more."""
        self._runs.clear()
        self._whole.clear()

    def cell(self, run_context: RunContext, *, started: float) -> CellRun:
        """Return the recorder of a step cell.

        Args:
            run_context: the stack it runs on.
            started: when it began, in seconds since the epoch.
        """
        return CellRun(self._ongoing(run_context, started), run_context)

    def _ongoing(self, run_context: RunContext, started: float) -> _Ongoing:
        """Return the run that a cell on a stack belongs to; a changed stack counts as another one."""
        own = replace(run_context.new_run("session"), started=started)
        # Cells of one run have these in common; a forked process has another id.
        place = run_context.metadata.path, own.process, own.notebook, own.stack
        for known in self._runs:
            if known.place == place:
                return known
        whole = self.whole(run_context.metadata)
        run = whole if whole is not None and whole.stack == own.stack else own
        self._runs.append(_Ongoing(run, place))
        return self._runs[-1]


class _Ongoing:
    """A run to which step cells are added, as last written; it has no id until it is recorded.

    Args:
        run: the run.
        place: what the cells that belong to it have in common.
    """

    def __init__(self, run: Run, place: tuple[object, ...]) -> None:
        self.run = run
        self.packages: dict[str, str] = {}
        self.failed: set[str] = set()
        self.has_commit = run.kind != "session"
        self.place = place
        self._begun: DelayedCall[Run] | None = None

    @property
    def is_session(self) -> bool:
        """Whether this kernel writes the run's record; else the runner of the whole notebook does."""
        return self.run.kind == "session"

    def begin_later(self, metadata: MetadataStore, then: Callable[[Run], None], claim: RunClaim) -> None:
        """Record the run as running, if the cell is still running in a moment."""
        self.settle()  # of a cell that never ended
        running = replace(self.run, status=Status.RUNNING)

        def begun(run: Run) -> None:
            # On the store's thread: an interrupt could keep this one from learning the id, and another run would begin.
            if self.run.id is None:
                self.run = run
            then(run)

        with uninterrupted():
            self._begun = metadata.begin_run_later(running, MAX_LOST_SECONDS, begun, claim)

    def begin_now(self, metadata: MetadataStore, claim: RunClaim) -> Run:
        """Record the run as running, and return it with its id."""
        self.settle()
        running = replace(self.run, status=Status.RUNNING)
        with suppress(StoreError):  # each step says that it is not on record
            with uninterrupted():  # interrupted in between, the next cell would begin another run
                run = metadata.begin_run(running, claim)
                self.run = run if self.run.id is None else self.run
            return run
        return self.run

    def settle(self) -> None:
        """Cancel the pending write, or wait until it is done."""
        if self._begun is None:
            return
        with suppress(StoreError):  # the whole record is written next; if that fails too, it raises
            self._begun.cancel_or_result()
        self._begun = None


class CellRun:
    """Records one step cell, together with the run that it belongs to.

    Args:
        ongoing: the run.
        run_context: the stack the cell runs on.
    """

    def __init__(self, ongoing: _Ongoing, run_context: RunContext) -> None:
        self._ongoing, self._metadata, self._folder = ongoing, run_context.metadata, run_context.folder
        self._signer, self._shared = run_context.artifacts.signer, run_context.shared
        self._tracking = None if run_context.services is None else run_context.services.tracking
        self._live: LiveLine | None = None
        self._claim = RunClaim()
        self._goes_on = False

    def begin(self, live: LiveLine) -> None:
        """Record the run as running and let `live` show the step, if it is still running in a moment."""
        self._live = live
        self._goes_on = True
        self._ongoing.begin_later(self._metadata, live.begin, self._claim)

    def begin_now(self, live: LiveLine | None) -> int | None:
        """Record the run as running at once, and return its id; None where it cannot be recorded."""
        run = self._ongoing.begin_now(self._metadata, self._claim)
        if live is not None and run.id is not None:
            live.begin(run)
        return run.id

    def close(self) -> None:
        """After the cell: unless its end is recorded, an interrupt kept it from that, and its run does not go on."""
        self._claim.is_over = True
        if self._goes_on:
            self._ongoing.settle()
            self._metadata.end_orphans()

    def end(self, step: Step, status: Status, write_buffer: WriteBuffer) -> Step:
        """Store what the cell's write buffer holds back, record how it ended, and return the step as recorded.

        Neither fails the cell: its values are bound, and the step says what is not stored or not on record.
        """
        ongoing = self._ongoing
        # Bytes first: a record must not name any that are not stored.
        own = step if ongoing.is_session else replace(step, run=ongoing.run.id)
        new = self._stored(own, status, write_buffer)
        ongoing.settle()
        if self._live is not None:
            self._live.close(replace(ongoing.run, status=status))
        try:
            # The runner of the notebook writes the run; this kernel only adds steps to it.
            if not ongoing.is_session:
                (added,) = self._metadata.add_new([new])
                self._goes_on = False
                self._share(new, added, write_buffer)
                self._track(added)
                return added
            run = self._ended(step, status)
            (added,) = self._metadata.add_new([new], run=run)
        except StoreError as error:
            # The cell ran, and its values are bound: what it computed is not thrown away.
            return replace(step, unrecorded=error.brief)
        # Only when it is written: after an error the next cell writes the run again.
        ongoing.run = replace(run, id=added.run)
        self._goes_on = False
        self._note_commit()
        self._share(new, added, write_buffer)
        self._track(added)
        return added

    def _track(self, added: Step) -> None:
        """Tell the experiment tracker of the stack, if it has one."""
        if self._tracking is not None:
            self._tracking.note([added], self._ongoing.run)

    def _share(self, new: NewStep, added: Step, write_buffer: WriteBuffer) -> None:
        """Leave the record for other people, if all that it names is stored."""
        if self._shared is not None and not write_buffer.unstored:
            self._shared.publish([(new, added.run)], self._ongoing.run)

    def _stored(self, step: Step, status: Status, write_buffer: WriteBuffer) -> NewStep:
        """Store what is held back, with a copy of the record, and return the record of what is stored."""
        new = self._metadata.encoded(step)
        # What is shared holds the whole record, and only local stores are repaired from copies.
        if status is Status.COMPLETED and self._shared is None:
            copy = sealed_copy(new, self._ongoing.run, signer=self._signer)
            write_buffer.put_all([[copy]] if copy is not None else [])
        write_buffer.flush_or_note()
        kept = without_unstored(step, write_buffer.unstored)
        return new if kept is step else self._metadata.encoded(kept)

    def _ended(self, step: Step, status: Status) -> Run:
        """Return the run as it is after a step; its duration never shrinks, even if the clock is set back."""
        run, ongoing = self._ongoing.run, self._ongoing
        (ongoing.failed.add if status is Status.FAILED else ongoing.failed.discard)(step.name)
        ongoing.packages.update(step.parts.packages if step.parts is not None else {})
        return replace(
            run,
            status=Status.FAILED if ongoing.failed and status.is_good else status,
            seconds=max(run.seconds, time.time() - run.started),
            versions=run_versions(ongoing.packages),
            parameters={**run.parameters, **small_inputs(step)},
        )

    def _note_commit(self) -> None:
        """Record the commit of the notebook's folder, once per run and without waiting for git."""
        ongoing = self._ongoing
        if not ongoing.has_commit and ongoing.run.id is not None and self._folder is not None:
            ongoing.has_commit = True
            record_commit_later(self._metadata, ongoing.run.id, self._folder)
