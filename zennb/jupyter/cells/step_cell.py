"""Owns `StepCell`: one execution of a step cell, from the cache decision to its record and status line."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.components.component import Visibility
from zennb.core.records.records import Attempt, Status, Step
from zennb.digests.digest import contents
from zennb.engine.delivery.alerts import NOT_WATCHED, step_alert
from zennb.engine.environment.execution_environment import RESULT, SHOWN
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.repeated_calls import note_calls
from zennb.engine.run.step_services import step_checks, watch_step
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.engine.run.unstored import with_all_outputs
from zennb.engine.step.cancellation import keep_loop_responsive
from zennb.engine.step.execution import StepExecution
from zennb.engine.step.recording import Recording, keep_output, stored_output
from zennb.engine.step.request import StepRequest, texts_for
from zennb.engine.step.shown_values import MISSING, VALUE
from zennb.engine.step.uninterrupted import interruptible, uninterrupted
from zennb.errors import StepRefused
from zennb.jupyter.cells.engine_run import run_by_engine
from zennb.jupyter.cells.own_traceback import with_own_traceback
from zennb.jupyter.cells.restoring import NotRestoredError, StepRestorer, as_not_restored, restored_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.engine.step.shown_values import Note
    from zennb.jupyter.kernel.live_display import LiveLine
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["StepCell"]


class StepCell:
    """One execution of a step cell.

    Args:
        session: the kernel's session.
        run_context: the stack it runs on.
        definition: the step.
    """

    def __init__(self, session: KernelState, run_context: RunContext, definition: StepDefinition) -> None:
        self._session, self._stack_context, self.definition = session, run_context, definition
        self._use(run_context)
        self._started, self._clock = time.time(), time.perf_counter()
        self._recording = Recording()
        self._attempts: list[Attempt] = []
        self._displays = ""
        self._resolved: ResolvedStep  # both are set by `decide`
        self._decision: CacheDecision
        self._run = session.runs.cell(run_context, started=self._started)
        self._live: LiveLine | None = None
        self._inputs: Mapping[str, Artifact] = {}
        self._execution: StepExecution | None = None
        self._results: list[object] = []

    def _use(self, run_context: RunContext) -> None:
        self._run_context = run_context
        # Inputs, outputs and displays are stored in one go, where no worker has to read them.
        is_here = run_context.orchestrator.visibility is Visibility.PROCESS
        # Of what IPython runs, nobody reads back what could not be stored.
        self._write_buffer = WriteBuffer(run_context.store, keeps=self._is_run_by_engine, holds_back=is_here)
        self._run_context = run_context.with_store(self._write_buffer)
        self._restorer = StepRestorer(self._session, self._run_context, self.definition)

    def decide(self) -> bool:
        """Decide whether to run; return False if the stack was changed and has to be opened again."""
        __tracebackhide__ = True
        self._resolved = self._session.resolve(self.definition)
        history = self._run_context.step_history(self._resolved)
        if history.stack != self._run_context.spec:
            return False
        self._decision = self._run_context.decide(self._resolved, history=history)
        return True

    def begin(self) -> bool:
        """Start the step; return True if the shell is to run the body now, False if all is done."""
        __tracebackhide__ = True
        if self._decision.reuse is not None and self._reused(self._decision.reuse):
            return False
        if self.definition.options.on:
            self._use(self._stack_context.placed(self.definition))
        self._load_pending()
        self._session.shown.check(self.definition.analysis, self.definition.tree)
        background = self._session.background
        # Of what can never be restored the results would not reach the notebook: the step runs here.
        if self.definition.options.background and background is not None and not self._never:
            background.start_step(self._resolved, self._as_running())
            self.is_over = True
            return False
        self._watched = watch_step(self._run_context, self.definition)
        if not self._is_run_by_engine:
            with self._session.capture.discarding():
                inputs, unstored = self._run_context.keep_inputs(self._resolved), self._write_buffer.unstored
            self._inputs = {
                name: each for name, each in inputs.items() if unstored.keys().isdisjoint(each.blobs)
            }
        self._live = self._session.live_line(self._as_running())
        self._run.begin(self._live)
        if self._is_run_by_engine:
            self._run_by_engine()
            return False
        self._start()
        return True

    def _as_running(self) -> Step:
        return self._run_context.bare_step(
            self._resolved, status=Status.RUNNING, reason=self._decision.reason, started=self._started
        )

    def _load_pending(self) -> None:
        """Load the outputs that the body reads and no cell has read yet; the step is resolved again with them."""
        __tracebackhide__ = True
        session = self._session
        with session.lock:
            definition = self.definition
            needed = session.lazy_outputs.needed(definition.source, definition.tree, definition.analysis)
            session.load(needed)
            session.lazy_outputs.let_delete(definition.analysis.deletes)
        if needed:
            self._resolved = session.resolve(self.definition)

    def _start(self) -> None:
        """Prepare for the body, and start to record its output."""
        resolved = self._resolved
        if self._execution is None:
            self._execution = StepExecution(
                StepRequest(
                    definition=self.definition,
                    inputs=self._inputs,
                    reached=resolved.dependencies.digests,
                    names=tuple(resolved.dependencies.definitions),
                    modules=resolved.dependencies.uses,
                    writes=resolved.dependencies.writes,
                    uses=resolved.uses,
                    texts=texts_for(resolved),
                    evaluates=resolved.dependencies.evaluates,
                    words=resolved.dependencies.words,
                    unclear=(*resolved.unclear_in_kernel, *self._never),
                    holders=resolved.holders,
                    alone=resolved.alone,
                    secrets=resolved.secrets,
                    postpones=True,
                    checks=step_checks(self._run_context, self.definition),
                ),
                self._session.namespace,
                inputs={name: (resolved.values[name], seen) for name, seen in resolved.digests.items()},
                resources=self._run_context.resources,
            )
        self._recording = Recording(None if self._live is None else self._live.output)
        with uninterrupted():  # what is started halfway would not be stopped
            self._execution.start(self._session.capture.recording(self._recording), keep_loop_responsive())
        self._clock = time.perf_counter()

    def again(self) -> bool:
        """After an error in the body: whether to run it again (`--retries`), from the same state as at first."""
        error, options = sys.exception(), self.definition.options
        if self._execution is None or error is None or is_interrupt(error):
            return False
        if len(self._attempts) >= options.retries:
            return False
        seconds = time.perf_counter() - self._clock
        self._attempts.append(
            Attempt(started=time.time() - seconds, seconds=seconds, failure=failure_of(error))
        )
        self._undo()
        time.sleep(options.delay)
        return True

    def begin_again(self) -> bool:
        """Return True to run the body once more, after `again` returned True; False once it has completed."""
        if self.is_over:
            return False
        self._start()
        return True

    @property
    def _is_run_by_engine(self) -> bool:
        """Whether the engine runs the body, elsewhere or once per element; else IPython does."""
        return bool(self.definition.options.map) or not self._run_context.orchestrator.in_kernel

    is_over = False
    _metrics: Mapping[str, Any] = MappingProxyType({})
    _watched = NOT_WATCHED
    _ended: Step | None = None
    _failed = ""  # which elements of a mapped step failed
    _never: tuple[str, ...] = ()
    """Why the results of this step cannot be reused, found when it was tried."""

    def showed(self, value: object) -> None:
        """Note a value that the body displayed, IPython's `_`."""
        self._results.append(value)

    def check_definitions(self, *, is_start: bool) -> None:
        """Note or compare what the body has defined so far."""
        if self._execution is not None:
            self._execution.definitions.check(is_start=is_start)

    def finish(self) -> None:
        """After the body: store its outputs, record the step, and show the status line.

        Raises:
            NotStorable: an output declared with `-o` is not there or cannot be stored.
        """
        __tracebackhide__ = True
        resolved, decision, execution = self._resolved, self._decision, self._execution
        assert execution is not None
        # Inline figures are shown when a cell ends, too late to be part of the step's output.
        self._session.frontend.flush_figures()
        execution.stop()  # what its values print while they are stored is not shown
        with (out := self._session.capture).discarding(), out.figures.as_previews(self.definition.tree):
            outcome = execution.finish(self._recording, self._results)
        collected = execution.collected
        execution.before.restore(collected.own)
        step = self._run_context.made_step(
            resolved,
            decision,
            outcome,
            inputs=self._inputs,
            started=self._started,
            attempts=self._attempts,
        )
        # Recorded before the variables count as artifacts: those that are not stored count as plain values.
        made = self._record(step, Status.COMPLETED)
        variables, pending = self._session.variables, self._session.lazy_outputs
        with uninterrupted():
            variables.code_ran()
            self._hold_inputs(made, collected.unchanged - step.outputs.keys())
            note_calls(self._session.calls, made)
            for name, (value, seen) in collected.values.items():
                if name in made.outputs:
                    variables.bind(name, value, made.outputs[name], seen)
            for name, part in collected.parts.items():
                if name in made.outputs:
                    variables.bind(name, part.value, made.outputs[name], part.digest)
            pending.forget(step.outputs)
            self._session.unstored.bound(made, made.outputs)
            pending.mark_used(self.definition.source)
            self._end(with_all_outputs(made, step))

    def close(self) -> None:
        """After the cell, however it ended: its run does not go on."""
        self._run.close()
        self._watched.end(step_alert(self._ended))

    def fail(self, error: BaseException | None) -> None:
        """After an error or interrupt: restore variables and inputs, and record the failure."""
        self.is_over = True
        restored = self._undo()
        if not hasattr(self, "_decision"):  # the error came before there was a decision
            return
        step = self._run_context.failed_step(
            self._resolved,
            replace(self._decision, reason=self._failed or self._decision.reason),
            error,
            started=self._started,
            seconds=time.perf_counter() - self._clock,
            attempts=self._attempts,
        )
        hint = self._session.hint(error, self._resolved.values)
        remarks = "; ".join(part for part in (self._failed, hint, restored_words(restored)) if part)
        context = self._run_context
        displays = self._displays or keep_output(self._recording, context.store, context.environment.secrets)
        metrics = self._metrics if self._execution is None else self._execution.metrics.metrics()
        step = self._record(
            replace(step, inputs=self._inputs, displays=displays, metrics=metrics), step.status
        )
        is_noted = self._failed in getattr(error, "__notes__", ())
        self._session.show_status(replace(step, reason=remarks), said=self._failed if is_noted else "")

    def _record(self, step: Step, status: Status) -> Step:
        self._ended = self._run.end(step, status, self._write_buffer)
        return self._ended

    def _undo(self) -> list[str]:
        """Restore the variables and inputs as before the body; return the inputs that it had changed."""
        changed = [] if self._execution is None else self._execution.undo()
        stored = {name: self._inputs[name] for name in changed if name in self._inputs}
        for name, value in self._run_context.artifacts.load(stored).items():
            self._session.namespace[name] = value
            self._session.variables.bind(name, value, stored[name], self._session.seen(stored[name], value))
        return list(stored)

    def _reused(self, source: Step) -> bool:
        """Reuse the results of `source`; return False, with a new decision, if they cannot be loaded."""
        __tracebackhide__ = True
        undo = self._run_context.environment.undo() if source.carried is not None else None
        try:
            with as_not_restored():
                self._run_context.bring(self._decision)
                act = self._restorer.restoring(source, undo)
            with act:
                self._restore(source)
        except NotRestoredError as error:
            self._decision = replace(self._decision, reuse=None, reason=error.why.first_sentence)
            if isinstance(error.why, StepRefused):  # as it would be the next time: the plan has to say so
                self._never = (error.why.first_sentence,)
            return False
        return True

    def _restore(self, source: Step) -> None:
        """Load, display, record, and then bind the results of `source`.

        Raises:
            NotRestoredError: they cannot be loaded.
            StoreError: they cannot be recorded.
        """
        __tracebackhide__ = True
        with interruptible():
            with as_not_restored():
                displays = stored_output(source.displays, self._run_context.store)
                changes = self._run_context.artifacts.load_changes(source.carried)
                restored = self._restorer.fetch(source, changes, self._resolved.uses)
            step = self._run_context.cached_step(
                self._resolved,
                self._decision,
                source,
                started=self._started,
                seconds=time.perf_counter() - self._clock,
            )
            self._session.frontend.replay(displays)
            step = self._record(step, Status.CACHED)
        self._bind(step, restored)
        shows = any(event["kind"] == "result" for event in displays)
        self._remember(changes, [(MISSING, "was made before such values were stored")] if shows else [])

    def _remember(self, changes: Mapping[str, Any], otherwise: Sequence[Note] = ()) -> None:
        """Let `_` and `Out` hold what the step showed."""
        notes = [(VALUE, changes[RESULT])] if RESULT in changes else changes.get(SHOWN, otherwise)
        if sys.displayhook is self._session.shell.displayhook:  # `%%capture` keeps what it shows to itself
            self._session.shown.remember(notes, self.definition.name, self._run_context.artifacts)

    def _bind(
        self,
        step: Step,
        restored: Mapping[str, tuple[Any, ValueDigest]],
        held: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._hold_inputs(step, self._resolved.values.keys() - step.outputs.keys())
        self._restorer.bind(step, restored, self._resolved.dependencies.definitions)
        note_calls(self._session.calls, step)
        self._session.namespace.update(held)
        self._end(step)

    def _run_by_engine(self) -> None:
        """Run the step where the stack's orchestrator runs steps, and bind its outputs."""
        __tracebackhide__ = True
        name, context, buffer = self.definition.name, self._run_context, None
        undo = context.environment.undo()
        if self.definition.options.map:
            # The elements are recorded one by one, as they end: in the run of this cell, which has to exist.
            context, buffer = replace(context, run=self._run.begin_now(self._live)), self._write_buffer
        finished = run_by_engine(
            self._session, context, self._resolved, self._decision, live=self._live, write_buffer=buffer
        )
        done = finished.steps[name]
        self._attempts, self._displays, self._inputs = list(done.attempts), done.displays, done.inputs
        self._metrics = done.metrics
        if finished.error is not None:
            self._clock = time.perf_counter() - done.seconds
            self._failed = done.reason if self.definition.options.map else ""
            raise with_own_traceback(finished.error, self._session.shell, [self.definition.filename])
        step = with_all_outputs(self._record(done, Status.COMPLETED), done)
        self._session.variables.code_ran()
        with self._restorer.restoring(step, undo):
            with interruptible():
                restored = self._restorer.fetch(step) | contents(finished.shared_outputs(step))
            self._bind(step, restored, held=finished.held.get(name, {}))
        self._remember(self._run_context.artifacts.load_changes(done.carried))

    def _hold_inputs(self, step: Step, unchanged: Collection[str]) -> None:
        """Note which artifacts the captured variables are, unless the step changed them."""
        for name, artifact in step.inputs.items():
            if name in unchanged and name not in step.outputs:
                self._session.variables.bind(
                    name, self._resolved.values[name], artifact, self._resolved.digests[name]
                )

    def _end(self, step: Step) -> None:
        self.is_over = True
        self._session.show_status(step, slot=self._live.slot if self._live is not None else "")
        self._session.warn_of_space(self._run_context.store)
