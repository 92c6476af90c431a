"""Owns what a cell says to zennb itself: its magics, the lines that load it, and code that uses the package."""

from __future__ import annotations

import ast
import re
from itertools import chain
from typing import TYPE_CHECKING

from zennb.core.magic_lines.magics import line_magic, parse_python
from zennb.core.reading.cell_heading import body
from zennb.core.reading.tree import nodes_in
from zennb.core.records.component_types import COMPONENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["OWN_MAGICS", "has_own_magics", "uses_zennb", "without_autostep", "without_own_magics"]

PACKAGE = "zennb"
OWN_MAGICS = frozenset(
    {PACKAGE, "stack", "pipeline", "runs", "artifacts", "annotate", "deployment", "model", "secret"}
    | {kind.command for kind in COMPONENT_TYPES}
)
"""Our line magics, with dashes."""

_LOADERS = frozenset({"load_ext", "reload_ext", "unload_ext"})
_CONTINUED = re.compile(r"\s*(?:\w+\s*=\s*)?[%!].*\\$")
_SHELL = re.compile(rf"(?m)^\s*(?:\w+\s*=\s*)?!\s*(?:python3?\s+-m\s+)?{PACKAGE}\b")


def has_own_magics(source: str) -> bool:
    """Return whether a cell has magics of ours or loads zennb, so that what it shows without them is no measure."""
    return any(map(_is_magic, _statements(_parsed(source)))) or _SHELL.search(source) is not None


def without_own_magics(source: str) -> str:
    """Return a cell without our magics and the lines that load us; it keeps its line numbers."""
    return _blanked(source, (node for node in _statements(_parsed(source)) if _is_magic(node)))


def without_autostep(source: str) -> str:
    """Return a cell without lines that switch autostep; it keeps its line numbers."""
    found = (node for node in _statements(_parsed(source)) if _magic(node)[0] == PACKAGE)
    return _blanked(source, (node for node in found if _magic(node)[1].split()[:1] == ["autostep"]))


def uses_zennb(sources: Iterable[str]) -> list[bool]:
    """Return for each cell, in order, whether it uses zennb or what zennb returned: records, loaded artifacts."""
    names: set[str] = set()
    found = []
    for source in sources:
        uses = False
        for node in _parsed(source):
            used = {each.id for each in nodes_in(node) if isinstance(each, ast.Name)}
            if not names.isdisjoint(used) or any(
                _is_magic(each) or _uses_package(each) for each in _inside(node)
            ):
                names |= _changed(node)
                uses = True
        found.append(uses)
    return found


def _parsed(source: str) -> list[ast.stmt]:
    """Parse a cell; a magic that goes on after a backslash stands on its first line."""
    lines = body(source).split("\n")
    for at in range(len(lines)):
        following = at + 1
        while _CONTINUED.match(lines[at]) and following < len(lines):
            lines[at] = f"{lines[at][:-1]} {lines[following].strip()}"
            lines[following] = ""
            following += 1
    return parse_python("\n".join(lines)) or []


def _statements(tree: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    return chain.from_iterable(map(_inside, tree))


def _inside(node: ast.stmt) -> Iterator[ast.stmt]:
    return (each for each in nodes_in(node) if isinstance(each, ast.stmt))


def _magic(node: ast.stmt) -> tuple[str, str]:
    name, line = line_magic(node.value if isinstance(node, ast.Expr | ast.Assign) else None)
    return name.replace("_", "-"), line


def _is_magic(node: ast.stmt) -> bool:
    name, line = line_magic(node.value if isinstance(node, ast.Expr | ast.Assign) else None)
    if name in _LOADERS:
        return line.split()[:1] == [PACKAGE]
    return name.replace("_", "-") in OWN_MAGICS


def _uses_package(node: ast.stmt) -> bool:
    return bool(_imported(node)) or any(
        isinstance(each, ast.Name) and each.id == PACKAGE for each in nodes_in(node)
    )


def _imported(node: ast.AST) -> set[str]:
    """Return the names that an import statement binds to our package or a part of it."""
    match node:
        case ast.Import():
            ours = [alias for alias in node.names if alias.name.partition(".")[0] == PACKAGE]
            return {alias.asname or PACKAGE for alias in ours}
        case ast.ImportFrom(module=str(module)) if module.partition(".")[0] == PACKAGE:
            return {alias.asname or alias.name for alias in node.names}
    return set()


def _changed(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds, or changes through a method: `rows.append(...)`."""
    names = {
        each.id for each in nodes_in(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    for each in nodes_in(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(each.name)
        elif isinstance(each, ast.Import | ast.ImportFrom):
            names |= _imported(each)
        elif isinstance(each, ast.Call | ast.Subscript | ast.Attribute):
            root: ast.expr = each.func if isinstance(each, ast.Call) else each
            is_change = isinstance(each, ast.Call) or isinstance(each.ctx, ast.Store)
            while is_change and isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
                if isinstance(root, ast.Name):
                    names.add(root.id)
    return names


def _blanked(source: str, nodes: Iterable[ast.stmt]) -> str:
    lines = source.split("\n")
    skipped = source.count("\n") - body(source).count("\n")
    for node in nodes:
        first, last = node.lineno - 1 + skipped, (node.end_lineno or node.lineno) - 1 + skipped
        while lines[last].endswith("\\") and last + 1 < len(lines):
            last += 1
        lines[first] = " " * node.col_offset + "pass"
        # `pass` and not a comment, as it may be all that a branch holds.
        lines[first + 1 : last + 1] = [""] * (last - first)
    return "\n".join(lines)
