"""Owns the pipeline of a notebook file: its steps and edges, worked out by reading it, and where each stands."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.face import Face
from zennb.commands.parser import parse
from zennb.commands.session import Node, PipelineState
from zennb.commands.step import STEP, named
from zennb.core.plan import Outline, plan
from zennb.engine.definition import Options, define
from zennb.errors import UsageError
from zennb.headless.label import label
from zennb.headless.read import read, step_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.plan import Plan
    from zennb.core.records import Step
    from zennb.stacks.workspace import Workspace

__all__ = ["NotebookFile"]

MAGIC = re.compile(
    r"^(?P<lead>\s*(?:[\w.,\[\]'\" ]+=\s*)?)%(?P<name>[^\W\d]\w*(?:-\w+)*)[ \t]*(?P<line>.*)$", re.MULTILINE
)
SHELL = re.compile(r"^(?P<lead>\s*(?:[\w.,\[\]'\" ]+=\s*)?)!{1,2}(?P<line>.*)$", re.MULTILINE)
HELP_LINE = re.compile(r"^\s*(?:\?.*|.*\?)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepCell:
    """One `%%step` cell of a file."""

    outline: Outline
    body: str
    named: bool


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
        sources = [cell.source for cell in read(self.path) if cell.type == "code"]
        cells = [
            _step_cell(number, source)
            for number, source in enumerate(sources, start=1)
            if step_name(source) is not None
        ]
        found = _told_apart(cells)
        self.plan: Plan = plan([cell.outline for cell in found])
        self._cells = {cell.outline.name: cell for cell in found}

    def records(self, workspace: Workspace) -> dict[str, Step]:
        """Return the latest record of each of its steps that has one."""
        name = label(self.path, workspace.home)
        return {step.name: step for step in workspace.metadata.latest_steps(name)}

    def state(self, records: Mapping[str, Step]) -> PipelineState:
        """Return the pipeline and where each step stands by its latest record."""
        stale: set[str] = set()
        nodes = []
        for name in self.plan.order:
            cell, last = self._cells[name], records.get(name)
            reason = self._reason(name, last, stale)
            fresh = last is not None and last.status.is_good and reason == ""
            stale |= set() if fresh else {name}
            nodes.append(
                Node(
                    name=name,
                    status="" if last is None else last.status.value,
                    reason=reason or "its code is as it was run",
                    stale=not fresh,
                    reads=tuple(sorted(cell.outline.reads)),
                    binds=tuple(sorted(cell.outline.binds)),
                )
            )
        edges = tuple((start, end, names) for (start, end), names in self.plan.edges.items())
        return PipelineState(nodes=tuple(nodes), edges=edges)

    def _reason(self, name: str, last: Step | None, stale: set[str]) -> str:
        if last is None:
            return "first run"
        if not last.status.is_good:
            return f"the run before was {last.status.value}"
        if _body(last.source).strip() != self._cells[name].body.strip():
            return "its own code changed"
        before = [parent for parent in self.plan.parents(name) if parent in stale]
        return f"step `{before[0]}` before it is not up to date" if before else ""


def _step_cell(number: int, source: str) -> _StepCell:
    line, body = source.lstrip().partition("\n")[0], _body(source)
    try:
        given = parse(STEP, shlex.split(line)[1:], face=Face.MAGIC, spoken="%%step")
    except ValueError as error:
        raise UsageError(f"code cell {number}: {error}") from None
    outputs = named(given.many("output"))
    options = Options(
        name=given.maybe("name") or "", inputs=named(given.many("input")), outputs=outputs or None
    )
    step = define(_tree(number, body), options=options, source=source, text=body, filename=f"<cell {number}>")
    public = [name for name in step.analysis.binds if not name.startswith("_")]
    outline = Outline(
        name=step.name,
        reads=frozenset([*options.inputs, *step.analysis.reads]),
        binds=frozenset(outputs or public),
        after=named(given.many("after")),
    )
    return _StepCell(outline=outline, body=body, named=options.name != "")


def _told_apart(cells: Sequence[_StepCell]) -> list[_StepCell]:
    """Give steps without a name of their own a number where their worked-out name is taken, as the kernel does."""
    found: list[_StepCell] = []
    for cell in cells:
        taken = {other.outline.name for other in found}
        name = cell.outline.name
        numbers = count(2)
        while not cell.named and name in taken:
            name = f"{cell.outline.name}-{next(numbers)}"
        found.append(replace(cell, outline=replace(cell.outline, name=name)))
    return found


def _body(source: str) -> str:
    """Return a cell's code without its `%%step` line."""
    return source.lstrip().partition("\n")[2] if step_name(source) is not None else source


def _tree(number: int, body: str) -> ast.Module:
    for text in (body, _as_calls(body)):
        try:
            return ast.parse(text)
        except SyntaxError as error:
            problem = error
    raise UsageError(
        f"code cell {number} cannot be read as Python: {problem.msg} (line {(problem.lineno or 0) + 1})."
    )


def _as_calls(body: str) -> str:
    """Write magic and shell lines as the calls that IPython makes of them."""
    body = HELP_LINE.sub("pass", body)
    body = MAGIC.sub(lambda m: f"{m['lead']}get_ipython().run_line_magic({m['name']!r}, {m['line']!r})", body)
    return SHELL.sub(lambda m: f"{m['lead']}get_ipython().system({m['line']!r})", body)
