"""Owns the way through a syntax tree: the parts of a node, and all nodes below it."""

from __future__ import annotations

import ast

__all__ = ["child_nodes", "nodes_in"]

_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
"""Node class → its fields that may hold nodes other than contexts, looked up once."""


def child_nodes(node: ast.AST) -> list[ast.AST]:
    """Return the nodes directly below a node, in order, without contexts (`ast.Load()` and the like).

    Half of the nodes of a tree are contexts, and `ast.iter_child_nodes` gives them too: it takes four times as long.
    """
    fields = _FIELDS.get(type(node))
    if fields is None:
        fields = _FIELDS[type(node)] = tuple(name for name in type(node)._fields if name != "ctx")
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def nodes_in(tree: ast.AST) -> list[ast.AST]:
    """Return a node and all nodes below it, level by level, without contexts."""
    found = [tree]
    for node in found:
        found += child_nodes(node)  # the list grows while it is read
    return found
