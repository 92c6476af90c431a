"""Owns what the traceback of a failing step shows: it begins with the user's own line, wherever the step ran."""

from __future__ import annotations

import re
from contextlib import suppress
from traceback import format_exception
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.jupyter.cells.step_marker import hide_first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["group_lines", "with_own_traceback", "without_hidden_lines"]

E = TypeVar("E", bound=BaseException)

_OWN = "_zennb_own_traceback"
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


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
        setattr(error, _OWN, trace)
    return error


def group_lines(error: BaseException | None) -> list[str]:
    """Return what the traceback of a step shows where there is a group of errors in it; nothing for any other error.

    IPython does not ask such errors for their lines: it prints them as Python does, with all frames.
    """
    own, each, seen = getattr(error, _OWN, None), error, set[int]()
    while each is not None and not isinstance(each, BaseExceptionGroup) and id(each) not in seen:
        seen.add(id(each))  # an error may be set as its own context
        each = each.__context__
    if error is None or not isinstance(each, BaseExceptionGroup) or own is None:
        return []
    return "".join(format_exception(error.with_traceback(own))).rstrip("\n").split("\n")


def _lines(error: BaseException, trace: TracebackType, shell: Any) -> list[str]:
    found: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace, tb_offset=0)
    return found


def without_hidden_lines(frame: str) -> str:
    """Return a frame of a traceback as IPython shows it, without the empty lines that its cell begins with.

    They are what `hide_first_line` leaves. IPython leaves out empty lines itself, but not in a kernel: the files of its
    cells cannot be opened there, and such frames are formatted more simply.
    """
    header, *shown = frame.split("\n")
    if not _COLOUR.sub("", header).lstrip().startswith("Cell In["):
        return frame
    hidden = 0
    while hidden < len(shown) and _COLOUR.sub("", shown[hidden]).strip() == str(hidden + 1):
        hidden += 1
    return "\n".join([header, *shown[hidden:]])
