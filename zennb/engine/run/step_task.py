"""Owns `StepTask`: a step of a pipeline run that was submitted or waits for another try."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Attempt
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.step_services import step_checks
from zennb.engine.step.recording import Recording
from zennb.engine.step.request import request_for
from zennb.engine.step.streams import redirected
from zennb.errors import StepRefused, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.engine.run.fan_out import ElementIsolation, FanOut
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.saved_output import Scalars
    from zennb.engine.run.unit_of_work import UnitOfWork
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Channels, StepRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["StepTask", "new_task"]


@dataclass(slots=True, kw_only=True)
class StepTask:
    """A step that was submitted or waits for another try, with its place, and the tries that failed.

    Attributes:
        context: where it runs.
        retries: how often it was submitted again, because it had failed.
        fan: the mapped step of which it is an element; None for a step of its own.
        element: which one.
        isolation: keeps what it sets in this process from other elements; None where that is not needed.
        settings: setting → change that a worker makes before it runs.
    """

    context: RunContext
    resolved: ResolvedStep
    decision: CacheDecision
    inputs: Mapping[str, Artifact]
    started: float
    request: StepRequest
    channels: Channels
    attempts: list[Attempt] = field(default_factory=list)
    retries: int = 0
    begun: float = 0.0
    fan: FanOut | None = None
    element: int = 0
    isolation: ElementIsolation | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The step's name."""
        return self.resolved.definition.name

    def failed(self, outcome: StepOutcome) -> bool:
        """Note a try that failed; return whether there is another one."""
        error = outcome.error
        options = self.resolved.definition.options
        if error is None or is_interrupt(error) or self.retries >= options.retries:
            return False
        if isinstance(error, StepRefused):  # it would be refused again
            return False
        self.retries += 1
        attempt = Attempt(started=self.begun, seconds=outcome.seconds, failure=failure_of(error))
        self.attempts.append(attempt)
        return True

    def restarted(self) -> None:
        """Note a try whose worker has died: its engine has begun another one by itself. Called in any thread."""
        lost = WorkerLost("the worker that ran the step died, and the step began again on another one.")
        now = time.time()
        self.attempts.append(Attempt(started=self.begun, seconds=now - self.begun, failure=failure_of(lost)))
        self.begun = now


def new_task(
    resolved: ResolvedStep,
    decision: CacheDecision,
    context: RunContext,
    namespace: Mapping[str, Any],
    *,
    started: float,
    known: UnitOfWork | None = None,
    scalars: Scalars | None = None,
) -> StepTask:
    """Return a step that is to be submitted, with its inputs stored.

    Args:
        resolved: the step.
        decision: why it runs.
        context: the stack it runs on.
        namespace: the notebook's variables.
        started: when it began, in seconds since the epoch.
        known: what was read ahead for all steps of the run.
        scalars: the scalars that steps of the run have captured.
    """
    with redirected(Recording()):  # what values print while they are stored
        inputs = context.keep_inputs(resolved, known=known, scalars=scalars)
    request, channels = request_for(resolved, context.copies(resolved, inputs), namespace)
    if resolved.definition.options.checks:
        request = replace(request, checks=step_checks(context, resolved.definition))
    return StepTask(
        context=context,
        resolved=resolved,
        decision=decision,
        inputs=inputs,
        started=started,
        request=request,
        channels=channels,
    )
