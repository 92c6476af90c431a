"""Owns whether the value of an expression can change: a number cannot, a list can, an iterator does when used."""

from __future__ import annotations

import ast
from enum import IntEnum
from typing import TYPE_CHECKING

from zennb.core.reading.tree import nodes_in
from zennb.provenance.calls import SCALAR_MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Shape", "holds_no_code", "shape_of", "shape_of_type"]


class Shape(IntEnum):
    """How a value can change.

    FIXED: immutable, and sharing nothing: numbers, strings. PLAIN: data that only mutating operations change: lists,
    arrays, data frames. ANY: any use may change it: iterators, objects.
    """

    FIXED = 0
    PLAIN = 1
    ANY = 2


_CONTAINERS = frozenset(
    {"bytearray", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"}
)
_PLAIN_LIBRARIES = frozenset({"json", "numpy", "pandas", "polars", "pyarrow"})
_FIXED_LIBRARIES = frozenset({"math", "statistics"})
_ITERATING = frozenset(
    {"Generator", "RandomState", "chunksize", "default_rng", "iterator", "nditer", "vectorize"}
)
_FIXED_TYPES = frozenset({"bool", "bytes", "complex", "float", "int", "NoneType", "str"})
_PLAIN_TYPES = frozenset({"bytearray", "dict", "frozenset", "list", "set", "tuple"})


def shape_of_type(name: str, *, needs: Iterable[str] = ()) -> Shape:
    """Return the shape of a stored value.

    Args:
        name: its type as text: `int`, `pandas.DataFrame`.
        needs: classes and functions of the notebook that it refers to.
    """
    short = name.removeprefix("builtins.")
    if short in _FIXED_TYPES:
        return Shape.FIXED
    is_plain = short in _PLAIN_TYPES or name.partition(".")[0] in _PLAIN_LIBRARIES
    return Shape.PLAIN if is_plain and not tuple(needs) else Shape.ANY


def holds_no_code(name: str) -> bool:
    """Whether values of a type hold neither functions nor classes: numbers, texts, arrays and frames."""
    return name.removeprefix("builtins.") in _FIXED_TYPES or name.partition(".")[0] in _PLAIN_LIBRARIES


def shape_of(
    node: ast.expr, *, name: Callable[[str], Shape | None], module: Callable[[str], str | None]
) -> Shape:
    """Return the shape of what an expression makes.

    Args:
        node: the expression.
        name: returns the shape of a name's value; None when the notebook has no such name.
        module: returns the dotted name that a name was imported as; None for any other name.
    """
    return _Shapes(name, module).of(node)


class _Shapes:
    def __init__(
        self,
        name: Callable[[str], Shape | None],
        module: Callable[[str], str | None],
        own: Mapping[str, Shape] | None = None,
    ) -> None:
        self._name, self._module, self._own = name, module, own or {}

    def of(self, node: ast.expr) -> Shape:  # noqa: C901, PLR0912 - one case for each kind of expression
        match node:
            case ast.Constant() | ast.JoinedStr():
                return Shape.FIXED
            case ast.Name(id=name):
                return self._of_name(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Shape.FIXED if self.of(operand) < Shape.ANY else Shape.ANY
            case ast.UnaryOp(operand=value) | ast.Starred(value=value):
                return self.of(value)
            case ast.BinOp(left=left, right=right):
                return self._all([left, right])
            case ast.Compare(left=left, comparators=others):
                return self._all([left, *others])
            case ast.BoolOp(values=values):
                return self._all(values)
            case ast.IfExp(body=body, orelse=orelse):
                return self._all([body, orelse])
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return max(Shape.PLAIN, self._all(parts))
            case ast.Dict(keys=keys, values=values):
                return max(Shape.PLAIN, self._all([*(key for key in keys if key is not None), *values]))
            case ast.ListComp(elt=part, generators=loops) | ast.SetComp(elt=part, generators=loops):
                return self._of_comprehension([part], loops)
            case ast.DictComp(key=key, value=value, generators=loops):
                return self._of_comprehension([key, value], loops)
            case ast.Subscript(value=value):
                return self.of(value)
            case ast.Attribute(value=value):
                return self._of_attribute(value)
            case ast.Call():
                return self._of_call(node)
        return Shape.ANY

    def _all(self, nodes: Iterable[ast.expr]) -> Shape:
        # What is made of parts can change like the most changeable of them. A loop, as C code like `max` must not
        # recurse as deeply as a sum of 900 terms on early releases of Python 3.12.
        most = Shape.FIXED
        for node in nodes:
            most = max(most, self.of(node))
        return most

    def _of_name(self, name: str) -> Shape:
        if name in self._own:
            return self._own[name]
        found = self._name(name)
        return Shape.ANY if found is None else found

    def _of_comprehension(self, parts: list[ast.expr], loops: list[ast.comprehension]) -> Shape:
        own = dict(self._own)
        for loop in loops:
            shape = self.of(loop.iter)
            own.update((one.id, shape) for one in nodes_in(loop.target) if isinstance(one, ast.Name))
        return max(Shape.PLAIN, _Shapes(self._name, self._module, own)._all(parts))  # noqa: SLF001 - of this class

    def _of_attribute(self, value: ast.expr) -> Shape:
        library = self._library(value)
        if library is not None:
            return Shape.PLAIN if library in _PLAIN_LIBRARIES | _FIXED_LIBRARIES else Shape.ANY
        return self.of(value)

    def _of_call(self, node: ast.Call) -> Shape:
        given = [*node.args, *(each.value for each in node.keywords)]
        words = {each.arg for each in node.keywords}
        if isinstance(node.func, ast.Name):
            name = node.func.id
            # Only if the notebook has not bound the name: `list` may be anything then.
            if self._name(name) is None and self._module(name) is None and name not in self._own:
                if name in SCALAR_MAKERS:
                    return Shape.FIXED
                return max(Shape.PLAIN, self._all(given)) if name in _CONTAINERS else Shape.ANY
            library = (self._module(name) or "").partition(".")[0]
            return self._of_library(library, name, words)
        if not isinstance(node.func, ast.Attribute):
            return Shape.ANY
        library = self._library(node.func.value) or ""
        if library:
            return self._of_library(library, node.func.attr, words)
        receiver = self.of(node.func.value)
        # A method of data may hand out data again (`df.head()`), unless an argument, e.g. a
        # function, could change something.
        if (
            receiver is Shape.ANY
            or node.func.attr.startswith(("iter", "__"))
            or self._all(given) is Shape.ANY
        ):
            return Shape.ANY
        return receiver

    def _of_library(self, library: str, name: str, words: set[str | None]) -> Shape:
        if library in _FIXED_LIBRARIES:
            return Shape.FIXED
        is_plain = library in _PLAIN_LIBRARIES and _ITERATING.isdisjoint({name, *words})
        return Shape.PLAIN if is_plain else Shape.ANY

    def _library(self, node: ast.expr) -> str | None:
        while isinstance(node, ast.Attribute):
            node = node.value
        path = self._module(node.id) if isinstance(node, ast.Name) and node.id not in self._own else None
        return None if path is None else path.partition(".")[0]
