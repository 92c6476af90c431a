"""Owns `submit_step`: a step is sent to where the orchestrator of its stack runs steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.engine.step.perform import perform

if TYPE_CHECKING:
    from concurrent.futures import Future

    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Channels, StepRequest

__all__ = ["submit_step"]


def submit_step(run_context: RunContext, request: StepRequest, channels: Channels) -> Future[StepOutcome]:
    """Submit a step to the orchestrator; the future returns its outcome.

    Raises:
        StepRefused: the step would run in another process, and something it needs cannot be sent there.
    """
    if run_context.orchestrator.visibility is Visibility.PROCESS:
        return run_context.orchestrator.submit(
            perform, request, replace(channels, resources=run_context.resources)
        )
    from zennb.engine.remote.dispatch import submit_remotely  # a kernel needs it only to send steps elsewhere

    return submit_remotely(run_context, request, channels)
