"""Owns what the names in a function stand for: parts of other things, modules, what it binds itself."""

from __future__ import annotations

import ast
import sys
from enum import Enum, auto
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attribute, is_a
from zennb.core.reading.tree import nodes_in
from zennb.digests.call_effects import LOCAL
from zennb.digests.immutable import is_immutable
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from zennb.digests.function_source import Function

__all__ = [
    "VIEWS",
    "Role",
    "accessors",
    "aliases_in",
    "arguments_of",
    "bound_by",
    "constant_text",
    "defaults_kept",
    "imported_by",
    "kept_places",
    "last_name",
    "parameters_of",
    "runs",
]


class Role(Enum):
    """What the first parameter of a function is, while an object is copied."""

    LOOKED_AT = auto()
    """The user's own object, which has to stay as it is."""

    NEW = auto()
    """The copy, which nobody else has."""

    MAKER = auto()
    """The class. What it makes may be kept to be given again: once for each key, however often it is called."""

    OTHER = auto()
    """Nothing of these. All parameters come from the copy."""


VIEWS = {"type": "__class__", "vars": "__dict__", "globals": ""}
"""Builtin functions that give the class or the attributes of something, or all global variables."""


def aliases_in(nodes: Iterable[ast.AST], bound: Iterable[str]) -> dict[str, ast.expr]:
    """Return which local names stand for a part of something else: `held = self.__dict__`, `for one in ALL`."""
    found: dict[str, ast.expr] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            name, value = (
                node.target.id,
                ast.Subscript(value=node.iter, slice=ast.Constant(0), ctx=ast.Load()),
            )
        else:
            continue
        is_view = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in VIEWS
        if name in bound and (is_view or isinstance(value, ast.Attribute | ast.Subscript | ast.Name)):
            found[name] = value
    return found


def bound_by(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that code binds itself."""
    found: set[str] = set()
    for each in nodes:
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
        elif isinstance(each, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.ClassDef) and each.name:
            found.add(each.name)
    return found


def imported_by(nodes: Iterable[ast.AST]) -> dict[str, Any]:
    """Return what code imports itself, as far as that is loaded."""
    found: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.name if each.asname else each.name.partition(".")[0]
                found[each.asname or name] = sys.modules.get(name, LOCAL)
        elif isinstance(node, ast.ImportFrom):
            home = sys.modules.get(node.module or "")
            for each in node.names:
                held = vars(home).get(each.name, LOCAL) if is_a(home, ModuleType) else LOCAL
                found[each.asname or each.name] = held
    return found


def _mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Return all names and attributes in code."""
    inner = [each for node in nodes for each in nodes_in(node)]
    return {each.id for each in inner if isinstance(each, ast.Name)} | {
        each.attr for each in inner if isinstance(each, ast.Attribute)
    }


def last_name(target: ast.expr) -> str:
    """Return the last name of what is set, or of what an item of is set."""
    held = target.value if isinstance(target, ast.Subscript) else target
    return held.attr if isinstance(held, ast.Attribute) else held.id if isinstance(held, ast.Name) else ""


def constant_text(nodes: Sequence[ast.expr]) -> str:
    """Return the text that the first of some expressions is; "" where it is computed, or there is none."""
    value = nodes[0].value if nodes and isinstance(nodes[0], ast.Constant) else ""
    return value if type(value) is str else ""


def kept_places(nodes: Collection[ast.AST]) -> frozenset[int]:
    """Return the ids of the places where code keeps something, after it has looked whether it is kept already."""
    asked: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            asked |= _mentioned([node.test])
        elif isinstance(node, ast.Try) and node.handlers:
            asked |= _mentioned(node.body)
    assigned = [each for each in nodes if isinstance(each, ast.Assign)]
    for each in assigned:  # `found = cache.get(key)`
        if isinstance(each.targets[0], ast.Name) and each.targets[0].id in asked:
            asked |= _mentioned([each.value])
    return frozenset(
        id(target)
        for each in assigned
        for target in each.targets
        if (name := last_name(target)) in asked and name not in _mentioned([each.value])
    )


def accessors(cls: Any, node: ast.Attribute) -> Iterator[tuple[FunctionType, type | None]]:
    """Yield the functions of the user that reading or setting an attribute of an instance calls.

    With each goes the class of its first parameter, if that is the instance; one of a descriptor gets that first.
    """
    if cls is None:
        return
    reads, held = isinstance(node.ctx, ast.Load), class_attribute(cls, node.attr)
    if is_a(held, property):
        found = [(held.fget if reads else held.fset, cls)]
    else:
        found = [(class_attribute(type(held), "__get__" if reads else "__set__"), None)]
    if not reads:
        found.append((class_attribute(cls, "__setattr__"), cls))
    for function, owner in found:
        if is_a(function, FunctionType) and origin(module_of(function)).is_users:
            yield function, owner


def defaults_kept(function: FunctionType) -> frozenset[str]:
    """Return the parameters whose defaults can be changed: each call gets the same ones."""
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    defaults = [
        *zip(names[len(names) - len(given) :], given, strict=True),
        *(function.__kwdefaults__ or {}).items(),
    ]
    return frozenset(name for name, value in defaults if not is_immutable(value))


def parameters_of(node: Function) -> list[str]:
    """Return the parameters of a function."""
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [each.arg for each in (*named, *filter(None, (given.vararg, given.kwarg)))]


def arguments_of(names: Sequence[str], call: ast.Call) -> dict[str, ast.expr]:
    """Return which parameters, in their order, get what from a call; nothing where that is not written out."""
    if any(isinstance(each, ast.Starred) for each in call.args):
        return {}
    by_name = {each.arg: each.value for each in call.keywords if each.arg}
    return {**dict(zip(names, call.args, strict=False)), **by_name}


def runs(callee: ast.expr, found: str) -> str:
    """Return what a call does whose function does what was found."""
    return f"calls `{ast.unparse(callee)}`, which {found}" if found else ""
