"""Owns the pipeline of a notebook file: its steps and edges, worked out by reading it, and where each stands."""

from __future__ import annotations

import ast
import shlex
import time
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS
from zennb.commands.face import ROOT, Face
from zennb.commands.parser import parse
from zennb.commands.step import STEP, options
from zennb.core.expiry import expired
from zennb.core.heading import Heading, body, heading, stays_plain, switch
from zennb.core.magics import parse_python
from zennb.core.ordering import file_edges, flows
from zennb.core.plan import Outline, plan
from zennb.core.run_plan import Freshness, PlannedStep, RunPlan
from zennb.engine.cache_options import is_ignored, read_although_unstored
from zennb.engine.definition import define
from zennb.errors import UsageError
from zennb.headless.label import label
from zennb.headless.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zennb.core.plan import Plan
    from zennb.core.records import Step
    from zennb.engine.definition import Options
    from zennb.stacks.workspace import Workspace

__all__ = ["NotebookFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepCell:
    """One step cell of a file."""

    outline: Outline
    source: str
    options: Options


class NotebookFile:
    """The pipeline that a notebook file holds.

    What it says of a step's state compares the code with the records; only the kernel that holds the values
    knows about inputs and helpers, so a state is a good guess, not a verdict.

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
        found = _told_apart(
            list(_step_cells([cell.source for cell in read(self.path) if cell.type == "code"]))
        )
        self.plan: Plan = plan([cell.outline for cell in found])
        self._cells = {cell.outline.name: cell for cell in found}
        self._sources: dict[str, Step] = {}

    def records(self, workspace: Workspace) -> dict[str, Step]:
        """Return the latest record of each of its steps that has one."""
        sources = {name: cell.source for name, cell in self._cells.items()}
        latest = workspace.metadata.latest_steps(label(self.path, workspace.home), sources=sources)
        found = {step.name: step for step in latest}
        self._sources = {
            step.name: workspace.metadata.step(step.reused) or step
            for step in latest
            if step.reused is not None and (step.expires is not None or self._expires(step.name) is not None)
        }
        return found

    def _expires(self, name: str) -> float | None:
        return self._cells[name].options.expires if name in self._cells else None

    def state(self, records: Mapping[str, Step]) -> RunPlan:
        """Return the pipeline and where each step stands by its latest record."""
        stale: set[str] = set()
        nodes = []
        for name in self.plan.order:
            cell, last = self._cells[name], records.get(name)
            reason = self._reason(name, last, stale, records)
            fresh = last is not None and last.status.is_good and reason == ""
            stale |= set() if fresh else {name}
            nodes.append(
                PlannedStep(
                    name=name,
                    status="" if last is None else last.status.value,
                    reason=reason or "its code is as it was run",
                    state=Freshness.FRESH if fresh else Freshness.STALE,
                    reads=tuple(sorted(cell.outline.reads)),
                    binds=tuple(sorted(cell.outline.binds)),
                )
            )
        after = {name: cell.outline.after for name, cell in self._cells.items()}
        edges = flows(self.plan, after=after, files=file_edges(self.plan.order, records))
        return RunPlan(steps=tuple(nodes), edges=edges)

    def _reason(self, name: str, last: Step | None, stale: set[str], records: Mapping[str, Step]) -> str:
        if last is None:
            return "first run"
        if not last.status.is_good:
            return f"the run before was {last.status.value}"
        if body(last.source).strip() != body(self._cells[name].source).strip():
            return "its own code changed"
        gone = expired(self._sources.get(name, last), within=self._expires(name), now=time.time())
        if gone:
            return gone
        readers = read_although_unstored(name, self._cells[name].options.no_store, records.values())
        if readers:
            return f"runs every time: {readers[0]}"
        before = [
            parent
            for parent in self.plan.parents(name)
            if parent in stale and not is_ignored(self.plan.edges[parent, name], self._cells[name].options)
        ]
        return f"step `{before[0]}` before it is not up to date" if before else ""


def _step_cells(sources: Sequence[str]) -> Iterator[_StepCell]:
    """Yield the steps among code cells, by what each says and by `%zennb autostep` in those before it."""
    autostep = False
    for number, source in enumerate(sources, start=1):
        found = heading(source)
        if found is not None and not found.is_off:
            yield _step_cell(number, source, found, _tree(number, body(source)))
        elif (tree := _plain_tree(source)) is not None:
            if autostep and found is None and not stays_plain(tree, {*MAGICS, ROOT}):
                yield _step_cell(number, source, Heading(spoken="%%step"), tree)
            autostep = {"on": True, "off": False}.get(switch(tree) or "", autostep)


def _step_cell(number: int, source: str, found: Heading, tree: ast.Module) -> _StepCell:
    if found.problem:
        raise UsageError(f"code cell {number}: {found.problem}")
    spoken = found.spoken.rstrip(":")
    try:
        asked = options(parse(STEP, shlex.split(found.line), face=Face.MAGIC, spoken=spoken))
    except ValueError as error:
        raise UsageError(f"code cell {number}: {error}") from None
    text = body(source)
    step = define(tree, options=asked, source=source, text=text, filename=f"<cell {number}>")
    public = [name for name in step.analysis.binds if not name.startswith("_")]
    outline = Outline(
        name=step.name,
        reads=frozenset([*asked.inputs, *step.analysis.reads]),
        binds=frozenset(asked.outputs or public),
        after=asked.after,
    )
    return _StepCell(outline=outline, source=source, options=asked)


def _told_apart(cells: Sequence[_StepCell]) -> list[_StepCell]:
    """Give steps without a name of their own a number where their worked-out name is taken, as the kernel does."""
    found: list[_StepCell] = []
    for cell in cells:
        taken = {other.outline.name for other in found}
        name = cell.outline.name
        numbers = count(2)
        while not cell.options.name and name in taken:
            name = f"{cell.outline.name}-{next(numbers)}"
        found.append(replace(cell, outline=replace(cell.outline, name=name)))
    return found


def _tree(number: int, body: str) -> ast.Module:
    try:
        return ast.parse(body)
    except SyntaxError as error:
        problem = error
    statements = parse_python(body)
    if statements is None:
        raise UsageError(
            f"code cell {number} cannot be read as Python: {problem.msg} (line {(problem.lineno or 0) + 1})."
        )
    return ast.Module(body=statements, type_ignores=[])


def _plain_tree(source: str) -> ast.Module | None:
    """Return the tree of a cell that does not say it is a step; None when it starts with a cell magic, or is broken."""
    statements = None if source.lstrip().startswith("%%") else parse_python(source)
    return None if statements is None else ast.Module(body=statements, type_ignores=[])
