"""Owns which names a function or class uses in annotations that are kept as text, and where these are looked up."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.python import own_annotations
from zennb.core.reading.annotations import names_in_annotation
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["names_of_annotations", "scope_of"]


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


def _is_literal(annotation: object) -> bool:
    return getattr(getattr(annotation, "__origin__", None), "_name", "") == "Literal"
