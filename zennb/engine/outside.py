"""Owns the changes a step makes that its outputs do not hold: to modules, and to classes and functions it defines."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.engine.definition import Definition

__all__ = ["outside"]


def outside(definition: Definition, namespace: Mapping[str, Any]) -> list[str]:
    """Return what a step sets outside its outputs, as typed: `plt.rcParams`, `os.environ`, `Model.count`.

    Reuse executes imports, functions and classes again, but not such settings; a step that makes them is run.
    Settings made by calls (`np.set_printoptions(...)`) cannot be seen by reading.
    """
    found = {
        ast.unparse(_without_index(target)): None
        for target in _targets(definition.tree)
        if _is_outside(_root(target), definition, namespace)
    }
    return list(found)


def _targets(tree: ast.AST) -> Iterator[ast.Attribute | ast.Subscript]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node


def _without_index(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _root(node: ast.expr) -> str:
    """Return the name a target starts with; `cls` also for `type(self)` and `self.__class__`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute) and node.attr == "__class__":
            return "cls"
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type":
        return "cls"
    return node.id if isinstance(node, ast.Name) else ""


def _is_outside(root: str, definition: Definition, namespace: Mapping[str, Any]) -> bool:
    defines = definition.analysis.defines
    if root == "cls":
        return bool(defines)
    return root in defines or isinstance(namespace.get(root), types.ModuleType)
