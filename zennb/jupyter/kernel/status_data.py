"""Owns the data in displays for tools that read a notebook, beside the text and the HTML.

The facts of a step are in the metadata of its output and, with the schema, in a representation of their own. No
frontend renders its type, so none prefers it to the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.commands.json_envelope import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.core.records.records import Run, Step

__all__ = ["DATA_TYPE", "facts", "run_content", "step_content"]

DATA_TYPE = "application/vnd.zennb+json"
"""The type of the representation."""


def facts(step: Step) -> dict[str, Any]:
    """Return the facts of a step for the metadata of its output; `unrecorded` and `ran_on` only if they are set.

    Of a reused step, `run` and `made` are those of the run that made its results, and `saved` what that took.
    """
    more = {"unrecorded": step.unrecorded} if step.unrecorded else {}
    more |= {"ran_on": step.ran_on} if step.ran_on else {}
    timed: dict[str, Any] = {"run": step.run, "seconds": round(step.seconds, 6)}
    if step.original is not None:  # what does not change from one reuse to the next
        made = step.original
        timed = {"run": made.run, "saved": round(made.seconds, 6), "made": round(made.started, 3)}
    return {
        "step": step.name,
        "status": step.status.value,
        "reason": step.reason,
        "outputs": list(step.outputs),
        **timed,
        **more,
    }


def step_content(step: Step) -> dict[str, Any]:
    """Return the data of a status line."""
    return {"schema": SCHEMA, **facts(step)}


def run_content(run: Run, steps: Iterable[Step]) -> dict[str, Any]:
    """Return the data of a table of steps whose run has ended."""
    return {
        "schema": SCHEMA,
        "run": run.id,
        "status": run.status.value,
        "seconds": round(run.seconds, 6),
        "steps": [facts(step) for step in steps],
    }
