"""Owns which step the code of this thread belongs to: what it logs, and that it does not run its own pipeline."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.engine.step.metric_log import MetricLog

__all__ = ["metric_log", "refuse_inside_step", "running"]

_here = threading.local()
_logs: list[MetricLog] = []
"""Of all the steps that run in this process."""


@contextmanager
def running(step: str, log: MetricLog) -> Iterator[None]:
    """Note that this thread runs the body of a step.

    Args:
        step: its name.
        log: takes the metrics that it logs.
    """
    before = getattr(_here, "step", ""), getattr(_here, "log", None)
    _here.step, _here.log = step, log
    _logs.append(log)
    try:
        yield
    finally:
        _here.step, _here.log = before
        _logs.remove(log)


def metric_log() -> MetricLog | None:
    """Return the log of the step that this thread runs; in a thread of no step, that of the only step that runs."""
    log: MetricLog | None = getattr(_here, "log", None)
    if log is not None:
        return log
    logs = list(_logs)
    return logs[0] if len(logs) == 1 else None


def refuse_inside_step() -> None:
    """Refuse to run the pipeline if this thread runs a step.

    Raises:
        StepRefused: it does. The step would run itself, and so on without end.
    """
    step = getattr(_here, "step", "")
    if step:
        raise StepRefused(
            f"step '{step}' is running here already, and cannot run the pipeline that it belongs to. "
            "Run the pipeline in a cell of its own."
        )
