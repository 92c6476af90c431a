"""Owns the search for changes outside a step's outputs: to modules, and to classes and functions it defines."""

from __future__ import annotations

import ast
import builtins
import types
from abc import abstractmethod
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, module_name, name_of_module, qualified_name
from zennb.core.reading.definition_checks import are_in_sight, targets_at_the_top, targets_run
from zennb.dependencies.callables import is_users_code
from zennb.engine.step.definition import nodes
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["external_mutations"]


def external_mutations(
    definition: StepDefinition, namespace: Mapping[str, Any], *, changes_itself: bool = True
) -> list[str]:
    """Return what a step sets outside its outputs, as typed: `plt.rcParams`, `os.environ`, `Model.count`.

    Reuse executes imports and definitions again, but not such assignments, so the step runs every time. Known settings
    (`engine.environment.settings`) are left out: they are restored.

    Args:
        definition: the step.
        namespace: where it ran.
        changes_itself: whether it changed functions or classes that it defines, as far as that is known.
    """
    tree = definition.tree
    found = [
        target
        for target in nodes(tree).targets
        if _is_outside(_root(target), definition, namespace) and not _is_known_setting(target, namespace)
    ]
    if found:  # as of few cells
        run = set(targets_run(tree, partial(_is_plain, namespace)))
        if not changes_itself and are_in_sight(tree):
            top = set(targets_at_the_top(tree))
            run = {each for each in run if each in top or not _is_own(_root(each), definition, namespace)}
        found = [each for each in found if each in run]
    return list(dict.fromkeys(ast.unparse(_without_index(target)) for target in found))


_PLAIN = (
    abstractmethod,
    cache,
    cached_property,
    classmethod,
    contextmanager,
    lru_cache,
    property,
    staticmethod,
)


def _is_plain(namespace: Mapping[str, Any], decorator: ast.expr) -> bool:
    """Whether a decorator surely does not call what it decorates."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = namespace.get(node.value.id)
        if node.attr in {"getter", "setter", "deleter"} and owner is None:  # of a property in the class
            return True
        value = vars(owner).get(node.attr) if is_a(owner, types.ModuleType) else None
    else:
        name = node.id if isinstance(node, ast.Name) else ""
        value = namespace.get(name, vars(builtins).get(name))
    return any(value is each for each in _PLAIN)


def _is_known_setting(target: ast.Attribute | ast.Subscript, namespace: Mapping[str, Any]) -> bool:
    """Whether a target is a known setting: `plt.rcParams[...]`, `pd.options.display.width`."""
    path, node = list[str](), target.value
    if isinstance(target, ast.Attribute):
        path.append(target.attr)
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return False
    holder = namespace.get(node.id)
    module = name_of_module(holder) if is_a(holder, types.ModuleType) else ""
    if isinstance(target, ast.Attribute) and ".".join([module, *reversed(path)]) in _CARRIED:
        return True
    if not is_a(holder, types.ModuleType):
        return holder is not None and _names(holder, path) in _KNOWN_SETTINGS
    for attribute in reversed(path[1:] if isinstance(target, ast.Attribute) else path):
        if not is_a(holder, types.ModuleType | type) and origin(module_name(type(holder))).is_users:
            return False  # an object of the user, whose attributes may do anything
        holder = getattr(holder, attribute, None)
    return _names(holder, path) in _KNOWN_SETTINGS


def _names(holder: object, path: list[str]) -> str:
    """Return the name of the holder of a setting: the class name and attribute for a class, else the type name."""
    if is_a(holder, type):
        return f"{_short_name(holder)}.{path[0] if path else ''}"
    return _short_name(type(holder))


def _short_name(cls: type) -> str:
    return f"{module_name(cls).partition('.')[0]}.{qualified_name(cls)}"


_CARRIED = frozenset(f"torch.backends.cudnn.{name}" for name in ("benchmark", "deterministic", "enabled"))
"""Attributes of modules that are known settings."""

_KNOWN_SETTINGS = frozenset(
    {
        "IPython.InteractiveShell.ast_node_interactivity",
        "matplotlib.RcParams",
        "os._Environ",
        # The class that `os.environ` has while a step runs (`access_tracer`), and that of
        # `pd.options` and its groups.
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


def _is_own(root: str, definition: StepDefinition, namespace: Mapping[str, Any]) -> bool:
    """Whether a target begins with a function or class of the cell, which is compared when the cell has run."""
    value = namespace.get(root)
    is_code = is_a(value, types.FunctionType | type) and is_users_code(value)
    return root == "cls" or (root in definition.analysis.defines and is_code)


def _is_outside(root: str, definition: StepDefinition, namespace: Mapping[str, Any]) -> bool:
    defines = definition.analysis.defines
    # `type(self).count += 1` in a method: which class that is cannot be read off the code. Without a class in the
    # cell, the change is found by comparing the classes that the step reaches.
    if root == "cls":
        return bool(defines)
    value = namespace.get(root)
    return root in defines or is_a(value, types.ModuleType) or _is_of_a_package(value)


def _is_of_a_package(value: object) -> bool:
    """Whether it is a class of a library, or a library's own settings under another name."""
    kind = value if is_a(value, type) else type(value)
    is_settings = _names(value, []) in _KNOWN_SETTINGS
    return (is_a(value, type) or is_settings) and not origin(module_name(kind)).is_users
