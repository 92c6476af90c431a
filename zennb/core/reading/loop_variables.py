"""Owns `loop_variables`: the names of a cell that only its loops bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.reading.tree import child_nodes, nodes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["loop_variables"]

_LOOPS = (ast.For, ast.AsyncFor)
_OWN_SCOPE = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""What binds names of its own."""


def loop_variables(tree: ast.Module) -> frozenset[str]:
    """Return the names that the loops of a cell bind, and no other statement of it."""
    loops = [node for node in _own_nodes(tree) if isinstance(node, _LOOPS)]
    if not loops:  # as in most cells
        return frozenset()
    names = [node for loop in loops for node in nodes_in(loop.target) if isinstance(node, ast.Name)]
    targets = [node for node in names if isinstance(node.ctx, ast.Store)]
    others = {name for node in _own_nodes(tree) if node not in targets for name in _bound(node)}
    return frozenset(node.id for node in targets) - others


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a cell, without the bodies of functions and classes."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _OWN_SCOPE):
            waiting += child_nodes(node)


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds by itself."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler):
        yield node.name or ""
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.MatchAs | ast.MatchStar):
        yield node.name or ""
