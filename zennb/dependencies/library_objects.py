"""Owns what an expression stands for, if it belongs to a library: found in live variables, without running code."""

from __future__ import annotations

import ast
import builtins
import logging
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

from zennb.compat.instances import class_attribute, is_a
from zennb.compat.python import CACHED_FUNCTION
from zennb.dependencies.callables import is_code, is_users_code
from zennb.digests.immutable import is_immutable
from zennb.digests.known_effects import DATA
from zennb.packages.origin import full_name, module_of, origin, top_level

__all__ = ["Aliases", "CodeScope", "Owned", "is_carried_object", "meant_by", "owned_by_library"]

_SHELL = (
    *(
        "IPython.core.interactiveshell",
        "IPython.core.formatters",
        "IPython.core.events",
        "IPython.core.magic",
    ),
    *("IPython.core.completer", "IPython.core.history", "IPython.terminal", "ipykernel"),
)
"""Modules whose objects are parts of the notebook's shell."""

_GETTERS = ("get", "current", "default", "_get")
"""What begins the names of functions that hand out what belongs to the library: `logging.getLogger`."""


@dataclass(frozen=True, slots=True)
class Owned:
    """Something that belongs to a library: its dotted name there, and what it is, where that is known."""

    name: str
    value: Any = None

    @property
    def package(self) -> str:
        """The import name of the library."""
        return top_level(self.name)


Aliases: TypeAlias = MutableMapping[str, tuple[Owned, int]]
"""Variables that hold something that a library handed out (`ip = get_ipython()`) → what, and the id of the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScope:
    """Where code looks names up: variables, names that only the running code knows, and depth of calls."""

    namespace: Mapping[str, Any]
    aliases: Aliases
    local: frozenset[str] = frozenset()
    depth: int = 0
    met: set[int] = field(default_factory=set)


def owned_by_library(node: ast.expr, scope: CodeScope) -> Any:
    """Return what an expression stands for: `Owned`, a function or class of the user, or None for anything else."""
    if isinstance(node, ast.Name):
        if node.id in scope.local:
            return scope.aliases[node.id][0] if node.id in scope.aliases else None
        value = scope.namespace.get(node.id, vars(builtins).get(node.id))
        alias = scope.aliases.get(node.id)
        if alias is not None and alias[1] == id(value):
            return alias[0]
        return _of_value(value)
    if isinstance(node, ast.Subscript):
        holder = owned_by_library(node.value, scope)
        return Owned(f"{holder.name}[]") if isinstance(holder, Owned) else None
    if isinstance(node, ast.Call):
        return _of_call(node, scope)
    if not isinstance(node, ast.Attribute):
        return None
    holder = owned_by_library(node.value, scope)
    if isinstance(holder, Owned):
        return _attribute(holder, node.attr)
    if is_a(holder, type):
        found = class_attribute(holder, node.attr)
        return getattr(found, "__func__", found) if is_users_code(getattr(found, "__func__", found)) else None
    value = scope.namespace.get(node.value.id) if isinstance(node.value, ast.Name) else None
    if holder is None and value is not None and origin(module_of(type(value))).is_users:
        found = class_attribute(type(value), node.attr)
        return found if is_a(found, FunctionType) else None
    return None


def _of_call(node: ast.Call, scope: CodeScope) -> Any:
    if (meant := meant_by(node, scope)) is not None:
        return owned_by_library(meant, scope)
    maker = owned_by_library(node.func, scope)
    is_getter = isinstance(maker, Owned) and maker.name.rpartition(".")[2].startswith(_GETTERS)
    return Owned(f"{maker.name}()") if is_getter else None


def meant_by(call: ast.Call, scope: CodeScope) -> ast.expr | None:
    """Return the expression that `getattr(lib, "set")` or `partial(lib.set, 1)` stands for; None for other calls."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if (
        name == "partial"
        and call.args
        and "partial" in getattr(owned_by_library(call.func, scope), "name", "")
    ):
        return call.args[0]
    if name != "getattr" or len(call.args) < 2 or not isinstance(call.func, ast.Name):
        return None
    key = call.args[1]
    text = key.value if isinstance(key, ast.Constant) else None
    if isinstance(key, ast.Name) and key.id not in scope.local:
        text = scope.namespace.get(key.id)
    return ast.Attribute(call.args[0], text, ast.Load()) if is_a(text, str) else None


def _of_value(value: Any) -> Any:
    if is_a(value, ModuleType):
        name = str(vars(value).get("__name__", ""))
        return None if not name or origin(name).is_users else Owned(name, value)
    if is_a(value, logging.Logger | logging.LoggerAdapter):
        return Owned("logging.getLogger()")
    if is_a(value, partial):
        return _of_value(value.func)
    if full_name(type(value)) == CACHED_FUNCTION and is_users_code(value.__wrapped__):
        return value.__wrapped__
    if not is_code(value):
        return _of_object(value)
    if is_users_code(value):
        return value
    holder = getattr(value, "__self__", None)
    if is_a(value, MethodType | BuiltinFunctionType) and not is_a(holder, ModuleType | type | None):
        owner = _of_value(holder)
        return Owned(f"{owner.name}.{value.__name__}") if isinstance(owner, Owned) else None
    module = module_of(value)
    name = f"{module}.{getattr(value, '__qualname__', '')}".lstrip("_")
    return None if not module or module == "builtins" or origin(module).is_users else Owned(name, value)


def _of_object(value: Any) -> Owned | None:
    """Return an object that a module of its own package keeps: `config` of `from jax import config`."""
    module = module_of(type(value))
    package = top_level(module)
    if module.startswith(_SHELL):  # the shell and its parts; what displays show is not among them
        return Owned(f"IPython.{type(value).__name__}")
    if package in DATA or not module or is_immutable(value) or origin(module).is_users:
        return None
    for place in dict.fromkeys((package, module)):
        for name, held in list(vars(sys.modules.get(place, ast)).items()):
            if held is value and place in sys.modules:
                return Owned(f"{place}.{name}")
    return None


def _attribute(holder: Owned, name: str) -> Any:
    """Return an attribute of something that a library owns, looked up without running anything."""
    if is_a(holder.value, type):
        return Owned(f"{holder.name}.{name}", class_attribute(holder.value, name))
    if not is_a(holder.value, ModuleType):
        return Owned(f"{holder.name}.{name}")
    module = str(vars(holder.value).get("__name__", holder.name))
    found = vars(holder.value).get(name, sys.modules.get(f"{module}.{name}"))
    if is_a(found, ModuleType):
        return _of_value(found)
    if is_code(found) and is_users_code(found):
        return found
    return _passed_on(found, module) or Owned(f"{module}.{name}", found)


def _passed_on(found: Any, module: str) -> Any:
    """Return a function or class that a package passes on from another, as it is known there: `pylab.title`."""
    home = top_level(module_of(found)) if is_code(found) else ""
    # Python's own modules pass on the functions of others that are nobody's business: `os.umask` of `posix`.
    if home in {"", top_level(module), *sys.stdlib_module_names}:
        return None
    return _of_value(found)


def is_carried_object(target: ast.expr, scope: CodeScope) -> bool:
    """Whether a target is a part of settings that are carried, under whatever name: `plt.rcParams`, `pd.options`."""
    node = target
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
        owned = owned_by_library(node, scope)
        if not isinstance(owned, Owned):
            return False
        kind = type(owned.value)
        if kind.__name__ in {"RcParams", "_Environ", "_Environment", "DictWrapper"}:
            return True
    return False
