"""Owns `PipelineRun`: it runs each step of a pipeline as soon as its inputs exist, and records it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from zennb.core.records.records import Run, Status, Step
from zennb.engine.environment.callers import untraced
from zennb.engine.run.element_queue import ElementQueue
from zennb.engine.run.ended_run import ended_run
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.git import record_commit_later
from zennb.engine.run.held_values import HeldValues
from zennb.engine.run.input_sources import changed_too_late, with_sources
from zennb.engine.run.planner import resolve_in_run
from zennb.engine.run.repeated_calls import note_calls, with_calls_repeated
from zennb.engine.run.run_alerts import RunAlerts
from zennb.engine.run.run_request import FinishedRun, RunRequest, status_of_run
from zennb.engine.run.step_task import StepTask, new_task
from zennb.engine.run.task_queue import BRIEFLY, TICK, TaskQueue
from zennb.engine.run.unit_of_work import UnitOfWork, WriteBuffer, unstored_in
from zennb.engine.run.unstored import unrecorded
from zennb.engine.step.reusability import refused_copies, refused_parts
from zennb.engine.step.uninterrupted import uninterrupted
from zennb.errors import StoreFull, StoreReadOnly, ZennbError
from zennb.recovery.record_copies import sealed_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["PipelineRun"]


class PipelineRun:
    """One run of a pipeline.

    Args:
        request: what to run.
        run_context: the stack, stores and environment to run it with.
        recorded: whether to record the run and its steps; else the caller does, except for the elements of mapped ones.
        write_buffer: holds back what such a run stores; None for one of its own.
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
        write_buffer: WriteBuffer | None = None,
        on_change: Callable[[Run, Mapping[str, Step]], None] = lambda _run, _steps: None,
        on_output: Callable[[str, Event], None] | None = None,
        pause: float = TICK,
    ) -> None:
        given = write_buffer  # workers cannot see what is held back here, so their runs write through
        write_buffer = given or WriteBuffer(run_context.store, holds_back=request.stays_here(run_context))
        run_context = run_context.with_store(write_buffer) if recorded or given is not None else run_context
        self._request, self._context, self.on_change = request, run_context, on_change
        self._on_output, self._recorded = on_output, recorded
        self._steps: dict[str, Step] = {}
        self._queue = TaskQueue(self._write_if_due)
        self._packages: dict[str, str] = {}
        self._error: BaseException | None = None
        self._run = run_context.new_run("pipeline", parameters=request.parameters)
        self._places = {name: place for place, name in enumerate(request.chosen)}
        previous = {name: step for name, step in (request.previous or {}).items() if name in self._places}
        shared, signer = run_context.shared, run_context.artifacts.signer
        tracking = run_context.services.tracking if recorded and run_context.services is not None else None
        self._unit = UnitOfWork(
            run_context.metadata,
            write_buffer,
            previous=previous,
            rerun=request.rerun,
            copied=lambda new: sealed_copy(new, self._run, signer=signer) if shared is None else None,
            shared=lambda new: shared.publish(new, self._run) if shared is not None else None,
            noted=lambda steps: tracking.note(steps, self._run) if tracking is not None else None,
        )
        self._elements = ElementQueue(request, self._queue, self._unit, self._write)
        self._known = None if request.previous is None else self._unit
        self._awaited = {name: self._number_of_parents(name) for name in request.chosen}
        self._ready = [place for name, place in self._places.items() if not self._awaited[name]]
        self._postponed: dict[str, list[str]] = {}
        self._held = HeldValues()
        self._next_notification, self._pause = 0.0, pause
        self._alerts = RunAlerts(run_context, request, is_recorded=recorded)

    def execute(self) -> FinishedRun:
        """Run the chosen steps and record each; a step's error is returned after all that can run has run.

        Raises:
            KeyboardInterrupt: it was interrupted; what had finished is recorded, the rest is marked.
            UnknownName: an alerter that is to be told is not there; nothing was run.
        """
        self._alerts.begin_run()
        with self._context.metadata.claim() as claim:
            if self._recorded:
                # Without its record the steps still run, and each says that it is not on record.
                with suppress(StoreFull, StoreReadOnly):
                    self._run = self._context.metadata.begin_run(self._run, claim)
                if self._context.folder is not None and self._run.id is not None:
                    record_commit_later(self._context.metadata, self._run.id, self._context.folder)
                self._context = replace(self._context, run=self._run.id)
            self._context.environment.settings.note_again()
            # What this thread does meanwhile is not the doing of the steps that run in others.
            with untraced():
                try:
                    self._loop()
                except BaseException as error:
                    with uninterrupted(deliver=False):
                        self._abandon(error)
                    raise
                return self._finish(status_of_run(self._steps.values()))

    def _number_of_parents(self, name: str) -> int:
        return sum(parent in self._places for parent in self._request.plan.parents(name))

    def _loop(self) -> None:
        while self._ready or self._queue or self._elements:
            # In the kernel steps run in the order of the notebook, so none begins before a mapped one has ended.
            while self._ready and not (self._elements and self._context.orchestrator.in_kernel):
                self._begin(self._request.chosen[heappop(self._ready)])
                if self._context.orchestrator.in_kernel:
                    self._handle_ended()  # the next one may read what this one has changed
                self._notify()
            self._end_elements()
            self._queue.try_again()
            if self._queue:
                self._collect()
        self._notify()  # before the run is recorded as ended: from then on nobody follows it

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
            self._run_step(*self._request.decided[name], started)
            return
        try:
            self._request = with_sources(
                self._request, name, partial(self._held.made, self._request, self._steps)
            )
            resolved = resolve_in_run(self._held.beside(self._request, name), name, self._outputs_of)
            if self._unit.holds(resolved.cache_key, resolved.key_without_maybe_reads):
                self._write()  # an equal step has just run: once written, its result is found like any other
            if any(use.partition(".")[0] == "zennb" for use in resolved.uses.modules):
                self._write()  # so that `zennb.load` finds what the steps before it have made
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
            took, reuse = time.time() - started, decision.reuse
            self._record(self._context.cached_step(resolved, decision, reuse, started=started, seconds=took))
        elif not self._make_again(resolved):
            self._run_step(resolved, decision, started)

    def _make_again(self, resolved: ResolvedStep) -> bool:
        """Postpone a step whose inputs turn out to be damaged until the reused steps that produced them ran again."""
        name = resolved.definition.name
        cached = {each for each, step in self._steps.items() if step.status is Status.CACHED}
        sources, lost = self._request.plan.sources[name], self._context.unreadable(resolved)
        makers = {sources[each] for each in sources.keys() & lost} & cached
        for maker in makers:
            if maker not in self._postponed:
                heappush(self._ready, self._places[maker])
            self._postponed.setdefault(maker, []).append(name)
        self._awaited[name] = len(makers)
        return bool(makers)

    def _skip(self, name: str, reason: str) -> None:
        definition, started = self._request.definitions[name], time.time()
        skipped = self._context.step_record(
            definition, status=Status.SKIPPED, reason=reason, started=started, reusable=False
        )
        self._record(skipped)

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

    def _run_step(self, resolved: ResolvedStep, decision: CacheDecision, started: float) -> None:
        name, on_output = resolved.definition.name, self._on_output
        try:
            refused = refused_copies(resolved) or self._request.refused(resolved)
            if refused is not None:
                raise refused
            context = self._context.placed(resolved.definition)
            self._alerts.begin(resolved.definition)
        except ZennbError as error:
            self._fail_early(resolved.definition, error, started)
            return
        output = None if on_output is None else partial(on_output, name)
        if resolved.definition.options.map:
            try:
                self._elements.begin(resolved, decision, context, output)
            except ZennbError as error:
                self._fail_early(resolved.definition, error, started)
            self._steps |= self._elements.running()
            return
        task = new_task(
            resolved,
            decision,
            context,
            self._request.namespace,
            started=started,
            known=self._known,
            scalars=self._unit.scalars,
        )
        self._steps[name] = context.bare_step(
            resolved, status=Status.RUNNING, reason=decision.reason, started=started
        )
        self._notify()
        task.channels = replace(task.channels, output=output)
        task.request = replace(task.request, process=self._request.process)
        self._queue.launch(task)

    def _end_elements(self) -> None:
        """Begin elements of mapped steps, and record such a step once all of its elements have ended."""
        for fan in self._elements.advance(self._handle_ended):
            step, error, held = fan.finish()
            self._error = self._error or error
            self._held.note(fan.name, held)
            self._record(step)

    def _handle_ended(self) -> None:
        for task, outcome in self._queue.ended():
            self._handle(task, outcome)
        self._notify()

    def _collect(self) -> None:
        """Record the steps that have ended; wait a moment when none has."""
        # One transaction for all short steps that end in that time.
        ended = self._queue.ended() or self._queue.ended(within=BRIEFLY)
        if not ended:
            self._write()  # there is nothing else to do meanwhile
            ended = self._queue.ended(within=TICK)
        if not ended:
            self._notify()
        for task, outcome in ended:
            self._handle(task, outcome)
        self._write_if_due()

    def _handle(self, task: StepTask, outcome: StepOutcome) -> None:
        if task.failed(outcome):
            self._queue.retry(task)
            return
        if outcome.error is None:
            refused = refused_parts(task.resolved, outcome.artifacts, self._request.namespace)
            outcome = replace(outcome, error=refused or self._held.refusal(task.name, outcome.changed))
        if outcome.error is None:
            if task.fan is None:
                # Before the next step begins, which may depend on the settings and files that this one left.
                self._context.environment.adopt(outcome)
                self._held.note(task.name, outcome.held, outcome.shared)
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
            if task.fan is None:
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
                metrics=outcome.metrics,
                attempts=task.attempts,
            )
        if task.fan is None:
            self._record(step)
        else:
            self._elements.ended(task.fan, task.element, step, outcome)

    def _fail_early(self, definition: StepDefinition, error: ZennbError, started: float) -> None:
        self._error = self._error or error
        failed = self._context.step_record(
            definition, status=Status.FAILED, started=started, reusable=False, failure=failure_of(error)
        )
        self._record(failed)

    def _record(self, step: Step) -> None:
        self._error = self._error or changed_too_late(self._request, step, self._steps)
        self._steps[step.name] = step
        if self._request.calls is not None and step.status.is_good:
            note_calls(self._request.calls, step)
        if self._recorded:
            self._unit.note(step)
        self._alerts.end(step)
        self._release(step.name)

    def _write_if_due(self) -> None:
        if self._unit.is_due:
            self._write()

    def _write(self, run: Run | None = None) -> None:
        """Write the records that were held back; of elements also where the step is recorded by the caller."""
        written = self._unit.write(run if self._recorded else None)
        self._steps |= {step.name: step for step in written if step.name in self._places}
        if self._unit.gone:  # with all that this run had written before
            self._steps = unrecorded(self._steps, self._unit.gone)

    def _notify(self) -> None:
        """Report progress from time to time; write first, because only what is recorded may be shown."""
        if time.perf_counter() < self._next_notification:
            return
        self._write()
        self._steps |= self._elements.running()
        self.on_change(self._run, self._steps)
        self._next_notification = time.perf_counter() + self._pause

    def _finish(self, status: Status) -> FinishedRun:
        packages = {**self._packages, **self._elements.packages}
        self._run = ended_run(self._run, status, self._steps.values(), packages)
        self._write(self._run)
        self.on_change(self._run, self._steps)
        self._alerts.end_run(self._run, self._steps)
        return FinishedRun(
            run=self._run,
            steps=dict(self._steps),
            repository=self._context.artifacts,
            error=self._error,
            held=self._held.of_step,
            sharing=self._held.sharing,
            unstored=unstored_in(self._context.store),
        )

    def _abandon(self, error: BaseException) -> None:
        """Stop running steps, mark those that did not finish, and close the run's record."""
        for task, outcome in self._queue.ended():
            # What has ended is not lost: the next run of a mapped step begins with the other elements.
            if task.fan is not None and outcome.error is None:
                self._handle(task, outcome)
        rests = self._queue.stop(error)
        self._elements.fans.clear()
        stopped = is_interrupt(error)
        ended = Status.INTERRUPTED if stopped else Status.FAILED
        for step in [each for each in self._steps.values() if each.status is Status.RUNNING]:
            reason, seconds = rests.get(step.name, step.reason), time.time() - step.started
            self._record(replace(step, status=ended, reason=reason, seconds=seconds, reusable=False))
        for name in self._request.chosen:
            if name not in self._steps:
                self._skip(name, f"the run {'was interrupted' if stopped else 'ended with an error'}")
        self._finish(ended)
