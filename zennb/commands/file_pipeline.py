"""Owns the pipeline of a notebook file: its steps and edges, read from its source, and the plan of a run."""

from __future__ import annotations

import ast
import shlex
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT, Interface
from zennb.commands.parser import parse
from zennb.commands.step_options import STEP, options
from zennb.compat.python import deep_recursion
from zennb.core.magic_lines.magics import parse_python
from zennb.core.planning.plan import Outline, plan
from zennb.core.reading.cell_heading import Heading, body, heading, stays_plain, switch
from zennb.core.reading.step_names import NO_HINTS, name_hints
from zennb.engine.step.definition import define, imports_text_annotations
from zennb.errors import BrokenNotebook, UsageError
from zennb.headless.file_plan import FileCell, FilePlan
from zennb.headless.notebook_label import label
from zennb.headless.read import read
from zennb.provenance.cell_statements import read_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zennb.core.planning.plan import Plan
    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.reading.step_names import NameHints
    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition
    from zennb.registry.workspace import Workspace

__all__ = ["NotebookFile"]

_OURS = frozenset({*MAGICS, ROOT})
"""Magics that do not count as code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepCell:
    """One step cell of a file."""

    outline: Outline
    definition: StepDefinition
    number: int


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
        cells = [(cell.type, cell.source) for cell in read(self.path)]
        sources = [source for kind, source in cells if kind == "code" and source.strip()]
        with deep_recursion():
            found = _with_unique_names(list(_step_cells(sources, lambda: name_hints(cells, _OURS))))
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
            ours=_OURS,
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


def _cell(number: int, source: str, step: _StepCell | None) -> FileCell:
    if step is None:
        return FileCell(number=number, source=source, statements=read_cell(source))
    return FileCell(number=number, source=source, definition=step.definition, binds=step.outline.binds)


def _step_cells(sources: Sequence[str], hints: Callable[[], list[NameHints]]) -> Iterator[_StepCell]:
    """Yield the step cells: those with a heading that says so, and those after `%zennb autostep on`."""
    autostep = text_annotations = False
    hints_once = cache(hints)
    for number, source in enumerate(sources, start=1):
        found = heading(source)
        tree: ast.Module | None
        if found is not None and not found.is_off:
            tree = _tree(number, body(source))
            hint = NO_HINTS if found.name else hints_once()[number - 1]
            yield _step_cell(number, source, found, tree, hint, text_annotations=text_annotations)
        elif (tree := _plain_tree(source)) is not None:
            if autostep and found is None and not stays_plain(tree, _OURS):
                plain, hint = Heading(marker="%%step"), hints_once()[number - 1]
                yield _step_cell(number, source, plain, tree, hint, text_annotations=text_annotations)
            autostep = {"on": True, "off": False}.get(switch(tree) or "", autostep)
        text_annotations |= tree is not None and imports_text_annotations(tree)


def _step_cell(
    number: int, source: str, found: Heading, tree: ast.Module, hint: NameHints, *, text_annotations: bool
) -> _StepCell:
    if found.problem:
        raise UsageError(f"code cell {number}: {found.problem}")
    command_line = found.marker.rstrip(":")
    try:
        chosen = options(
            parse(STEP, shlex.split(found.line), interface=Interface.MAGIC, command_line=command_line)
        )
    except ValueError as error:
        raise UsageError(f"code cell {number}: {error}") from None
    try:
        step = define(
            tree,
            options=chosen,
            source=source,
            text=body(source),
            filename=f"<cell {number}>",
            text_annotations=text_annotations,
            hints=hint,
        )
    except RecursionError:
        raise _nested_too_deeply(number) from None
    public = [name for name in step.analysis.binds if not name.startswith("_")]
    outline = Outline(
        name=step.name,
        reads=frozenset([*chosen.inputs, *step.analysis.reads]),
        binds=frozenset(chosen.outputs or public),
        after=chosen.after,
    )
    return _StepCell(outline=outline, definition=step, number=number)


def _with_unique_names(cells: Sequence[_StepCell]) -> list[_StepCell]:
    """Number the steps whose derived name is taken, as the kernel does; names given by the user stay."""
    found: list[_StepCell] = []
    for cell in cells:
        taken = {other.outline.name for other in found}
        name = cell.outline.name
        numbers = count(2)
        while not cell.definition.options.name and name in taken:
            name = f"{cell.outline.name}-{next(numbers)}"
        outline, definition = replace(cell.outline, name=name), replace(cell.definition, name=name)
        found.append(replace(cell, outline=outline, definition=definition))
    return found


def _tree(number: int, body: str) -> ast.Module:
    try:
        return ast.parse(body)
    except SyntaxError as error:
        problem = error
    except (RecursionError, MemoryError):
        raise _nested_too_deeply(number) from None
    except ValueError as error:  # null bytes
        raise UsageError(f"code cell {number} cannot be read as Python: {error}.") from None
    statements = parse_python(body)
    if statements is None:
        raise UsageError(
            f"code cell {number} cannot be read as Python: {problem.msg} (line {(problem.lineno or 0) + 1})."
        )
    return ast.Module(body=statements, type_ignores=[])


def _nested_too_deeply(number: int) -> UsageError:
    return UsageError(
        f"code cell {number} cannot be analysed: its code is nested too deeply. Split its longest expression into "
        "several statements, or remove the line that makes it a step."
    )


def _plain_tree(source: str) -> ast.Module | None:
    """Return the tree of a cell without a step heading; None if it starts with a cell magic or does not parse."""
    statements = None if source.lstrip().startswith("%%") else parse_python(source)
    return None if statements is None else ast.Module(body=statements, type_ignores=[])
