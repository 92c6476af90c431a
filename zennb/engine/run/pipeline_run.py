"""Owns `PipelineRun`: it runs each step of a pipeline as soon as its inputs exist, and records it."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.core.records.records import Run, Status, Step
from zennb.engine.remote.portable_error import restored
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.git import record_commit_later
from zennb.engine.run.held_values import HeldValues
from zennb.engine.run.planner import resolve_in_run
from zennb.engine.run.repeated_calls import note_calls, with_calls_repeated
from zennb.engine.run.run_request import FinishedRun, RunRequest
from zennb.engine.run.run_versions import run_versions
from zennb.engine.run.step_task import StepTask
from zennb.engine.run.unit_of_work import UnitOfWork, WriteBuffer
from zennb.engine.run.unstored import unrecorded
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.perform import perform
from zennb.engine.step.recording import Recording
from zennb.engine.step.request import request_for
from zennb.engine.step.reusability import earlier_code, refused_parts
from zennb.engine.step.streams import redirected
from zennb.engine.step.uninterrupted import uninterrupted
from zennb.errors import StoreFull, StoreReadOnly, ZennbError
from zennb.recovery.record_copies import sealed_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["PipelineRun"]

_TICK = 0.2  # seconds between two updates of a live view


class PipelineRun:
    """One run of a pipeline.

    Args:
        request: what to run.
        run_context: the stack, stores and environment to run it with.
        recorded: whether to record the run and its steps; else the caller does.
        on_change: called with the run and the steps' records whenever something changed.
        on_output: called with a step's name and each output event, from the thread where the step runs.
        pause: seconds between two calls of `on_change`, at least; drawing a table takes longer than a short step.
    """

    def __init__(
        self,
        request: RunRequest,
        *,
        run_context: RunContext,
        recorded: bool = True,
        on_change: Callable[[Run, Mapping[str, Step]], None] = lambda _run, _steps: None,
        on_output: Callable[[str, Event], None] | None = None,
        pause: float = _TICK,
    ) -> None:
        write_buffer = WriteBuffer(run_context.store)
        if recorded and request.stays_here(run_context):
            run_context = run_context.with_store(write_buffer)  # workers cannot see what it holds back
        self._request, self._context, self.on_change = request, run_context, on_change
        self._on_output, self._recorded = on_output, recorded
        self._steps: dict[str, Step] = {}
        self._tasks: dict[Future[StepOutcome], StepTask] = {}
        self._waiting: list[StepTask] = []
        self._packages: dict[str, str] = {}
        self._error: BaseException | None = None
        self._run = run_context.new_run("pipeline", parameters=request.parameters)
        self._places = {name: place for place, name in enumerate(request.chosen)}
        previous = {name: step for name, step in (request.previous or {}).items() if name in self._places}
        shared, signer = run_context.shared, run_context.artifacts.signer
        self._unit = UnitOfWork(
            run_context.metadata,
            write_buffer,
            previous=previous,
            rerun=request.rerun,
            copied=lambda new: sealed_copy(new, self._run, signer=signer) if shared is None else None,
            shared=lambda new: shared.publish(new, self._run) if shared is not None else None,
        )
        self._known = None if request.previous is None else self._unit
        self._awaited = {name: self._number_of_parents(name) for name in request.chosen}
        self._ready = [place for name, place in self._places.items() if not self._awaited[name]]
        self._postponed: dict[str, list[str]] = {}
        self._held = HeldValues()
        self._next_notification, self._pause = 0.0, pause

    def execute(self) -> FinishedRun:
        """Run the chosen steps and record each; a step's error is returned after all that can run has run.

        Raises:
            KeyboardInterrupt: it was interrupted; what had finished is recorded, the rest is marked.
        """
        with self._context.metadata.claim() as claim:
            if self._recorded:
                # Without its record the steps still run, and each says that it is not on record.
                with suppress(StoreFull, StoreReadOnly):
                    self._run = self._context.metadata.begin_run(self._run, claim)
                if self._context.folder is not None and self._run.id is not None:
                    record_commit_later(self._context.metadata, self._run.id, self._context.folder)
                self._context = replace(self._context, run=self._run.id)
            self._context.environment.settings.note_again()
            try:
                self._loop()
            except BaseException as error:
                with uninterrupted(deliver=False):
                    self._abandon(error)
                raise
            return self._finish(self._outcome())

    def _number_of_parents(self, name: str) -> int:
        return sum(parent in self._places for parent in self._request.plan.parents(name))

    def _loop(self) -> None:
        while self._ready or self._tasks or self._waiting:
            while self._ready:
                self._begin(self._request.chosen[heappop(self._ready)])
                self._notify()
            self._try_again()
            if self._tasks or self._waiting:
                self._collect()

    def _release(self, name: str) -> None:
        """Note that a step has ended: steps that waited only for it are ready."""
        # A step that was made again releases those that waited for it; the others were released the first time.
        for child in self._postponed.pop(name, None) or self._request.plan.children(name):
            if child in self._places:
                self._awaited[child] -= 1
                if not self._awaited[child]:
                    heappush(self._ready, self._places[child])

    def _begin(self, name: str) -> None:
        """Skip, reuse or submit one step whose parents are done."""
        definition = self._request.definitions[name]
        failed = self._failed_parent(name)
        started = time.time()
        if failed is not None:
            self._skip(name, f"needs step '{failed}', which {self._steps[failed].status.value}")
            return
        if name in self._request.decided:
            self._submit(*self._request.decided[name], started)
            return
        try:
            resolved = resolve_in_run(self._held.beside(self._request, name), name, self._outputs_of)
            if self._unit.holds(resolved.cache_key, resolved.key_without_maybe_reads):
                self._write()  # an equal step has just run: once written, its result is found like any other
            asked = "--rerun" if self._request.rerun else ""
            # What was read ahead says that the outputs of such a step are there. They turned out to be damaged.
            known = None if name in self._postponed else self._known
            decision = self._context.decide(resolved, asked=asked, known=known)
        except ZennbError as error:
            self._fail_early(definition, error, started)
            return
        self._packages.update(resolved.parts.packages)
        if decision.reuse is not None:
            decision = self._context.proven(resolved, decision, decision.reuse)
        decision = with_calls_repeated(resolved, decision, self._request, self._context)
        if decision.reuse is not None:
            step = self._context.cached_step(
                resolved, decision, decision.reuse, started=started, seconds=time.time() - started
            )
            self._record(step)
        elif not self._make_again(resolved):
            self._submit(resolved, decision, started)

    def _make_again(self, resolved: ResolvedStep) -> bool:
        """Postpone a step whose inputs turn out to be damaged until the reused steps that produced them ran again."""
        name = resolved.definition.name
        sources = self._request.plan.sources[name]
        makers = {sources[each] for each in self._context.unreadable(resolved) if each in sources}
        makers = {
            each for each in makers if each in self._steps and self._steps[each].status is Status.CACHED
        }
        for maker in makers:
            if maker not in self._postponed:
                heappush(self._ready, self._places[maker])
            self._postponed.setdefault(maker, []).append(name)
        self._awaited[name] = len(makers)
        return bool(makers)

    def _skip(self, name: str, reason: str) -> None:
        definition = self._request.definitions[name]
        self._record(
            self._context.step_record(
                definition, status=Status.SKIPPED, reason=reason, started=time.time(), reusable=False
            )
        )

    def _failed_parent(self, name: str) -> str | None:
        """Return the failed step because of which `name` cannot run, through skipped ones; None if it can run."""
        for parent in self._request.plan.parents(name):
            step = self._steps.get(parent)
            if step is None or step.status.is_good:
                continue
            return self._failed_parent(parent) or parent if step.status is Status.SKIPPED else parent
        return None

    def _outputs_of(self, source: str) -> Mapping[str, Artifact]:
        """Return the outputs of another step of the plan, from this run or from its latest record."""
        step = self._steps.get(source)
        return step.outputs if step is not None else self._request.last.get(source, {})

    def _submit(self, resolved: ResolvedStep, decision: CacheDecision, started: float) -> None:
        name, on_output = resolved.definition.name, self._on_output
        try:
            if (refused := earlier_code(resolved) or self._request.refused(resolved)) is not None:
                raise refused
            context = self._context.placed(resolved.definition)
        except ZennbError as error:
            self._fail_early(resolved.definition, error, started)
            return
        with redirected(Recording()):  # what values print while they are stored
            inputs = self._context.keep_inputs(resolved, known=self._known)
        copies = self._context.copies(resolved, inputs)
        request, channels = request_for(resolved, copies, self._request.namespace)
        self._steps[name] = context.bare_step(
            resolved, status=Status.RUNNING, reason=decision.reason, started=started
        )
        self._notify()
        self._launch(
            StepTask(
                context=context,
                resolved=resolved,
                decision=decision,
                inputs=inputs,
                started=started,
                request=replace(request, process=self._request.process),
                channels=replace(channels, output=None if on_output is None else partial(on_output, name)),
            )
        )

    def _launch(self, task: StepTask) -> None:
        if self._unit.is_due:
            self._write()
        task.begun = time.time()
        # A new one for each try: a token that has stopped a step stays stopped.
        task.channels = replace(task.channels, cancel=CancellationToken())
        self._tasks[self._submitted(task)] = task

    def _submitted(self, task: StepTask) -> Future[StepOutcome]:
        orchestrator = task.context.orchestrator
        if orchestrator.visibility is Visibility.PROCESS:
            channels = replace(task.channels, resources=task.context.resources)
            return orchestrator.submit(perform, task.request, channels)
        from zennb.engine.remote.dispatch import (
            submit_remotely,  # a kernel needs it only to send steps elsewhere
        )

        return submit_remotely(task.context, task.request, task.channels)

    def _try_again(self) -> None:
        """Launch the failed steps whose delay is over."""
        now, waiting = time.time(), self._waiting
        self._waiting = [task for task in waiting if task.begun > now]
        for task in waiting:
            if task.begun <= now:
                self._launch(task)

    def _collect(self) -> None:
        """Record the steps that have ended; wait a moment when none has."""
        done = {future for future in self._tasks if future.done()}
        if not done:
            self._write()  # there is nothing else to do meanwhile
            done = self._wait()
        if not done:
            self._notify()
        for future in [each for each in self._tasks if each in done]:  # in the order in which they began
            task = self._tasks.pop(future)
            try:
                outcome = future.result()
            except Exception as error:  # noqa: BLE001 - it ends this step, not the run
                outcome = StepOutcome(error=error)
            self._handle(task, outcome)

    def _wait(self) -> set[Future[StepOutcome]]:
        """Return the steps that end within a moment."""
        if self._tasks:
            return wait(self._tasks, timeout=_TICK, return_when=FIRST_COMPLETED).done
        time.sleep(max(0.0, min(_TICK, min(task.begun for task in self._waiting) - time.time())))
        return set()

    def _handle(self, task: StepTask, outcome: StepOutcome) -> None:
        outcome = replace(outcome, error=restored(outcome.error, self._context.artifacts.scope))
        if task.failed(outcome):
            task.begun = time.time() + task.resolved.definition.options.delay
            self._waiting.append(task)
            return
        if outcome.error is None:
            refused = refused_parts(task.resolved, outcome.artifacts, self._request.namespace)
            outcome = replace(outcome, error=refused)
        if outcome.error is None:
            # Before the next step begins, which may depend on the settings and files that this one left.
            self._context.environment.adopt(outcome)
            self._held.note(task.name, outcome.held)
            step = task.context.made_step(
                task.resolved,
                task.decision,
                outcome,
                inputs=task.inputs,
                started=task.started,
                attempts=task.attempts,
            )
            self._unit.present.update(blob for artifact in step.outputs.values() for blob in artifact.blobs)
        else:
            # The first error is the one to show; later ones are in the records of their steps.
            self._error = self._error or outcome.error
            step = task.context.failed_step(
                task.resolved,
                task.decision,
                outcome.error,
                started=task.started,
                seconds=outcome.seconds,
                inputs=task.inputs,
                displays=outcome.displays,
                attempts=task.attempts,
            )
        self._record(step)

    def _fail_early(self, definition: StepDefinition, error: ZennbError, started: float) -> None:
        self._error = self._error or error
        failure = failure_of(error)
        self._record(
            self._context.step_record(
                definition, status=Status.FAILED, started=started, reusable=False, failure=failure
            )
        )

    def _record(self, step: Step) -> None:
        self._steps[step.name] = step
        if self._request.calls is not None and step.status.is_good:
            note_calls(self._request.calls, step)
        if self._recorded:
            self._unit.note(step)
        self._release(step.name)

    def _write(self, run: Run | None = None) -> None:
        """Write the records that were held back."""
        self._steps |= {step.name: step for step in (self._unit.write(run) if self._recorded else ())}
        if self._unit.gone:  # with all that this run had written before
            self._steps = unrecorded(self._steps, self._unit.gone)

    def _notify(self) -> None:
        """Report progress from time to time; write first, because only what is recorded may be shown."""
        if time.perf_counter() < self._next_notification:
            return
        self._write()
        self.on_change(self._run, self._steps)
        self._next_notification = time.perf_counter() + self._pause

    def _outcome(self) -> Status:
        found = {step.status for step in self._steps.values()}
        if Status.INTERRUPTED in found:
            return Status.INTERRUPTED
        if Status.FAILED in found:
            return Status.FAILED
        return Status.CACHED if found == {Status.CACHED} else Status.COMPLETED

    def _finish(self, status: Status) -> FinishedRun:
        seconds = time.time() - self._run.started
        self._run = replace(self._run, status=status, seconds=seconds, versions=run_versions(self._packages))
        self._write(self._run)
        self.on_change(self._run, self._steps)
        return FinishedRun(
            run=self._run,
            steps=dict(self._steps),
            repository=self._context.artifacts,
            error=self._error,
            held=self._held.of_step,
        )

    def _abandon(self, error: BaseException) -> None:
        """Stop running steps, mark those that did not finish, and close the run's record."""
        for future, task in self._tasks.items():
            if task.channels.cancel is not None:
                task.channels.cancel.stop()
            future.cancel()
        stopped = is_interrupt(error)
        for step in list(self._steps.values()):
            if step.status is Status.RUNNING:
                ended = Status.INTERRUPTED if stopped else Status.FAILED
                self._record(replace(step, status=ended, seconds=time.time() - step.started, reusable=False))
        for name in self._request.chosen:
            if name not in self._steps:
                self._skip(name, f"the run {'was interrupted' if stopped else 'ended with an error'}")
        self._finish(Status.INTERRUPTED if stopped else Status.FAILED)
