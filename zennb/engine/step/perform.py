"""Owns `perform`, which executes one step, from its request to its outcome, in this process or in a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.engine.step.body import run_body
from zennb.engine.step.request import Channels

if TYPE_CHECKING:
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Link, StepRequest

__all__ = ["perform"]


def perform(request: StepRequest, channels: Link | None = None) -> StepOutcome:
    """Run one step in a namespace of its own and store its outputs; errors of its code are returned, not raised.

    Args:
        request: the step.
        channels: connects it with the caller; None for no connection.

    Raises:
        KeyboardInterrupt: the step was interrupted; nothing was stored.
    """
    with (channels or Channels()).open() as opened:
        if opened.resources is not None:
            return run_body(request, opened, opened.resources)
        from zennb.engine.remote.worker import (
            perform_remotely,  # a kernel needs it only to send steps elsewhere
        )

        return perform_remotely(request, opened)
