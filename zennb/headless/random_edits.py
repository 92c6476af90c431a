"""Owns random edits of a notebook: a number, flag or text in a cell, or what a function of it computes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.magic_lines.magics import parse_python
from zennb.core.reading.cell_heading import body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

__all__ = ["Edit", "choose", "edits"]

_PROSE = re.compile(r"[A-Za-z]+(?:[ ,;:!?']+[A-Za-z]+)+[.!?:]?")
"""Texts that may be changed: names of files and columns have no spaces, and changing them only raises."""

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit.

    Attributes:
        cell: id of the cell.
        kind: `constant`, or `function` where it is inside of a function or class.
        source: the cell's text afterwards.
        before: what was replaced.
        after: what it was replaced by.
        line: the line of the cell, from 1.
    """

    cell: str
    kind: str
    source: str
    before: str
    after: str
    line: int


def choose(cells: Mapping[str, str], random: Random, *, tried: set[tuple[str, str]]) -> Edit | None:
    """Choose an edit that was not tried yet: first its kind, then a cell, then a place in it; None when none is left.

    Args:
        cells: id → text of the cells that may be edited.
        random: where the choices come from; the same seed gives the same edits.
        tried: cells and texts that were tried; the choice is added.
    """
    left: dict[str, dict[str, list[Edit]]] = {}
    for cell, source in cells.items():
        for edit in edits(cell, source, random):
            if (cell, edit.source) not in tried:
                left.setdefault(edit.kind, {}).setdefault(cell, []).append(edit)
    if not left:
        return None
    # By kind and cell first: else the cell that holds a table of numbers would get nearly all edits.
    kind = left[random.choice(sorted(left))]
    edit = random.choice(kind[random.choice(list(kind))])
    tried.add((edit.cell, edit.source))
    return edit


def edits(cell: str, source: str, random: Random) -> Iterator[Edit]:
    """Yield an edit for each place of a cell that has one, from top to bottom."""
    text = body(source)
    lines = text.split("\n")
    skipped = source.count("\n") - text.count("\n")
    for node, kind in _places(parse_python(text) or []):
        place = _place(node, lines)
        if place is None:
            continue
        number, start, end = place
        before = lines[number][start:end]
        after = _changed(node, before, random)
        if after is None:
            continue
        edited = [*lines[:number], lines[number][:start] + after + lines[number][end:], *lines[number + 1 :]]
        yield Edit(
            cell=cell,
            kind=kind,
            source=source[: len(source) - len(text)] + "\n".join(edited),
            before=before,
            after=after,
            line=number + 1 + skipped,
        )


def _places(tree: list[ast.stmt]) -> Iterator[tuple[ast.Constant | ast.BinOp, str]]:
    waiting: list[tuple[ast.AST, str]] = [(node, "constant") for node in reversed(tree)]
    while waiting:
        node, kind = waiting.pop()
        if isinstance(node, ast.Constant) or (isinstance(node, ast.BinOp) and kind == "function"):
            yield node, kind
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue  # places inside of an f-string are wrong before Python 3.12; a docstring is no constant
        inside = "function" if isinstance(node, _FUNCTIONS) else kind
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
            children = [node.left]  # one more there is ten times the work and memory
        waiting += [(child, inside) for child in reversed(children)]


def _place(node: ast.Constant | ast.BinOp, lines: list[str]) -> tuple[int, int, int] | None:
    """Return the line and the columns of a constant, or of an operator."""
    if node.lineno != node.end_lineno or node.lineno > len(lines):
        return None
    data = lines[node.lineno - 1].encode()

    def column(offset: int | None) -> int:
        return len(data[:offset].decode(errors="replace"))

    if isinstance(node, ast.Constant):
        start, end = column(node.col_offset), column(node.end_col_offset)
        text = lines[node.lineno - 1][start:end]
        try:
            is_there = ast.literal_eval(text) == node.value
        except (ValueError, SyntaxError):
            is_there = False  # a magic line, whose text is not the one that was parsed
        return (node.lineno - 1, start, end) if is_there else None
    start, end = column(node.left.end_col_offset), column(node.right.col_offset)
    between = lines[node.lineno - 1][start:end]
    found = re.fullmatch(r"\s*([-+])\s*", between)
    return (node.lineno - 1, start + found.start(1), start + found.end(1)) if found else None


def _changed(node: ast.Constant | ast.BinOp, before: str, random: Random) -> str | None:
    if isinstance(node, ast.BinOp):
        return {"+": "-", "-": "+"}[before]
    value = node.value
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return str(value + random.choice((1, -1)) if value > 1 else value + 1)
    if isinstance(value, float):
        return repr(value * random.choice((0.75, 1.25)) or 0.5)
    if isinstance(value, str) and _PROSE.fullmatch(value) and _PROSE.fullmatch(before[1:-1]):
        return f"{before[0]}{value} again{before[-1]}"
    return None
