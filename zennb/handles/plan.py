"""Owns `PlanHandle`: what a run would do with each step, and the data that flows between steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.planning.run_plan import PlannedStep, RunPlan
from zennb.handles.handle import Handle
from zennb.handles.listing import Listing
from zennb.views.pipeline import pipeline
from zennb.views.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.views.view import Shown

__all__ = ["PlanHandle", "PlannedStepHandle"]

COLUMNS = (
    Column.of("name", "step", most=28),
    Column.of("names", "state", tight=True),
    Column.of("prose", "reason"),
    Column.of("names", "reads", most=24),
    Column.of("names", "binds", most=24),
    Column.of("names", "on", minor=True),
    Column.of("prose", "remark", minor=True),
)


class PlannedStepHandle(Handle[PlannedStep]):
    """One step of a plan: `name`, `state`, `reason`, `reads`, `binds`, `on`, `remark`, `is_fresh`."""

    def _view(self) -> Shown:
        return _table([self])


class PlanHandle(Handle[RunPlan]):
    """The plan of a run: `steps`, `edges`, and whether every step is fresh.

    Args:
        record: the plan.
        title: the notebook's name.
    """

    def __init__(self, record: RunPlan, *, title: str) -> None:
        super().__init__(record)
        self._title = title

    @property
    def steps(self) -> Listing[PlannedStepHandle]:
        """The steps in execution order; `plan.steps[0].state`, `plan.steps.to_frame()`."""
        return Listing([PlannedStepHandle(each) for each in self.record.steps], show=_table)

    @property
    def is_fresh(self) -> bool:
        """Whether a run would reuse every step."""
        return all(step.is_fresh for step in self.record.steps)

    def step(self, name: str) -> PlannedStepHandle | None:
        """Return one step; None when there is none of that name."""
        found = self.record.step(name)
        return None if found is None else PlannedStepHandle(found)

    def _view(self) -> Shown:
        return pipeline(self.record, title=self._title)


def _table(steps: Sequence[PlannedStepHandle]) -> Table:
    rows = [_row(handle.record) for handle in steps]
    return Table(columns=COLUMNS, data=rows, empty="no steps: put %%step on top of a cell")


def _row(step: PlannedStep) -> dict[str, Any]:
    return {
        "step": step.name,
        "state": step.state.value,
        "reason": step.reason,
        "reads": list(step.reads),
        "binds": list(step.binds),
        "on": step.on,
        "remark": step.remark,
    }
