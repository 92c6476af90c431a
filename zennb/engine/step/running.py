"""Owns which step the code of this thread belongs to: no step may run the pipeline that waits for it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuse_inside_step", "running"]

_here = threading.local()


@contextmanager
def running(step: str) -> Iterator[None]:
    """Note that this thread runs the body of a step."""
    before = getattr(_here, "step", "")
    _here.step = step
    try:
        yield
    finally:
        _here.step = before


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
