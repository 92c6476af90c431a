"""Owns the pipeline of a notebook file: its steps and edges, read from its source, and the plan of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.step_cells import OURS, step_cells
from zennb.compat.python import deep_recursion
from zennb.core.planning.plan import plan
from zennb.errors import BrokenNotebook
from zennb.headless.file_plan import FileCell, FilePlan
from zennb.headless.notebook_label import label
from zennb.headless.read import read
from zennb.provenance.cell_statements import read_cell

if TYPE_CHECKING:
    from zennb.commands.step_cells import FileStep
    from zennb.core.planning.plan import Plan
    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.records.records import Step
    from zennb.registry.workspace import Workspace

__all__ = ["NotebookFile"]


class NotebookFile:
    """The pipeline of a notebook file.

    Args:
        path: the notebook.

    Raises:
        UnknownName: there is no such notebook.
        BrokenNotebook: the file is no Python notebook.
        UsageError: a step cell cannot be read.
        PlanError: the steps do not form a pipeline.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        cells = read(self.path)
        sources = [cell.source for cell in cells if cell.type == "code" and cell.source.strip()]
        with deep_recursion():
            found = step_cells(cells)
            self.plan: Plan = plan([cell.outline for cell in found])
            steps = {cell.number: cell for cell in found}
            self.cells = tuple(_cell(n, source, steps.get(n)) for n, source in enumerate(sources, start=1))

    def records(self, workspace: Workspace) -> dict[str, Step]:
        """Return step name → its latest record, for the steps that have one."""
        sources = {cell.definition.name: cell.source for cell in self.cells if cell.definition is not None}
        found = workspace.metadata.latest_steps(label(self.path, workspace.home), sources=sources)
        return {step.name: step for step in found}

    def state(self, workspace: Workspace) -> RunPlan:
        """Return what `zennb run` would do with each step, without executing anything.

        Raises:
            BrokenNotebook: its code is nested too deeply.
        """
        found = FilePlan(
            cells=self.cells,
            plan=self.plan,
            workspace=workspace,
            path=self.path,
            ours=OURS,
            previous=self.records(workspace),
        )
        try:
            with deep_recursion():
                return found.work_out()
        except RecursionError:
            raise BrokenNotebook(
                f"{self.path.name} cannot be analysed: its code is nested too deeply. Split its longest expressions "
                "into several statements."
            ) from None


def _cell(number: int, source: str, step: FileStep | None) -> FileCell:
    if step is None:
        return FileCell(number=number, source=source, statements=read_cell(source))
    return FileCell(number=number, source=source, definition=step.definition, binds=step.outline.binds)
