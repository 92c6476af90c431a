"""Owns `StatusLines`: the line below each step cell, and what becomes of it when a pipeline runs the step again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from zennb.core.records.records import Status
from zennb.jupyter.kernel.status_data import DATA_TYPE, facts, step_content
from zennb.materializers.registry import LEFT_OUT
from zennb.views.step import started_line, status_line
from zennb.views.text import listing
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.records.records import Run, Step
    from zennb.jupyter.cells.output_capture import OutputCapture
    from zennb.jupyter.kernel.secret_notes import SecretNotes

__all__ = ["StatusLines"]

_ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CACHED})


class StatusLines:
    """The status lines that this kernel has shown.

    Attributes:
        hides: says which lines are left out below the cell that runs now; None for no line.

    Args:
        capture: publishes them.
        secret_notes: says where secrets still stand in the notebook.
        updates: whether the frontend can update a display.
    """

    def __init__(self, capture: OutputCapture, secret_notes: SecretNotes, *, updates: bool) -> None:
        self._capture, self._secret_notes, self._updates = capture, secret_notes, updates
        self._shown: dict[str, tuple[str, Step]] = {}
        self.hides: Callable[[Step], bool] | None = None

    def show(self, step: Step, *, said: str = "", slot: str = "") -> None:
        """Show a step's status line, with data for tools that read the saved notebook.

        Args:
            step: its record.
            said: the beginning of its reason, if the error above the line says it already.
            slot: id of a display at the foot of the cell, which the line takes the place of.
        """
        shown = step.reason.removeprefix(said).removeprefix("; ")
        # The error stands above the line, with its traceback.
        line = started_line if step.status is Status.RUNNING else status_line
        view: View = line(replace(step, reason=shown, failure=None))
        notes = [*filter(None, [self._secret_notes.of(step), *_left_out(step)])]
        if self.hides is not None and not notes and not slot and self.hides(step):
            return
        for text in notes:
            view = join([view, note(text)], gap=0)
        place = slot or uuid4().hex
        self._shown[step.name] = place, step
        self._publish(place, step, view, update=bool(slot))

    def refresh(self, steps: Iterable[Step]) -> str:
        """Update the lines of steps that a pipeline has run again; return a sentence on the cells it cannot update."""
        others = []
        for step in steps:
            known = self._shown.get(step.name)
            if step.status not in _ENDED or (known is None and step.status is Status.CACHED):
                continue
            if known is None or not self._updates:
                others += [step.name] if step.displays else []
                continue
            slot, before = known
            is_same = step.displays == before.displays
            if step.status is Status.CACHED and is_same:
                continue  # what is above is what a run of the cell would show
            is_told = before.status is Status.FAILED  # by the traceback above
            view: View = status_line(replace(step, failure=None) if is_told else step)
            if not is_same:
                above = f"run {before.run}" if before.run is not None else "an earlier run"
                remark = f"above is the output of {above}"
                # What is not on record cannot be shown: the cell would run the step again.
                remark += f"; run the cell to see that of run {step.run}" if step.run else ", not of this run"
                view = join([view, note(remark)], gap=0)
            self._publish(slot, step, view, update=True)
        if not others:
            return ""
        verb, what = ("shows", "its cell") if len(others) == 1 else ("show", "their cells")
        return f"{listing(others, most=5)} ran again: {what} above still {verb} an earlier run."

    def settle(self, run: Run, steps: Iterable[Step], output: Callable[[Step], View | None]) -> None:
        """Update the lines of steps that a background run has executed.

        Args:
            run: the run, which has ended.
            steps: the records of its steps.
            output: returns what a step has shown, which stands in no cell yet; None for nothing.
        """
        made = {step.name: step for step in steps}
        for name, (slot, before) in self._shown.items():
            if before.status is not Status.RUNNING or before.run != run.id or not self._updates:
                continue
            # Killed, a run may leave no record of its step.
            step = made.pop(name, None) or replace(before, status=run.status, reason="")
            shown = output(step)
            line: View = status_line(step if shown is None else replace(step, failure=None))
            self._shown[name] = slot, step
            self._publish(slot, step, line if shown is None else join([shown, line], gap=0), update=True)
        self.refresh(made.values())

    def _publish(self, slot: str, step: Step, view: View, *, update: bool) -> None:
        self._capture.publish(
            {**view._repr_mimebundle_(), DATA_TYPE: step_content(step)},
            {"zennb": facts(step)},
            transient={"display_id": slot} if self._updates else {},
            update=update,
        )


def _left_out(step: Step) -> list[str]:
    """Return a sentence for each output that comes back without some of its attributes."""
    found = {name: each.summary.get(LEFT_OUT, ()) for name, each in step.outputs.items()}
    return [
        f"`{name}` is stored without {', '.join(f'`{attribute}`' for attribute in lost)}, as its class decides."
        for name, lost in found.items()
        if lost
    ]
