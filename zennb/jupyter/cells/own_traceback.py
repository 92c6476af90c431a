"""Owns `with_own_traceback`: the error of a step that ran elsewhere is shown from the user's own line on."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.jupyter.cells.step_marker import hide_first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["with_own_traceback"]

E = TypeVar("E", bound=BaseException)


def with_own_traceback(error: E, shell: Any, files: Sequence[str]) -> E:
    """Return the error of a step, which the shell shows without the line that asked for the step.

    The frame of the running cell is added to the traceback when the error is raised there, so the lines are made now.

    Args:
        error: what the step raised.
        shell: the shell that shows it.
        files: the files of the steps' cells, as tracebacks call them.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in files:
        trace = trace.tb_next
    if trace is None or hasattr(error, "_render_traceback_"):  # of our own classes, which show one sentence
        return error
    hide_first_line(trace.tb_frame.f_code.co_filename)
    with suppress(Exception):  # the shell then shows it as it would any error
        lines = _lines(error, trace, shell)
        error._render_traceback_ = lambda *_: lines  # type: ignore[attr-defined]  # IPython asks for it
    return error


def _lines(error: BaseException, trace: TracebackType, shell: Any) -> list[str]:
    found: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    return found
