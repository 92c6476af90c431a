"""Owns whether making an object may give one that exists already: a singleton, or one that is kept for each key.

Whoever loads a copy of it gets the object itself, and what the copy holds is then written into it.
"""

from __future__ import annotations

import ast
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attribute, is_a
from zennb.compat.python import CACHED_FUNCTION
from zennb.digests.call_effects import DEEPEST, CallScope, value_of
from zennb.digests.code_names import Role
from zennb.digests.copied_code import CopiedCode, code_of
from zennb.packages.origin import full_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["may_give_existing"]

_GETTING = frozenset({"__getitem__", "get", "pop", "popitem", "setdefault"})
"""Methods that give a part of what they belong to."""


def may_give_existing(function: Any, role: Role, cls: type | None) -> bool:
    """Whether a function that makes objects may give one that others have.

    Args:
        function: `__new__`, or a function that a pickle recipe calls.
        role: what its first parameter is.
        cls: the class of the object.
    """
    try:
        return _gives(function, CallScope(namespace={}, local=frozenset()), role, cls)
    except Exception:  # noqa: BLE001 - a value of the user's may raise whatever it is asked
        return True


def _gives(function: Any, scope: CallScope, role: Role, cls: type | None) -> bool:
    if is_a(function, staticmethod | classmethod):
        function = function.__func__
    if full_name(type(function)) == CACHED_FUNCTION:
        return True
    code = code_of(function, scope, role, cls) if is_a(function, FunctionType) else ""
    return not is_a(code, str) and any(_is_existing(each, code) for each in code.results)


def _is_existing(node: ast.expr, code: CopiedCode) -> bool:
    """Whether an expression may stand for what others have."""
    again = partial(_is_existing, code=code)
    if isinstance(node, ast.IfExp):
        return again(node.body) or again(node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(map(again, node.values))
    if isinstance(node, ast.NamedExpr):
        return again(node.value)
    if isinstance(node, ast.Name) and node.id in code.scope.local:
        return any(map(again, _bound_to(node.id, code)))
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return bool(code.shared(node))
    if not isinstance(node, ast.Call) or code.scope.depth >= DEEPEST:
        return False
    callee = node.func
    if isinstance(callee, ast.Attribute):
        if callee.attr in _GETTING and code.shared(callee.value):
            return True
        root = callee.value.id if isinstance(callee.value, ast.Name) else ""
        if root in code.classes:
            own = class_attribute(code.classes[root], callee.attr)
            role = Role.MAKER if is_a(own, classmethod) else Role.OTHER
            return callee.attr != "__new__" and _gives(own, code.scope, role, code.classes[root])
    return _gives(value_of(callee, code.scope), code.scope, Role.OTHER, None)


def _bound_to(name: str, code: CopiedCode) -> Iterator[ast.expr]:
    for node in code.nodes:
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == name for each in node.targets
        ):
            if not (isinstance(node.value, ast.Name) and node.value.id == name):
                yield node.value
        elif isinstance(node, ast.NamedExpr) and node.target.id == name:
            yield node.value
