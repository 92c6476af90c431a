"""Owns the search for what a cell does for its effect on libraries: bare calls, registrations, attributes it sets.

A bare call to a library, whose result nobody keeps, is made for its effect. Calls that work on what they are given, and
those that are known to be harmless or carried in another way (`known_calls`), do not count.
"""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.compat.instances import class_attribute, is_a
from zennb.core.reading.definitions import flattened
from zennb.core.reading.scopes import last_name
from zennb.core.reading.tree import child_nodes, nodes_in
from zennb.dependencies.callables import is_code, is_users_code
from zennb.dependencies.known_calls import (
    is_carried,
    is_changing_sql,
    is_decorator,
    is_known_harmless,
    sets_when_assigned,
    sets_when_given,
    surely_sets,
)
from zennb.dependencies.library_objects import (
    Aliases,
    CodeScope,
    Owned,
    is_carried_object,
    meant_by,
    owned_by_library,
)
from zennb.dependencies.statement_parts import (
    arguments_of,
    evaluated_in,
    imported_in,
    statements_in,
    targets_of,
)
from zennb.digests.function_source import closure_of, function_node
from zennb.digests.immutable import is_immutable
from zennb.digests.known_effects import DATA
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LibraryEffect", "library_effects", "may_have_effects"]

_DEEPEST = 6
"""Calls that are followed from function to function."""

_WORKING = ("apply", "init", "reset", "set", "update", "use")
"""What begins the names of functions that set something of what they are given, if that can be changed."""

_CHANGING = frozenset(
    {"add", "append", "appendleft", "clear", "difference_update", "discard", "extend"}
    | {"extendleft", "insert", "intersection_update", "pop", "popitem", "popleft"}
    | {"remove", "reverse", "rotate", "setdefault", "sort", "symmetric_difference_update", "update"}
)
"""Methods by which plain containers are changed."""

_BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.ClassDef,
    ast.Match,
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryEffect:
    """Something that a cell does for its effect on a library.

    Attributes:
        statement: the statement of the cell.
        place: its position in the cell.
        name: dotted name of what is called or set.
        node: the call, the decorator, or the target that is set.
        is_inner: whether it happens in a function that the cell calls, in a loop or under a condition.
    """

    statement: ast.stmt
    place: int
    name: str
    node: ast.expr
    is_inner: bool

    @property
    def is_set(self) -> bool:
        """Whether an attribute or item is set or deleted."""
        return isinstance(getattr(self.node, "ctx", None), ast.Store | ast.Del)


def library_effects(
    tree: ast.Module, namespace: Mapping[str, Any], *, aliases: Aliases, shows: bool
) -> Iterator[LibraryEffect]:
    """Yield what a cell that has run does for its effect on libraries, in order.

    Args:
        tree: the cell.
        namespace: the notebook's variables, after it ran.
        aliases: variables that hold what belongs to a library; those of this cell are added.
        shows: whether the value of its last expression was displayed: then that call may have been made for its value.
    """
    statements = list(flattened(tree.body))
    scope = CodeScope(namespace=namespace, aliases=aliases)
    for place, statement in enumerate(statements):
        is_shown = shows and statement is statements[-1]
        for name, node, is_inner in _effects(statement, scope, is_shown=is_shown):
            yield LibraryEffect(statement=statement, place=place, name=name, node=node, is_inner=is_inner)


def may_have_effects(tree: ast.Module) -> bool:
    """Whether a cell calls something as a statement of its own, or sets an attribute or item, wherever in it."""
    return any(
        (isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await))
        or (isinstance(node, ast.Name | ast.Attribute) and sets_when_assigned(last_name(node)))
        or (isinstance(node, ast.FunctionDef | ast.ClassDef) and bool(node.decorator_list))
        for node in nodes_in(tree)
    )


_Found: TypeAlias = tuple[str, ast.expr, bool]


def _effects(node: ast.stmt, scope: CodeScope, *, is_shown: bool = False) -> Iterator[_Found]:
    yield from ((name, at, True) for name, at in _in_functions(node, scope))
    if isinstance(node, _DEFINITIONS):
        yield from _decorated(node, scope)
    if isinstance(node, _BLOCKS):
        yield from _checked(node, scope)
        for child in statements_in(node):
            yield from ((name, at, True) for name, at, _ in _direct(child, scope))
    else:
        yield from _direct(node, scope, is_shown=is_shown)


def _direct(node: ast.stmt, scope: CodeScope, *, is_shown: bool = False) -> Iterator[_Found]:
    """Yield the effects of one statement itself."""
    if isinstance(node, ast.Expr):
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(called, ast.Call):
            yield from _bare(called, scope, is_shown=is_shown)
            for part in _parts_of_call(called):
                yield from _named(part, scope)
        else:
            yield from _within(called, scope)
        return
    yield from _checked(node, scope)
    targets = targets_of(node)
    for target in targets:
        if isinstance(target, ast.Attribute | ast.Subscript):
            owned = owned_by_library(target, scope)
            is_seen = is_carried(owned.name) if isinstance(owned, Owned) else True
            if not is_seen and not is_carried_object(target, scope):
                yield owned.name, target, False
    value: object = getattr(node, "value", None)
    names = [each.id for each in targets if isinstance(each, ast.Name)]
    if isinstance(value, ast.Call) and names and all(set(name) == {"_"} for name in names):
        yield from _bare(value, scope, is_shown=False)
    elif isinstance(value, ast.expr) and not isinstance(value, ast.Lambda):  # which is only defined here
        yield from _within(value, scope)
    if isinstance(node, ast.Assign) and len(targets) == 1 and isinstance(targets[0], ast.Name):
        _note_alias(targets[0].id, node.value, scope)


def _checked(node: ast.stmt, scope: CodeScope) -> Iterator[_Found]:
    """Yield the calls that surely set something in what a statement decides by or checks."""
    for each in evaluated_in(node):
        yield from ((name, at, True) for name, at, _ in _within(each, scope))


def _within(expression: ast.expr, scope: CodeScope) -> Iterator[_Found]:
    """Yield the calls that surely set something inside an expression: `[register(each) for each in kinds]`.

    In lambdas, too, as whoever gets one calls it; and functions that set something where they are handed over.
    """
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Lambda):
            inner = replace(scope, local=scope.local | arguments_of(node.args))
            yield from ((name, at, True) for name, at, _ in _named(node.body, inner))
            continue
        meant = meant_by(node, scope) if isinstance(node, ast.Call) else node
        if node is not expression and isinstance(meant, ast.Name | ast.Attribute):
            yield from _handed_over(meant, scope)
            waiting += child_nodes(meant)
            continue
        if not isinstance(node, ast.Call):
            waiting += child_nodes(node)
            continue
        owned = owned_by_library(node.func, scope)
        is_set = is_a(owned, Owned) and _sets(owned.name, node)
        if is_set:
            yield from (
                (name, at, node is not expression) for name, at, _ in _bare(node, scope, is_shown=False)
            )
        waiting += [part for part in _parts_of_call(node) if not is_set or part is not node.func]


def _named(node: ast.expr, scope: CodeScope) -> Iterator[_Found]:
    """Yield the effects inside a part of an expression, which may be a function that sets something."""
    yield from _handed_over(node, scope)
    yield from ((name, at, True) for name, at, _ in _within(node, scope))


def _handed_over(node: ast.expr, scope: CodeScope) -> Iterator[_Found]:
    """Yield a function that sets something, if an expression is its name."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        is_meant = isinstance(node, ast.Name) or sets_when_assigned(node.attr)
        owned = owned_by_library(node, scope) if is_meant else None
        if (
            isinstance(owned, Owned)
            and is_code(owned.value)
            and not is_a(owned.value, type)
            and sets_when_assigned(owned.name)
            and not is_carried(owned.name)
            and not is_known_harmless(owned.name)
        ):
            yield owned.name, node, True


def _parts_of_call(call: ast.Call) -> list[ast.expr]:
    """Return what a call is given, and what gives the function if that is no plain name: `(lambda: ...)()`."""
    func = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return [*_arguments(call), *([] if isinstance(func, ast.Name) else [func])]


def _sets(name: str, call: ast.Call) -> bool:
    return sets_when_assigned(name) or (bool(call.args) and sets_when_given(name))


def _note_alias(name: str, value: ast.expr, scope: CodeScope) -> None:
    """Note that a variable holds something that a library handed out; modules and functions show that themselves."""
    owned = (
        owned_by_library(value, scope)
        if isinstance(value, ast.Call | ast.Attribute | ast.Subscript)
        else None
    )
    held = scope.namespace.get(name)
    if name in scope.local and isinstance(owned, Owned):  # what a function holds is not known
        scope.aliases[name] = (replace(owned, value=None), 0)
        return
    known = isinstance(owned, Owned) and not is_a(owned.value, ModuleType) and not is_code(held)
    home = top_level(module_of(type(held)))
    if known and not is_immutable(held) and (home not in DATA or isinstance(value, ast.Attribute)):
        assert isinstance(owned, Owned)
        scope.aliases[name] = (replace(owned, value=None), id(held))
    else:
        scope.aliases.pop(name, None)


# Calls


def _bare(call: ast.Call, scope: CodeScope, *, is_shown: bool) -> Iterator[_Found]:
    """Yield a call whose result nobody keeps, if it is made for its effect on a library."""
    if isinstance(call.func, ast.Name) and call.func.id in {"setattr", "delattr"} and call.args:
        owned = owned_by_library(call.args[0], scope)
        if isinstance(owned, Owned):
            keys = [each.value for each in call.args[1:2] if isinstance(each, ast.Constant)]
            yield ".".join([owned.name, *map(str, keys)]), call, False
        return
    owned = owned_by_library(call.func, scope)
    if isinstance(owned, Owned) and _is_effect(owned, call, scope, is_shown=is_shown):
        yield owned.name, call, False


def _is_effect(owned: Owned, call: ast.Call, scope: CodeScope, *, is_shown: bool) -> bool:
    name = owned.name
    if is_carried(name):
        return False
    if _changes_container(call, scope):  # whatever it is given
        return True
    if is_known_harmless(name):
        return False
    if call.args and sets_when_given(name):
        return True
    if not surely_sets(name) and not any(map(is_changing_sql, _texts(call, scope))):
        # What is given data works on them; what is given none works on the library.
        return not is_shown and not any(_is_data(each, scope) for each in _arguments(call))
    first = call.args[0] if call.args else None
    works = name.rpartition(".")[2].startswith(_WORKING)
    if works and isinstance(first, ast.Name) and first.id not in scope.local:
        # `setp(lines, ...)` sets something of the lines.
        return not _is_data(first, scope) or is_a(scope.namespace.get(first.id), dict)
    return True


def _changes_container(call: ast.Call, scope: CodeScope) -> bool:
    """Whether a call adds to, or takes from, a plain container of a library: `sys.meta_path.append(finder)`."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CHANGING:
        return False
    holder = owned_by_library(call.func.value, scope)
    return isinstance(holder, Owned) and is_a(holder.value, list | dict | set | deque)


def _texts(call: ast.Call, scope: CodeScope) -> Iterator[str]:
    for each in call.args:
        value = each.value if isinstance(each, ast.Constant) else None
        if isinstance(each, ast.Name) and each.id not in scope.local:
            value = scope.namespace.get(each.id)
        if isinstance(value, str):
            yield value


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (each.value for each in call.keywords)


def _is_data(node: ast.expr, scope: CodeScope) -> bool:
    """Whether an argument is, or holds, a variable that can be changed."""
    for one in nodes_in(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            if one.id in scope.local:
                return True
            value = scope.namespace.get(one.id)
            known = is_a(value, ModuleType) or is_code(value) or is_immutable(value)
            if (
                one.id in scope.namespace
                and not known
                and not isinstance(owned_by_library(one, scope), Owned)
            ):
                return True
    return False


def _decorated(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: CodeScope
) -> Iterator[_Found]:
    for each in node.decorator_list:
        owned = owned_by_library(each.func if isinstance(each, ast.Call) else each, scope)
        if isinstance(owned, Owned) and is_decorator(owned.name):
            yield owned.name, each, False


# Functions of the user


def _in_functions(node: ast.AST, scope: CodeScope) -> Iterator[tuple[str, ast.expr]]:
    """Yield the effects of the user's functions that a statement calls."""
    if scope.depth >= _DEEPEST:
        return
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Lambda) or (
            isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one is not node
        ):
            continue
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*one.decorator_list, *one.args.defaults]
            continue
        waiting += child_nodes(one)
        if isinstance(one, ast.Call):
            handed = [each for each in _arguments(one) if isinstance(each, ast.Name | ast.Attribute)]
            for each in (one.func, *handed):  # who gets a function calls it
                called = owned_by_library(each, scope)
                if is_a(called, type) and each is one.func:
                    called = class_attribute(called, "__init__")
                is_function = is_a(called, FunctionType) and is_users_code(called)
                if is_function and id(called.__code__) not in scope.met:
                    scope.met.add(id(called.__code__))
                    yield from ((name, one) for name in _of_function(called, scope))


def _of_function(function: FunctionType, scope: CodeScope) -> Iterator[str]:
    body = function_node(function.__code__)
    if body is None:
        return
    namespace = {**function.__globals__, **closure_of(function), **imported_in(body)}
    bound = {one.id for one in nodes_in(body) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    aliases: Aliases = {}
    inner = replace(
        scope,
        namespace=namespace,
        aliases=aliases,
        local=arguments_of(body.args) | bound,
        depth=scope.depth + 1,
    )
    if isinstance(body, ast.Lambda):
        yield from (name for name, _, _ in _named(body.body, inner))
        yield from (name for name, _ in _in_functions(ast.Expr(body.body), inner))
        return
    for statement in body.body:
        yield from (name for name, _, _ in _effects(statement, inner))
