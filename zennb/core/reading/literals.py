"""Owns literal values in source code, such as `3`, `[1, 2]` or `60 * 60`. They are read without running the code."""

from __future__ import annotations

import ast
import operator
from typing import Any

__all__ = ["NOT_WRITTEN_OUT", "is_immutable", "is_immutable_literal", "written_out"]

NOT_WRITTEN_OUT = object()
"""Returned for an expression whose value is only known by running it."""

_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_LARGEST_POWER, _LARGEST_BASE = 64, 1e9


def written_out(node: ast.expr) -> Any:
    """Return the value of a literal expression such as `3`, `[1, {"a": 2}]` or `60 * 60`; else `NOT_WRITTEN_OUT`."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
        return NOT_WRITTEN_OUT
    left, right = written_out(node.left), written_out(node.right)
    if not (type(left) in {int, float} and type(right) in {int, float}):
        return NOT_WRITTEN_OUT
    # Reading a notebook must not compute `9 ** 9 ** 9`.
    if isinstance(node.op, ast.Pow) and (abs(right) > _LARGEST_POWER or abs(left) > _LARGEST_BASE):
        return NOT_WRITTEN_OUT
    try:
        return _OPERATORS[type(node.op)](left, right)
    except ArithmeticError:
        return NOT_WRITTEN_OUT


def is_immutable(value: Any) -> bool:
    """Whether a literal value is immutable."""
    if isinstance(value, tuple):
        return all(is_immutable(each) for each in value)
    return isinstance(value, int | float | complex | str | bytes | None)


def is_immutable_literal(node: ast.expr) -> bool:
    """Whether an expression is a literal with an immutable value."""
    value = written_out(node)
    return value is not NOT_WRITTEN_OUT and is_immutable(value)
