"""Owns lines about a notebook that runs in a kernel of its own: a step as a record to show, and a cell that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.records import Artifact, Status
from zennb.core.records.records import Step as StepRecord
from zennb.views.text import clean

if TYPE_CHECKING:
    from zennb.headless.execute import CellFailure
    from zennb.headless.step_line import StepLine

__all__ = ["failed_cell", "step_record"]


def step_record(line: StepLine) -> StepRecord:
    """Return a status line as a record that views can show; its artifacts are names only."""
    outputs = {
        name: Artifact(name=name, digest="", blob="", materializer="", size=0, type="")
        for name in line.outputs
    }
    return StepRecord(
        name=line.step,
        status=line.status,
        reason=line.reason,
        seconds=line.seconds,
        outputs=outputs,
        run=line.run,
        unrecorded=line.unrecorded,
        original=None
        if line.made is None
        else StepRecord(
            name=line.step,
            run=line.run,
            status=Status.COMPLETED,
            started=line.made,
            seconds=line.saved or 0.0,
        ),
    )


def failed_cell(failure: CellFailure) -> str:
    """Return which cell failed, and how."""
    where = f"cell [{failure.number}]{f' (step `{clean(failure.step)}`)' if failure.step else ''}"
    message = clean(failure.message.strip().partition("\n")[0])
    return f"{where} failed: {clean(failure.type)}{f': {message}' if message else ''}"
