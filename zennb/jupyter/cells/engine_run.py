"""Owns `run_by_engine`: a cell's step as a run of its own, whose output appears under the cell."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from zennb.core.planning.plan import Outline, plan
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.run.run_request import FinishedRun, RunRequest
from zennb.engine.step.cancellation import interrupted, interrupts_raise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Run, Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.jupyter.kernel.live_display import LiveLine
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["run_by_engine"]


def run_by_engine(
    session: KernelState,
    run_context: RunContext,
    resolved: ResolvedStep,
    decision: CacheDecision,
    *,
    live: LiveLine | None,
    write_buffer: WriteBuffer | None = None,
) -> FinishedRun:
    """Run a step on the orchestrator of a stack, with its output as it comes.

    Args:
        session: the kernel's session.
        run_context: the stack.
        resolved: the step.
        decision: why it runs.
        live: where its progress is shown.
        write_buffer: holds back what the elements of a mapped step store; None for a step that is not mapped.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    __tracebackhide__ = True
    name = resolved.definition.name
    shown: SimpleQueue[Event] = SimpleQueue()

    def emit() -> None:
        """Display the new output: only output of this thread appears under this cell."""
        try:
            while True:
                event = shown.get_nowait()
                if live is not None:
                    live.output(event)
                session.frontend.emit(event)
        except Empty:
            return

    def on_change(_run: Run, steps: Mapping[str, Step]) -> None:
        emit()
        if live is not None and name in steps:
            live.update(steps[name])

    request = RunRequest(
        definitions={name: resolved.definition},
        plan=plan([Outline(name=name)]),
        chosen=(name,),
        namespace=session.namespace,
        value_digest=session.variables.digest,
        partners=lambda digests, holders: session.variables.partners_unless_alone(
            digests, session.namespace, holders
        ),
        patches=session.patches,
        # A copy: what the step calls is noted when its results are bound.
        calls=session.calls.copy(),
        decided={name: (resolved, decision)},
    )
    run = PipelineRun(
        request,
        run_context=run_context,
        recorded=False,
        write_buffer=write_buffer,
        on_change=on_change,
        on_output=lambda _step, event: shown.put(event),
    )
    try:
        with interrupts_raise():
            finished = run.execute()
    except KeyboardInterrupt as interrupt:
        raise interrupted(getattr(interrupt, "__notes__", ())) from None
    emit()
    return finished
