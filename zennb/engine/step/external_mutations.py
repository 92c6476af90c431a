"""Owns the changes a step makes that its outputs do not hold: to modules, and to classes and functions it defines."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

from zennb.engine.step.definition import nodes
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["external_mutations"]


def external_mutations(definition: StepDefinition, namespace: Mapping[str, Any]) -> list[str]:
    """Return what a step sets outside its outputs, as typed: `plt.rcParams`, `os.environ`, `Model.count`.

    Reuse executes imports, functions and classes again, but not such settings; a step that makes them is run. Settings
    that are known one by one (`engine.settings`) are carried instead.
    """
    found = {
        ast.unparse(_without_index(target)): None
        for target in nodes(definition.tree).targets
        if _is_outside(_root(target), definition, namespace) and not _is_carried(target, namespace)
    }
    return list(found)


def _is_carried(target: ast.Attribute | ast.Subscript, namespace: Mapping[str, Any]) -> bool:
    """Whether a target is a setting that `engine.settings` knows: `plt.rcParams[...]`, `pd.options.display.width`."""
    path, node = list[str](), target.value
    if isinstance(target, ast.Attribute):
        path.append(target.attr)
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    holder = namespace.get(node.id)
    if not isinstance(holder, types.ModuleType):
        return holder is not None and _names(holder, path) in _CARRIED
    for attribute in reversed(path[1:] if isinstance(target, ast.Attribute) else path):
        holder = getattr(holder, attribute, None)
    return _names(holder, path) in _CARRIED


def _names(holder: object, path: list[str]) -> str:
    """Return what a setting is held by: a class by its own name and the attribute, anything else by its class."""
    if isinstance(holder, type):
        return f"{holder.__module__.partition('.')[0]}.{holder.__name__}.{path[0] if path else ''}"
    return f"{type(holder).__module__.partition('.')[0]}.{type(holder).__name__}"


_CARRIED = frozenset(
    {
        "IPython.InteractiveShell.ast_node_interactivity",
        "matplotlib.RcParams",
        "os._Environ",
        "zennb._Environment",
        "pandas.DictWrapper",
    }
)


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


def _is_outside(root: str, definition: StepDefinition, namespace: Mapping[str, Any]) -> bool:
    defines = definition.analysis.defines
    if root == "cls":
        return bool(defines)
    held = namespace.get(root)
    return root in defines or isinstance(held, types.ModuleType) or _is_of_a_package(held)


def _is_of_a_package(held: object) -> bool:
    """Whether it is a class of a library, or a library's own settings under another name."""
    kind = held if isinstance(held, type) else type(held)
    is_settings = _names(held, []) in _CARRIED
    return (isinstance(held, type) or is_settings) and not origin(str(kind.__module__)).is_users
