"""Owns `StepTask`: a step of a pipeline run that was submitted or waits for another try."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.records.records import Attempt
from zennb.engine.run.failures import failure_of, is_interrupt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Channels, StepRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["StepTask"]


@dataclass(slots=True, kw_only=True)
class StepTask:
    """A step that was submitted or waits for another try, with its place, and the tries that failed."""

    context: RunContext
    resolved: ResolvedStep
    decision: CacheDecision
    inputs: Mapping[str, Artifact]
    started: float
    request: StepRequest
    channels: Channels
    attempts: list[Attempt] = field(default_factory=list)
    begun: float = 0.0

    @property
    def name(self) -> str:
        """The step's name."""
        return self.resolved.definition.name

    def failed(self, outcome: StepOutcome) -> bool:
        """Note a try that failed; return whether there is another one."""
        error = outcome.error
        options = self.resolved.definition.options
        if error is None or is_interrupt(error) or len(self.attempts) >= options.retries:
            return False
        attempt = Attempt(started=self.begun, seconds=outcome.seconds, failure=failure_of(error))
        self.attempts.append(attempt)
        return True
