"""Owns the steps of a notebook file, as its cells define them, and their names."""

from __future__ import annotations

import ast
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT, Interface
from zennb.commands.parser import parse
from zennb.commands.step_options import STEP, options
from zennb.core.magic_lines.magics import parse_python
from zennb.core.planning.plan import Outline
from zennb.core.reading.cell_heading import body, heading, stays_plain, switch
from zennb.core.reading.source import analyse
from zennb.core.reading.step_names import NO_HINTS, NamedStep, derived_names, distinct_names, name_hints
from zennb.engine.step.definition import StepOptions, define, imports_text_annotations
from zennb.errors import UsageError
from zennb.headless.step_line import step_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zennb.core.reading.cell_heading import Heading
    from zennb.core.reading.step_names import NameHints
    from zennb.engine.step.definition import StepDefinition
    from zennb.headless.read import NotebookCell

__all__ = ["OURS", "FileStep", "saved_hints", "step_cells"]

OURS = frozenset({*MAGICS, ROOT})
"""Magics that do not count as code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStep:
    """One step cell of a file.

    Attributes:
        outline: the step as the plan sees it.
        definition: the step.
        number: of its cell, counting from 1 the code cells that are not blank.
    """

    outline: Outline
    definition: StepDefinition
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParsedStep:
    """A step cell of a file that has been read, but has no name yet unless the user gave it one."""

    number: int
    source: str
    tree: ast.Module
    options: StepOptions
    text_annotations: bool


def step_cells(cells: Sequence[NotebookCell]) -> list[FileStep]:
    """Return the steps of a notebook, top to bottom, each under its own name; names given by the user stay.

    Raises:
        UsageError: a step cell cannot be read.
    """
    found = list(_parsed_steps(cells))
    if all(step.options.name for step in found):
        return [_step_cell(step, NO_HINTS) for step in found]
    hints = saved_hints(cells)
    return [_step_cell(step, hints[step.number - 1]) for step in found]


def saved_hints(cells: Sequence[NotebookCell], *, autostep: bool = False) -> list[NameHints]:
    """Return what a notebook says of the name of each of its code cells that are not blank, top to bottom.

    A cell that cannot be read as a step has no names.

    Args:
        cells: all its cells.
        autostep: whether cells are steps without being marked, unless the notebook itself says from where on.
    """
    hints, code = name_hints([(cell.type, cell.source) for cell in cells], OURS), _code(cells)
    autostep = autostep and not any("autostep" in cell.source for cell in code)
    steps = [
        (step.number, named)
        for step in _parsed_steps(cells, autostep=autostep, skipped=(UsageError,))
        if (named := _named_step(step, hints[step.number - 1], code[step.number - 1])) is not None
    ]
    given = {step.given for _, step in steps}
    names = dict(zip((n for n, _ in steps), distinct_names([step for _, step in steps]), strict=True))
    return [
        replace(
            hint,
            names=(own := names.get(n, ())),
            title=hint.title if hint.title in own or not (own or hint.title in given) else "",
        )
        for n, hint in enumerate(hints, start=1)
    ]


def _named_step(step: _ParsedStep, hints: NameHints, cell: NotebookCell) -> NamedStep | None:
    """Return what the name of a step depends on; None for one that is nested too deeply."""
    given, outputs, text = step.options.name, step.options.outputs, body(step.source)
    if given:
        return NamedStep(given=given)
    try:
        derived = derived_names(analyse(step.tree), outputs=outputs, tree=step.tree, text=text, hints=hints)
    except RecursionError:
        return None
    return NamedStep(derived=derived, shown=_shown_name(cell))


def _code(cells: Sequence[NotebookCell]) -> list[NotebookCell]:
    return [cell for cell in cells if cell.type == "code" and cell.source.strip()]


def _shown_name(cell: NotebookCell) -> str:
    """Return the name in the last status line of a cell's saved output; "" for none."""
    metadata = (output.get("metadata") for output in reversed(cell.outputs))
    lines = (line for each in metadata if isinstance(each, dict) for line in step_lines(each))
    return next((line.step for line in lines), "")


def _parsed_steps(
    cells: Sequence[NotebookCell], *, autostep: bool = False, skipped: tuple[type[Exception], ...] = ()
) -> Iterator[_ParsedStep]:
    """Yield the step cells: those with a heading that says so, and those after `%zennb autostep on`."""
    text_annotations = False
    for number, cell in enumerate(_code(cells), start=1):
        source, found = cell.source, heading(cell.source)
        tree: ast.Module | None = None
        if found is not None and not found.is_off:
            with suppress(*skipped):
                tree, chosen = _tree(number, body(source)), _options(number, found)
                yield _ParsedStep(
                    number=number,
                    source=source,
                    tree=tree,
                    options=chosen,
                    text_annotations=text_annotations,
                )
        elif (tree := _plain_tree(source)) is not None:
            if autostep and found is None and not stays_plain(tree, OURS):
                yield _ParsedStep(
                    number=number,
                    source=source,
                    tree=tree,
                    options=StepOptions(),
                    text_annotations=text_annotations,
                )
            autostep = {"on": True, "off": False}.get(switch(tree) or "", autostep)
        text_annotations |= tree is not None and imports_text_annotations(tree)


def _options(number: int, found: Heading) -> StepOptions:
    if found.problem:
        raise UsageError(f"code cell {number}: {found.problem}")
    command_line = found.marker.rstrip(":")
    try:
        words = shlex.split(found.line)
        return options(parse(STEP, words, interface=Interface.MAGIC, command_line=command_line))
    except ValueError as error:
        raise UsageError(f"code cell {number}: {error}") from None


def _step_cell(found: _ParsedStep, hints: NameHints) -> FileStep:
    try:
        step = define(
            found.tree,
            options=found.options,
            source=found.source,
            text=body(found.source),
            filename=f"<cell {found.number}>",
            text_annotations=found.text_annotations,
            hints=hints,
        )
    except RecursionError:
        raise _nested_too_deeply(found.number) from None
    public = [name for name in step.analysis.binds if not name.startswith("_")]
    outline = Outline(
        name=step.name,
        aliases=step.derived[1:],
        reads=frozenset([*found.options.inputs, *step.analysis.reads]),
        binds=frozenset(found.options.outputs or public),
        after=found.options.after,
    )
    return FileStep(outline=outline, definition=step, number=found.number)


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
