"""Owns `parse_step_cell`: from the text of a step cell to its definition."""

from __future__ import annotations

import importlib
import linecache
import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.commands.interface import Interface
from zennb.commands.parser import parse
from zennb.commands.step_options import STEP, options
from zennb.core.reading.cell_heading import heading
from zennb.core.reading.step_names import NO_HINTS
from zennb.engine.step.definition import StepDefinition, StepOptions, define
from zennb.errors import StepRefused, UsageError
from zennb.headless.kernel import RERUN, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.core.reading.step_names import NameHints
    from zennb.jupyter.cells.transform import StepMarker

__all__ = ["hide_first_line", "nested_too_deeply", "parse_step_cell"]


def parse_step_cell(
    marker: StepMarker,
    *,
    filename: str,
    cell: str,
    text_annotations: bool = False,
    hints: Callable[[], NameHints] = lambda: NO_HINTS,
) -> StepDefinition:
    """Return the step that a cell defines.

    Args:
        marker: the cell that is about to run.
        filename: the file name under which IPython compiled it.
        cell: the frontend's id of the cell; "" if unknown.
        text_annotations: whether an earlier cell imports `annotations` from `__future__`.
        hints: returns what the rest of the notebook says about the name of a step that has none.

    Raises:
        UsageError: its options are wrong.
        StepRefused: a cell magic is in a line where it is no cell magic, or the code is nested too deeply.
    """
    found = _options(marker)
    if os.environ.get(RERUN):
        found = replace(found, rerun=True)
    if found.background and os.environ.get(RUNNING):  # the run would not wait for it
        found = replace(found, background=False)
    text = marker.source
    if marker.command_line == "%%step":
        _show_first_line(filename, marker.line)
        text = "\n" + marker.source.partition("\n")[2]
    _refuse_cell_magic(text, marker.command_line)
    try:
        return define(
            marker.tree,
            options=found,
            source=marker.source,
            text=text,
            filename=filename,
            cell=cell,
            star=_star_names,
            text_annotations=text_annotations,
            hints=NO_HINTS if found.name else hints(),
        )
    except RecursionError:
        raise nested_too_deeply() from None


def nested_too_deeply() -> StepRefused:
    """Return the error for a cell whose syntax tree is too deep to be visited."""
    return StepRefused(
        "this step cell cannot be analysed: its code is nested too deeply. Split its longest expression into several "
        "statements, or remove the line that makes it a step."
    )


def _options(marker: StepMarker) -> StepOptions:
    command_line, line = marker.command_line or "%%step", marker.line
    found = heading(marker.source)
    if found is not None and found.problem:
        raise UsageError(found.problem)
    if not line or line.isidentifier():  # as in most cells: nothing but a name
        return StepOptions(name=line)
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{command_line.rstrip(':')}: {error} in `{line}`; close the quotes.") from error
    arguments = parse(STEP, words, interface=Interface.MAGIC, command_line=command_line.rstrip(":"))
    return options(arguments)


def _refuse_cell_magic(text: str, command_line: str) -> None:
    if "%%" not in text:  # as in nearly all cells
        return
    lines = (line.strip() for line in text.splitlines())
    first = next((line.split(" ")[0] for line in lines if line and not line.startswith("#")), "")
    is_below = command_line == "%%step" or text.lstrip().startswith("#|")
    if is_below and first.startswith("%%"):
        raise StepRefused(
            f"`{first}` stands below {command_line}, where it is not a cell magic. Put it on the first line, and "
            "`#| step: NAME` on the second."
        )


def _show_first_line(filename: str, line: str) -> None:
    """Let tracebacks show the cell's first line as it was typed, behind a statement, so that it still parses.

    As a comment of its own, `help(...)` would show it for a definition on the next line.
    """
    _set_first_line(filename, f"pass  # %%step {line}".rstrip())


def hide_first_line(filename: str) -> None:
    """Let tracebacks begin with the user's own code, where it runs in the cell itself.

    Elsewhere the frame of the cell is at its first line, which has to be there then.
    """
    _set_first_line(filename, "")


def _set_first_line(filename: str, text: str) -> None:
    entry = linecache.cache.get(filename)
    if entry is not None and len(entry) == 4 and entry[2]:
        entry[2][0] = f"{text}\n"


def _star_names(module: str) -> Iterable[str]:
    """Return the names `from module import *` binds; none when it cannot be imported (the cell will say why)."""
    try:
        found = importlib.import_module(module)
    except Exception:  # noqa: BLE001 - the cell's own import raises it where the user sees it
        return ()
    public = getattr(found, "__all__", None)
    return tuple(public) if public is not None else tuple(n for n in vars(found) if not n.startswith("_"))
