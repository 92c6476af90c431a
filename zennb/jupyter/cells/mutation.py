"""Owns the rules for code that changes a value in place: good enough to name the likely cell, no proof."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.reading.tree import nodes_in

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["changes_in_place"]

_GROW_OR_SHRINK = {
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "resize",
}
_OVERWRITE = {"fill", "fit", "partial_fit", "put", "reverse", "setdefault", "sort", "update"}
_MUTATORS = frozenset(_GROW_OR_SHRINK | _OVERWRITE)
"""Methods that change what they are called on; so do setters (`ax.set_title`)."""

_COPYING = frozenset({"set_index", "set_axis", "set_flags"})
"""Methods of pandas that return a changed copy."""


def changes_in_place(tree: ast.Module, names: Collection[str]) -> bool:
    """Whether code changes the value of one of `names` in place.

    `df["z"] = 1`, `df.x += 1`, `xs += [1]`, `del df["z"]`, `xs.append(1)`, `df.drop(..., inplace=True)`,
    `ax.set_title(...)`, `random.shuffle(xs)`.
    """
    return any(_changes(node, names) for node in nodes_in(tree))


def _changes(node: ast.AST, names: Collection[str]) -> bool:
    if isinstance(node, ast.Attribute | ast.Subscript):
        return isinstance(node.ctx, ast.Store | ast.Del) and _root(node) in names
    if isinstance(node, ast.AugAssign):
        return _root(node.target) in names
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if node.func.attr == "shuffle":
        return any(_root(argument) in names for argument in node.args)
    return _root(node.func) in names and _is_mutator(node.func.attr, node)


def _is_mutator(method: str, call: ast.Call) -> bool:
    asked = [keyword.value for keyword in call.keywords if keyword.arg == "inplace"]
    # `inplace=False` rules out a change, also for a method that otherwise makes one.
    if asked:
        return not (isinstance(asked[0], ast.Constant) and not asked[0].value)
    return method in _MUTATORS or (method.startswith("set_") and method not in _COPYING)


def _root(node: ast.expr) -> str:
    """Return the variable that `name.loc[0].x` starts at; "" when it starts at something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
