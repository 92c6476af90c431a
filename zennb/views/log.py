"""Owns the view of a run's log: the recorded output of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.attempts import attempts
from zennb.views.captured import captured
from zennb.views.markup import block, box
from zennb.views.step import status_line
from zennb.views.text import clean_block
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from zennb.core.records.log import RunLog, StepLog
    from zennb.views.view import Shown

__all__ = ["MOST", "log", "output_in_line"]

MOST = 200_000
"""Characters of output shown per step, since a notebook saves them."""


def log(log: RunLog, *, most: int = MOST) -> View:
    """Show the recorded output of a run's steps, in order; HTML in it is not rendered.

    Args:
        log: the log.
        most: characters of text to show of each step.
    """
    if not log.steps:
        return note(f"run {log.run.id} has no steps")
    shown: set[str] = set()
    parts: list[Shown] = []
    for each in log.steps:
        parts.append(status_line(each.step))
        known = each.step.displays in shown
        parts += [note("the same output as above")] if known else _output(each, most)
        shown |= {each.step.displays} - {""}
    return join(parts, gap=0)


def output_in_line(log: StepLog) -> View | None:
    """Show the output of a step that ran elsewhere, above its status line; None if there is none."""
    if not (log.missing or log.events or log.step.failure):
        return None
    parts = _output(log, MOST)
    if any("text/html" in (event.get("data") or {}) for event in log.events):
        parts.append(note("HTML is shown as text here; run the cell to see it"))
    return join(parts, gap=0)


def _output(log: StepLog, most: int) -> list[Shown]:
    step = log.step
    parts: list[Shown] = []
    if step.attempts:
        parts.append(attempts([step]))
    if log.missing:
        parts.append(note(log.missing))
    elif log.events or step.failure is None:
        parts.append(captured(log.events, most=most))
    if step.failure is not None:
        error = clean_block(step.failure.traceback or f"{step.failure.type}: {step.failure.message}").rstrip()
        parts.append(View(error, box(block(error))))
    return parts
