"""Owns the steps of a notebook file, as its cells define them, and their names."""

from __future__ import annotations

import ast
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT, Interface
from zennb.commands.parser import parse
from zennb.commands.step_options import STEP, options
from zennb.core.magic_lines.magics import parse_python
from zennb.core.planning.plan import Outline
from zennb.core.reading.cell_heading import Heading, body, heading, stays_plain, switch
from zennb.core.reading.step_names import NO_HINTS, distinct_names, name_hints
from zennb.engine.step.definition import define, imports_text_annotations
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


def step_cells(cells: Sequence[NotebookCell]) -> list[FileStep]:
    """Return the steps of a notebook, top to bottom, each under its own name; names given by the user stay.

    Raises:
        UsageError: a step cell cannot be read.
    """
    sources = _sources(cells)
    return [each for each, _ in _named(list(_step_cells(sources, lambda: _hints(cells))))]


def saved_hints(cells: Sequence[NotebookCell], *, autostep: bool = False) -> list[NameHints]:
    """Return what a notebook says of the name of each of its code cells that are not blank, top to bottom.

    A cell that cannot be read as a step has no names.

    Args:
        cells: all its cells.
        autostep: whether cells are steps without being marked, unless the notebook itself says from where on.
    """
    sources, hints = _sources(cells), _hints(cells)
    autostep = autostep and not any("autostep" in source for source in sources)
    steps = list(_step_cells(sources, lambda: hints, autostep=autostep, skipped=(UsageError,)))
    names = {step.number: found for step, found in _named(steps)}
    given = {step.definition.options.name for step in steps}
    return [
        replace(hint, names=names[n], title=hint.title if hint.title in names[n] else "")
        if n in names
        else replace(hint, title="" if hint.title in given else hint.title)
        for n, hint in enumerate(hints, start=1)
    ]


def _sources(cells: Sequence[NotebookCell]) -> list[str]:
    return [cell.source for cell in cells if cell.type == "code" and cell.source.strip()]


def _hints(cells: Sequence[NotebookCell]) -> list[NameHints]:
    return name_hints([(cell.type, cell.source) for cell in cells], OURS)


def _named(cells: Sequence[FileStep]) -> Iterator[tuple[FileStep, tuple[str, ...]]]:
    """Yield each step under a name that is its alone, and all its names."""
    named = distinct_names([(cell.definition.options.name, cell.definition.derived) for cell in cells])
    for cell, names in zip(cells, named, strict=True):
        outline = replace(cell.outline, name=names[0])
        definition = replace(cell.definition, name=names[0])
        yield replace(cell, outline=outline, definition=definition), names


def _step_cells(
    sources: Sequence[str],
    hints: Callable[[], list[NameHints]],
    *,
    autostep: bool = False,
    skipped: tuple[type[Exception], ...] = (),
) -> Iterator[FileStep]:
    """Yield the step cells: those with a heading that says so, and those after `%zennb autostep on`."""
    text_annotations = False
    hints_once = cache(hints)
    for number, source in enumerate(sources, start=1):
        found = heading(source)
        tree: ast.Module | None = None
        if found is not None and not found.is_off:
            with suppress(*skipped):
                tree = _tree(number, body(source))
                hint = NO_HINTS if found.name else hints_once()[number - 1]
                yield _step_cell(number, source, found, tree, hint, text_annotations=text_annotations)
        elif (tree := _plain_tree(source)) is not None:
            if autostep and found is None and not stays_plain(tree, OURS):
                plain, hint = Heading(marker="%%step"), hints_once()[number - 1]
                with suppress(*skipped):
                    yield _step_cell(number, source, plain, tree, hint, text_annotations=text_annotations)
            autostep = {"on": True, "off": False}.get(switch(tree) or "", autostep)
        text_annotations |= tree is not None and imports_text_annotations(tree)


def _step_cell(
    number: int, source: str, found: Heading, tree: ast.Module, hint: NameHints, *, text_annotations: bool
) -> FileStep:
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
    return FileStep(outline=outline, definition=step, number=number)


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
