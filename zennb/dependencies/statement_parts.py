"""Owns the parts of statements by which their effects are found: statements in blocks, targets, conditions, imports."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

from zennb.core.reading.scopes import last_name
from zennb.core.reading.tree import child_nodes, nodes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["arguments_of", "evaluated_in", "imported_in", "slot_of", "statements_in", "targets_of"]


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements within a block, not those in functions that it defines."""
    for child in child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.expr):
            continue
        if isinstance(child, ast.stmt):
            yield child
        yield from statements_in(child)


def targets_of(node: ast.stmt) -> list[ast.expr]:
    """Return what a statement binds or deletes."""
    if isinstance(node, ast.Assign | ast.Delete):
        return list(node.targets)
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [node.target]
    return []


def evaluated_in(node: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions that a statement evaluates to decide or to check: the head of a loop, of `if`, `assert`."""
    match node:
        case ast.If() | ast.While():
            yield node.test
        case ast.For() | ast.AsyncFor():
            yield node.iter
        case ast.Match():
            yield node.subject
        case ast.Assert():
            yield from filter(None, (node.test, node.msg))
        case ast.Raise() if node.exc is not None:
            yield node.exc


def arguments_of(given: ast.arguments) -> frozenset[str]:
    """Return the names of the arguments of a function."""
    found = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return frozenset(each.arg for each in found if each is not None)


def imported_in(body: ast.AST) -> dict[str, Any]:
    """Return what a function imports itself, as far as it is loaded."""
    found: dict[str, Any] = {}
    for node in nodes_in(body):
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name if each.asname else each.name.partition(".")[0]
                found[each.asname or top] = sys.modules.get(top)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            held = vars(sys.modules.get(node.module or "", ast))
            found.update((each.asname or each.name, held.get(each.name)) for each in node.names)
    return {name: value for name, value in found.items() if value is not None}


def slot_of(node: ast.expr) -> str:
    """Return what a call sets, as text, so that a later call with another value takes its place; "" where unknown."""
    if not isinstance(node, ast.Call):
        return ast.unparse(node)
    last = last_name(node.func)
    if not last.startswith(("set", "update", "use")):
        return ""
    kept = [ast.unparse(each) for each in node.args[:-1]]
    if node.args and isinstance(node.args[-1], ast.Dict):
        kept += [ast.unparse(key) if key is not None else "**" for key in node.args[-1].keys]
    elif node.args and not isinstance(node.args[-1], ast.Constant):
        return ""
    kept += [each.arg or "**" for each in node.keywords]
    return "" if "**" in kept else " ".join([ast.unparse(node.func), *kept])
