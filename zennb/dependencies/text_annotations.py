"""Owns what annotations hold: names, in those that are kept as text, and where these are looked up; and values."""

from __future__ import annotations

import ast
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.python import own_annotations
from zennb.core.reading.annotations import names_in_annotation
from zennb.core.reading.tree import nodes_in
from zennb.digests.function_source import function_node
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["names_of_annotations", "scope_of", "values_of_annotations"]


def names_of_annotations(thing: FunctionType | type) -> dict[str, list[tuple[str, ...]]]:
    """Return name → its dotted uses, in annotations that are a text or hold one, as `list["T"]` does."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for annotation in (own_annotations(thing) or {}).values():
        for text in _texts(annotation):
            for chain in names_in_annotation(text):
                found.setdefault(chain[0], []).append(chain)
    return found


def scope_of(thing: FunctionType | type, namespace: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the global variables of the code that defines a function or class; `namespace` is the notebook's."""
    if is_a(thing, FunctionType):
        return thing.__globals__
    module = module_of(thing)
    if origin(module) is Origin.NOTEBOOK:
        return namespace
    return vars(sys.modules[module]) if module in sys.modules else {}


def _texts(annotation: object) -> Iterator[str]:
    kind = type(annotation)
    if kind is str:
        yield str(annotation)
    elif kind.__name__ == "ForwardRef":
        yield str(getattr(annotation, "__forward_arg__", ""))
    elif not is_a(annotation, type) and not _is_literal(annotation):
        parts = getattr(annotation, "__args__", ())
        for part in parts if type(parts) is tuple else ():
            yield from _texts(part)


def values_of_annotations(function: FunctionType) -> list[object]:
    """Return what annotations were evaluated to and do not say themselves: `OPTIONS` in `Literal[OPTIONS]`.

    A class that an annotation names, as `int` or `pd.DataFrame`, is left out, unless it is the user's own.
    """
    annotations = own_annotations(function) or {}
    if not annotations:
        return []
    node = function_node(function.__code__)
    said = _said(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else frozenset()
    found = (part for annotation in annotations.values() for part in _leaves(annotation))
    return [part for part in found if not _is_said(part, said)]


def _said(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[object]:
    """Return the names and constants in the annotations of a function, with the types of the constants."""
    arguments = [each for each in nodes_in(node.args) if isinstance(each, ast.arg)]
    annotations = filter(None, (*(each.annotation for each in arguments), node.returns))
    parts = [part for each in annotations for part in nodes_in(each)]
    return frozenset(
        part.id
        if isinstance(part, ast.Name)
        else part.attr
        if isinstance(part, ast.Attribute)
        else (type(part.value), part.value)
        for part in parts
        if isinstance(part, ast.Name | ast.Attribute | ast.Constant)
    )


def _is_said(part: object, said: frozenset[object]) -> bool:
    if is_a(part, type):
        is_users = origin(module_of(part)).is_users
        return not is_users and (part.__name__ in said or part is type(None))
    return type(part) in {bool, bytes, int, str, type(None)} and (type(part), part) in said


def _leaves(annotation: object, depth: int = 0) -> Iterator[object]:
    """Yield the classes in an annotation, the values of `Literal`, and what `Annotated` adds."""
    kind = type(annotation)
    if is_a(annotation, type) and not hasattr(annotation, "__args__"):
        yield annotation
    elif kind is not str and kind.__name__ not in {"ForwardRef", "TypeVar"} and depth < _DEEP:
        if _is_literal(annotation):
            yield from getattr(annotation, "__args__", ())
            return
        yield from getattr(annotation, "__metadata__", ())
        parts = getattr(annotation, "__args__", None)
        if type(parts) is tuple:
            for part in parts:
                yield from _leaves(part, depth + 1)
        elif module_of(kind) not in {"typing", "typing_extensions", "types"}:
            yield annotation  # any value may be an annotation


_DEEP = 20
"""Levels of an annotation that are looked at."""


def _is_literal(annotation: object) -> bool:
    return getattr(getattr(annotation, "__origin__", None), "_name", "") == "Literal"
