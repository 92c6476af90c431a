"""Owns the views of background runs: that one has started, how one has ended, and the status lines of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Artifact, Failure, Run, Status, Step
from zennb.views.mark import mark, symbol_html
from zennb.views.markup import block, box, muted, prose
from zennb.views.step import is_without_room, status_line
from zennb.views.text import clean, clean_block, duration, listing, when
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ended", "lost", "started", "step_line", "step_started"]


def started(run: Run, steps: Sequence[str]) -> View:
    """Say that a run has started, and how to see its output and to stop it.

    A saved notebook keeps the line when the run has long ended, so it says when it began, and not that it runs.
    """
    what = f" ({listing(steps, most=6)})" if steps else ""
    return _line(run.status, f"run {run.id} began {_since(run)}{what}; {_ways(run)}")


def step_started(run: Run, step: Step) -> str:
    """Return the reason in the status line of a step that has started in the background; true for ever, as above."""
    why = f"{clean(step.reason)}; " if step.reason else ""
    return f"{why}{_since(run)}: {_ways(run)}"


def _since(run: Run) -> str:
    return f"in the background at {when(run.started)}" if run.started else "in the background"


def _ways(run: Run) -> str:
    return f"`%runs attach {run.id}` shows its output and how it ends, `%runs stop {run.id}` ends it"


def ended(run: Run, names: Sequence[str] = (), *, remarks: Sequence[str] = ()) -> View:
    """Say that a background run has ended, what it bound, and what else there is to know.

    Args:
        run: its record.
        names: the variables that were bound.
        remarks: sentences without a full stop.
    """
    bound = f" → {listing(names, most=6)}" if names else ""
    failed = [name for name, state in run.names.items() if state == Status.FAILED.value]
    details, took = list(remarks), f" in {duration(run.seconds)}" if run.seconds else ""
    if failed:
        which = f"step{'s' if failed[1:] else ''} {listing([repr(clean(each)) for each in failed], most=4)}"
        details.insert(0, f"{which} failed: `%runs attach {run.id}` shows why")
    text = f"run {run.id} {mark(run.status).word} in the background{took}{bound}"
    return _line(run.status, text, details)


def lost(step: Step) -> list[str]:
    """Say of a step that what it made found no room in the artifact store; nothing where all of it is there."""
    if not is_without_room(step):
        return []
    why = clean(step.unusable_because).removeprefix("not stored: ")
    what = f"not all that step '{clean(step.name)}' made is stored ({why})"
    return [f"{what}, and the rest went with the process that ran it; make room, then run its cell"]


def step_line(entry: Mapping[str, Any]) -> View:
    """Return the status line of a step, from what a background run has written of it."""
    failure = entry["failure"]
    step = Step(
        name=entry["step"],
        status=Status(entry["status"]),
        reason=entry["reason"],
        seconds=entry["seconds"],
        outputs={
            name: Artifact(name=name, digest="", blob="", materializer="", size=0, type="")
            for name in entry["outputs"]
        },
        failure=Failure(type=failure[0], message=failure[1]) if failure else None,
    )
    line = status_line(step)
    if not failure or not failure[2]:
        return line
    error = clean_block(failure[2]).rstrip()
    return join([line, View(error, box(block(error)))], gap=0)


def _line(state: Status, text: str, remarks: Sequence[str] = ()) -> View:
    style = mark(state)
    lines = [clean(each) for each in remarks]
    plain = "\n".join([f"{style.symbol} {text}", *(f"  {each}" for each in lines)])
    below = "".join(f"<div>{muted(prose(each))}</div>" for each in lines)
    return View(plain, box(f"<div>{symbol_html(style)} {prose(text)}</div>{below}"))
