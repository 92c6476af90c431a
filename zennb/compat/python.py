"""Owns what Python itself keeps under private names, and its recursion limit.

Where a private name is missing, the public way gives the same answer more slowly.
"""

from __future__ import annotations

import copyreg
import dataclasses
import functools
import gc
import itertools
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a
from zennb.with_blocks import block, open_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "CACHED_FUNCTION",
    "CachedFunction",
    "Environ",
    "deep_recursion",
    "environment_data",
    "error_recipe",
    "field_kind",
    "iterator_recipe",
    "own_annotations",
    "recursion_limit",
    "registered_classes",
    "set_causes",
]

Environ: Any = type(os.environ)
"""The class of `os.environ`, as it is before anybody puts another in its place."""

CachedFunction = type(functools.lru_cache(int))
"""The class of functions behind `functools.lru_cache`."""

CACHED_FUNCTION = f"{CachedFunction.__module__}.{CachedFunction.__qualname__}"
"""Its name, by which handlers are found."""

_DEPTH = 5_021
"""Enough frames for any syntax tree that Python compiles. C code takes up to 1 kB of stack for each.

A number that nobody else sets: where this is the limit, `deep_recursion` has set it.
"""

_usual = [sys.getrecursionlimit()]
"""The recursion limit outside of `deep_recursion`."""

_ENVIRONMENT_DATA = "_data"
_FIELD_KIND = "_field_type"


@block
def deep_recursion() -> Iterator[None]:
    """Let code that visits syntax trees recurse more deeply than users' code may.

    Python compiles sums of 900 terms, but visitors take several frames for each level of the tree. Nothing that a user
    wrote may run inside: it would find another limit.
    """
    limit = sys.getrecursionlimit()
    if limit > _DEPTH:
        yield
        return
    if limit != _DEPTH:
        _usual[0] = limit
    try:
        sys.setrecursionlimit(_DEPTH)
        yield
    finally:
        # Not by a counter of our own: an interrupt between two lines here would leave it, and the limit, for good.
        if open_blocks(deep_recursion) == 1:
            sys.setrecursionlimit(_usual[0])


def recursion_limit() -> int:
    """Return the limit as users set it, also while `deep_recursion` holds in another thread."""
    limit = sys.getrecursionlimit()
    return _usual[0] if limit == _DEPTH else limit


def environment_data() -> Mapping[Any, Any]:
    """Return the environment's names and values, both encoded, without its own methods.

    The access tracer replaces these methods while a step runs: what we read through them would count as read by
    the step. The methods of the class that it replaced take about a hundred times as long as the dictionary behind.
    """
    data: Mapping[Any, Any] | None = vars(os.environ).get(_ENVIRONMENT_DATA)
    if data is not None:
        return data
    environ = os.environ
    return {
        environ.encodekey(name): environ.encodevalue(Environ.__getitem__(environ, name))
        for name in Environ.__iter__(environ)
    }


def iterator_recipe(value: Any) -> tuple[Any, ...] | None:
    """Return the pickle recipe of an `itertools.count` or `repeat`, of which Python 3.14 has none; else None.

    It is the recipe that earlier versions give, and those warn when they are asked.
    """
    if type(value) not in {itertools.count, itertools.repeat}:
        return None
    inside = tuple(part for part in gc.get_referents(value) if part is not type(value))
    if type(value) is itertools.count:
        # Number and step; while it counts small numbers in steps of one, the number is no object of Python's.
        return itertools.count, inside if len(inside) > 1 else (int(repr(value)[len("count(") : -1]),)
    try:
        return itertools.repeat, (*inside, value.__length_hint__())
    except TypeError:  # without end
        return itertools.repeat, inside


def own_annotations(thing: type | FunctionType) -> Mapping[str, Any] | None:
    """Return the annotations of a function, or those that a class itself has; None for none.

    Since Python 3.14 both keep a function that gives them when they are asked for, and then remember them. Here it is
    called without that: a name that an annotation mentions may be bound anew before the user's code asks. When such a
    name is not bound yet, the annotations are returned as text.
    """
    if is_a(thing, FunctionType):
        return _of_function(thing)
    held = class_attributes(thing)
    known: Mapping[str, Any] | None = held.get("__annotations__")
    return _of_class(thing, held) if known is None else known


if sys.version_info >= (3, 14):
    import annotationlib
    from annotationlib import Format

    def _of_function(function: FunctionType) -> Mapping[str, Any]:
        annotate = function.__annotate__
        return function.__annotations__ if annotate is None else _called(annotate, function)

    def _of_class(cls: type, held: Mapping[str, Any]) -> Mapping[str, Any] | None:
        annotate = annotationlib.get_annotate_from_class_namespace(held)
        if "__annotations_cache__" in held or annotate is None:
            return held.get("__annotations_cache__") or None  # an empty one only says that somebody asked
        return _called(annotate, cls)

    def _called(annotate: Any, owner: type | FunctionType) -> Mapping[str, Any]:
        try:
            return annotationlib.call_annotate_function(annotate, Format.VALUE, owner=owner)
        except Exception:  # noqa: BLE001 - a name that is not bound yet, or whatever an annotation raises
            return annotationlib.call_annotate_function(annotate, Format.STRING, owner=owner)

else:

    def _of_function(function: FunctionType) -> Mapping[str, Any]:
        return function.__annotations__

    def _of_class(_cls: type, _held: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None


def field_kind(cls: type, field: dataclasses.Field[Any]) -> str:
    """Say whether an entry of `__dataclass_fields__` is a field, a class variable or an argument of `__init__` only."""
    kind = getattr(field, _FIELD_KIND, None)
    if kind is not None:
        return str(kind.name)
    if any(each.name == field.name for each in dataclasses.fields(cls)):
        return "_FIELD"
    is_argument = isinstance(field.type, dataclasses.InitVar) or "InitVar" in str(field.type)
    return "_FIELD_INITVAR" if is_argument else "_FIELD_CLASSVAR"


def registered_classes(cls: type) -> list[str]:
    """Return the dotted names of the classes registered with an abstract class, sorted; none if Python hides them."""
    try:
        from _abc import _get_dump  # type: ignore[import-not-found]  # no stubs: it is Python's own
    except ImportError:
        return []
    found = [each() for each in _get_dump(cls)[0]]
    return sorted(f"{each.__module__}.{each.__qualname__}" for each in found if each is not None)


def error_recipe(value: object) -> Any:
    """Return the pickle recipe of an exception with the causes that it has; else None, or its own if tblib has another.

    dask imports tblib, which registers a recipe for all exceptions of the process, with their tracebacks. It would tell
    an exception from the same one in a kernel without dask, and from itself once its `__dict__` was looked at.
    """
    if not is_a(value, BaseException):
        return None
    causes = [getattr(BaseException, name).__get__(value) for name in _CAUSES]
    if causes[:2] != [None, None]:
        recipe: Any = value.__reduce_ex__(4)  # leaves them out
        make, arguments, *rest = recipe
        return make, arguments, ((rest or [None])[0] or None, *causes), None, None, set_causes
    reducer = copyreg.dispatch_table.get(type(value))
    is_tblibs = str(getattr(reducer, "__module__", "")).startswith("tblib.")
    return value.__reduce_ex__(4) if is_tblibs else None


_CAUSES = ("__cause__", "__context__", "__suppress_context__")


def set_causes(error: BaseException, state: tuple[Any, ...]) -> None:
    """Give a loaded exception its attributes, and the exceptions that it was raised from."""
    own, *causes = state
    if own is not None:
        error.__setstate__(own)
    for name, cause in zip(_CAUSES, causes, strict=True):
        setattr(error, name, cause)
