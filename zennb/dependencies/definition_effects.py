"""Owns the search for what executing definitions again would repeat, or do differently.

Most definitions only define. But decorators, default arguments and the bodies of classes are evaluated, too, and what
they call may change something, or give another value than it gave the first time.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.reading.definitions import definitions
from zennb.core.reading.tree import child_nodes, nodes_in
from zennb.digests.call_effects import (
    CALLS_GIVEN,
    CallScope,
    evaluation,
    found_in,
    nodes_run,
    of_body,
    of_decorator,
    of_function,
    of_store,
    of_value,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["effects_of_evaluation", "effects_when_defined"]


def effects_when_defined(tree: ast.Module, names: Iterable[str], namespace: Mapping[str, Any]) -> str:
    """Return why the definitions of a cell cannot be executed again unnoticed: what they do; "" when they only define.

    Args:
        tree: the cell.
        names: what reuse defines again.
        namespace: where it has run.
    """
    statements = definitions(tree, names) or []
    own = frozenset(name for node in statements for name in _bound(node))
    scope = CallScope(namespace=namespace, local=frozenset(), own=own)
    for statement in statements:
        try:
            for name, trouble in _troubles(statement, scope):
                return f"defining `{name}` {trouble}"
        except Exception:  # noqa: BLE001 - a value of the user's may raise whatever it is asked, even for its class
            return f"defining `{next(iter(_bound(statement)), 'it')}` uses a value that cannot be looked at"
    return ""


def effects_of_evaluation(nodes: Iterable[ast.expr], namespace: Mapping[str, Any]) -> str:
    """Return what evaluating expressions does beyond giving values; "" for nothing."""
    return next(found_in(evaluation(nodes, CallScope(namespace=namespace, local=frozenset()))), "")


# Definitions


def _troubles(node: ast.stmt, scope: CallScope) -> Iterator[tuple[str, str]]:
    """Yield name of a definition and what it does beyond defining."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found = [*evaluation([*node.decorator_list, *_evaluated(node)], scope)]
        applied = [of_decorator(each, scope) for each in node.decorator_list]
        if CALLS_GIVEN in "".join(applied) and not isinstance(node, ast.ClassDef):
            deeper = replace(scope, depth=scope.depth + 1)
            applied = [
                of_body(node, deeper, returned=False) if CALLS_GIVEN in each else each for each in applied
            ]
        found += applied
        if isinstance(node, ast.ClassDef):
            found += [_subclassing(each, scope) for each in _evaluated(node)]
            inside = replace(scope, local=scope.local | {name for each in node.body for name in _bound(each)})
            found += [each for statement in node.body for _, each in _troubles(statement, inside)]
        yield from ((node.name, each) for each in found if each)
    elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
        for child in child_nodes(node):
            inner: list[ast.AST] = [*child.body] if isinstance(child, ast.ExceptHandler) else [child]
            inner = [child.context_expr] if isinstance(child, ast.withitem) else inner
            for each in inner:
                if isinstance(each, ast.stmt):
                    yield from _troubles(each, scope)
                elif isinstance(each, ast.expr):
                    yield from (("this", found) for found in found_in(evaluation([each], scope)))
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        name = next(iter(_bound(node)), "this")
        changed = [of_store(part, scope) for part in nodes_run([node])]
        yield from ((name, each) for each in (*changed, *evaluation([node], scope)) if each)


def _evaluated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.expr]:
    """Return what is evaluated with a definition, besides its decorators."""
    if isinstance(node, ast.ClassDef):
        return [*node.bases, *(each.value for each in node.keywords)]
    return [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]


def _subclassing(base: ast.expr, scope: CallScope) -> str:
    """Return what a base or metaclass does when a class is made of it."""
    value = value_of(
        base.value if isinstance(base, ast.Subscript) else base, scope
    )  # `Base[int]` is made of `Base`
    if not isinstance(value, type):
        return ""
    maker = value if issubclass(value, type) else type(value)
    hook = getattr(inspect.getattr_static(value, "__init_subclass__", None), "__func__", None)
    return of_function(hook, scope) or of_value(maker, scope)


def _bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [each.asname or each.name.partition(".")[0] for each in node.names]
    return [
        each.id for each in nodes_in(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
