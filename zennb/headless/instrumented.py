"""Owns the two variants of a notebook that a check compares: without steps, and with every cell as a step."""

from __future__ import annotations

import copy
import re
from typing import Any

from zennb.headless.read import runs, step_name

__all__ = ["as_plain", "as_steps", "first_line", "has_code", "stays"]

LOADING = "zennb-check"
"""Id of the cell that is added on top; in the plain form it does nothing, so that cell numbers agree."""

STEP_LINE = re.compile(r"\A(\s*)%%step\b[^\n]*")
OURS = re.compile(
    r"^\s*%(?:load_ext\s+zennb|zennb|stack|pipeline|runs|artifacts|orchestrator|artifact-store)\b",
    re.MULTILINE,
)


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
    return "is about zennb itself" if OURS.search(source) else ""


def as_plain(node: Any) -> Any:
    """Return a copy of a document whose cells are no steps: `%%step` lines become comments."""
    changed = copy.deepcopy(node)
    for cell in changed.cells:
        if runs(cell):
            cell.source = STEP_LINE.sub(r"\1# a step", cell.source)
    _add_on_top(changed, "pass")
    return changed


def as_steps(node: Any, raised: dict[str, str]) -> Any:
    """Return a copy of a document in which every cell that can be is a step.

    Args:
        node: an nbformat 4 document whose cells have ids.
        raised: id → name of the exception that the cell ends with when run plain.
    """
    changed = copy.deepcopy(node)
    for cell in changed.cells:
        if not runs(cell) or not has_code(cell.source):
            continue
        if stays(cell.source, raised=raised.get(cell.id, "")):
            cell.source = STEP_LINE.sub(r"\1# a step", cell.source)
        elif step_name(cell.source) is None:
            cell.source = f"%%step\n{cell.source}"
    _add_on_top(changed, "%load_ext zennb")
    return changed


def _add_on_top(node: Any, source: str) -> None:
    from nbformat import v4

    node.cells.insert(0, v4.new_code_cell(source, id=LOADING))
