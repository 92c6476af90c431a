"""Owns how the values that a step showed last (IPython's `_` and `Out[n]`) are stored with it.

Most of them have a name: they are an output, or a part of one. Others are stored with the step, if they are small.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from zennb.compat.instances import attributes_of, elements_of, is_a, is_one_of, module_name
from zennb.core.reading.literals import written_out
from zennb.digests.digest import SCALARS, digest_value
from zennb.engine.step.shared_state import share
from zennb.errors import CannotDigest, NotStorable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.digests.digest import ValueDigest

__all__ = ["LARGEST", "MISSING", "NAMED", "STORED", "VALUE", "Note", "Storing", "noted", "part_at"]

Note: TypeAlias = tuple[Any, ...]
"""How a value comes back: `(VALUE, value)`, `(NAMED, name, steps to a part)`, `(STORED, bytes)`, `(MISSING, why)`."""

VALUE, NAMED, STORED, MISSING = "value", "named", "stored", "missing"

LARGEST = 4_000_000
"""Bytes of a value without a name that are stored. It is written with every run, and seldom read."""

_LONG = 10_000  # characters of a text that is stored as it is
_ABSENT = object()


class Storing(Protocol):
    """The part of an artifact repository that is used here."""

    def dump_unnamed(self, value: object, digest: str, *, largest: int) -> bytes:
        """Return a value as bytes, or raise `NotStorable`."""


def noted(
    values: Sequence[object],
    last: ast.expr | None,
    *,
    named: Mapping[str, object],
    outputs: Mapping[str, tuple[Any, ValueDigest]],
    storing: Storing,
) -> list[Note]:
    """Return how values that a step showed come back on reuse.

    Args:
        values: the values, in order.
        last: the expression that gave the last one, where it is known.
        named: the step's outputs, definitions and inputs by name.
        outputs: the outputs with their digests.
        storing: stores a value that has no name.
    """
    names = {id(value): name for name, value in named.items()}
    found: list[Note] = []
    for place, value in enumerate(values):
        path = _path(last) if place == len(values) - 1 else None
        if _is_short(value):
            found.append((VALUE, value))
        elif id(value) in names:
            found.append((NAMED, names[id(value)], []))
        elif path is not None and path[0] in named and part_at(named[path[0]], path[1:]) is value:
            found.append((NAMED, path[0], path[1:]))
        else:
            found.append(_unnamed(value, outputs, storing))
    return found


def _is_short(value: object) -> bool:
    kind = type(value)
    return kind in SCALARS and (kind not in {str, bytes} or len(value) <= _LONG)  # type: ignore[arg-type]


def _unnamed(value: object, outputs: Mapping[str, tuple[Any, ValueDigest]], storing: Storing) -> Note:
    """Return how a value comes back that is no part of what the step bound."""
    if _is_drawing(value):
        return (MISSING, "is a part of a drawing")
    try:
        seen = digest_value(value, name="it")
        shared = next((name for name, (_, each) in outputs.items() if share(seen, each)), "")
        if shared:
            return (MISSING, f"shares state with `{shared}`")
        return (STORED, storing.dump_unnamed(value, seen.digest, largest=LARGEST))
    except CannotDigest as error:
        return (MISSING, f"is {error.why}" if error.path == "it" else f"contains {error.why}")
    except NotStorable as error:
        return (MISSING, error.message)


def _path(node: ast.expr | None) -> list[Any] | None:
    """Return the name and the steps of an expression such as `xs[0]["a"].b`; None for any other."""
    steps: list[Any] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            steps.append(f".{node.attr}")
        else:
            key = written_out(node.slice)
            if not is_one_of(key, {int, str}):
                return None
            steps.append([key])
        node = node.value
    return [node.id, *reversed(steps)] if isinstance(node, ast.Name) else None


def part_at(value: object, steps: Sequence[Any]) -> object:
    """Return the part of a value at the end of some steps, each an attribute (`.name`) or a key; runs no code."""
    for step in steps:
        if isinstance(step, str):
            value = attributes_of(value).get(step[1:], _ABSENT)
        elif type(value) is dict:
            value = value.get(step[0], _ABSENT)
        elif is_one_of(value, {list, tuple}) and type(step[0]) is int:
            try:
                value = value[step[0]]  # type: ignore[index] # it is a list or tuple
            except IndexError:
                return _ABSENT
        else:
            return _ABSENT
    return value


def _is_drawing(value: object, depth: int = 2) -> bool:
    """Whether a value is a part of a matplotlib figure, or a collection of such: it would be stored with the figure."""
    if module_name(type(value)).partition(".")[0] == "matplotlib":
        return True
    if module_name(type(value)) == "numpy" and getattr(value, "dtype", None) == "O":
        value = list(value.ravel()[:3])  # type: ignore[attr-defined] # it is an array
    if not depth or not is_a(value, list | tuple):
        return False
    return any(_is_drawing(each, depth - 1) for each, _ in zip(elements_of(value), range(5), strict=False))
