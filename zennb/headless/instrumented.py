"""Owns the two variants of a notebook that a check compares: without zennb, and with every cell as a step."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from zennb.core.reading.cell_heading import heading
from zennb.headless.own_lines import has_own_magics, without_autostep, without_own_magics
from zennb.headless.read import runs, step_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["as_plain", "as_steps", "first_line", "has_code", "stays"]

LOADING = "zennb-check"
"""Id of the cell that is added on top; in the plain form it does nothing, so that cell numbers agree."""

STEP_LINE = re.compile(r"\A(\s*)%%step\b[^\n]*")
STEP_COMMENT = re.compile(r"(?m)^([ \t]*)#\|[ \t]*step\b")


def has_code(source: str) -> bool:
    """Return whether a cell has more than blank lines and comments."""
    return first_line(source) != ""


def first_line(source: str) -> str:
    """Return the first line of code after a `%%step` line; "" when there is none."""
    lines = (line.strip() for line in STEP_LINE.sub("", source).splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def stays(source: str, *, raised: str) -> str:
    """Return why a cell is not turned into a step; "" when it is, or is one already.

    Args:
        source: its text.
        raised: name of the exception it ends with when run plain; "" for none.
    """
    if raised:
        return f"raises {raised}"
    if step_name(source) is not None:
        return ""
    if source.lstrip().startswith("%%"):
        return f"starts with {source.split(maxsplit=1)[0]}"
    if heading(source) is not None:
        return "says `step: off`"
    return "uses zennb itself" if has_own_magics(source) else ""


def as_plain(node: Any) -> Any:
    """Return a copy of a document that does not use zennb: `%%step` lines become comments, our magics `pass`."""
    changed = copy.deepcopy(node)
    for cell in changed.cells:
        if runs(cell):
            cell.source = _not_a_step(without_own_magics(cell.source))
    _add_on_top(changed, "pass")
    return changed


def as_steps(node: Any, raised: Mapping[str, str], *, plain: Collection[str] = ()) -> Any:
    """Return a copy of a document in which every cell that can be is a step.

    Args:
        node: an nbformat 4 document whose cells have ids.
        raised: id → name of the exception that the cell ends with when run plain.
        plain: ids of more cells that are to be plain.
    """
    changed = copy.deepcopy(node)
    for cell in changed.cells:
        if not runs(cell) or not has_code(cell.source):
            continue
        if cell.id in plain or stays(cell.source, raised=raised.get(cell.id, "")):
            # Autostep would make a step of a cell that is to stay plain; without it the others are steps anyway.
            cell.source = _not_a_step(without_autostep(cell.source))
        elif step_name(cell.source) is None:
            cell.source = f"%%step\n{cell.source}"
    _add_on_top(changed, "%load_ext zennb")
    return changed


def _not_a_step(source: str) -> str:
    """Return a cell without the line that makes it a step."""
    return STEP_COMMENT.sub(r"\1# step", STEP_LINE.sub(r"\1# a step", source))


def _add_on_top(node: Any, source: str) -> None:
    from nbformat import v4

    node.cells.insert(0, v4.new_code_cell(source, id=LOADING))
