"""Owns what refuses to be stored: the search for the part of a value at fault, and values that come back changed."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import islice
from time import monotonic
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import (
    attributes_of,
    elements_of,
    error_line,
    is_a,
    plain,
    slot_values,
)
from zennb.digests.digest import digest as digest_of
from zennb.errors import NotStorable
from zennb.materializers.summary import type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "find_unpicklable",
    "not_loaded",
    "refusal",
    "refuse_changed",
]

_SECONDS = 2.0
_DEPTH = 12
_PARTS = 200


def refusal(
    value: Any, name: str, store: Callable[[Any], object], error: Exception, *, together: bool
) -> NotStorable:
    """Return the error for a value that cannot be stored, or variables `together`; it names the part at fault."""
    if together:  # the one among them that is at fault, as the cell names it
        found = _first_refused(value, store, {id(value)}, monotonic() + _SECONDS)
        if found is not None:
            _, part, error = found
            name = next((each for each, held in value.items() if held is part), name)
            value = part
    path, part, why = find_unpicklable(value, name, store, error)
    return NotStorable(
        f"`{path}` is a {type_text(part)}, which cannot be stored ({why}). Keep it in a name that starts "
        "with `_`, which is the step's own, or name with -o the outputs to store.",
        path=path,
    )


def not_loaded(value: Any, name: str, error: Exception, *, together: bool) -> NotStorable:
    """Return the error for a value, or variables `together`, that can be pickled but not loaded again."""
    what = f"is a {type_text(value)}, which"
    return NotStorable(
        f"`{name}` {'share state and' if together else what} can be pickled but not loaded again "
        f"({error_line(error)}). Keep it in a name that starts with `_`, or store its parts.",
        path=name,
    )


def find_unpicklable(
    value: Any, name: str, store: Callable[[Any], object], error: Exception
) -> tuple[str, Any, str]:
    """Return the path of the innermost part of `value` that `store` refuses, the part itself, and the reason.

    Args:
        value: what could not be stored.
        name: what the value is called; the path begins with it.
        store: raises when a value cannot be stored.
        error: what it raised for `value`.
    """
    deadline = monotonic() + _SECONDS
    seen: set[int] = set()
    for _ in range(_DEPTH):
        seen.add(id(value))
        found = _first_refused(value, store, seen, deadline)
        if found is None:
            break
        step, value, error = found
        name += step
    return name, value, _reason(error)


def _first_refused(
    value: Any, store: Callable[[Any], object], seen: set[int], deadline: float
) -> tuple[str, Any, Exception] | None:
    for step, part in _some_parts(value):
        if id(part) in seen or monotonic() > deadline:
            continue
        try:
            # Trying is the only way to know, and may be slow for large parts: hence the limits
            # in number, depth and time.
            store(part)
        except Exception as error:  # noqa: BLE001 - any class may raise anything while it is pickled
            return step, part, error
    return None


def _some_parts(value: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    with suppress(Exception):  # the value's own code
        found += islice(_parts(value), _PARTS)
    return found


def _reason(error: BaseException) -> str:
    return error_line(error).removeprefix(f"{type(error).__name__}: ")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a value, each with the text that follows the value's name to access it."""
    if is_a(value, dict):
        yield from ((f"[{plain(key)!r}]", part) for key, part in elements_of(value))
        yield from ((" (a key)", key) for key, _ in elements_of(value))
    elif is_a(value, list | tuple):
        yield from ((f"[{at}]", part) for at, part in enumerate(elements_of(value)))
    elif is_a(value, set | frozenset):
        yield from ((" (an item)", part) for part in elements_of(value))
    elif is_a(value, partial):
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif is_a(value, MethodType):
        yield ".__self__", value.__self__
    elif is_a(value, FunctionType):
        yield from _captured(value)
    if not is_a(value, type | FunctionType):
        yield from _attributes(value)


def _captured(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f" (which captures {name})", cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield f" (which uses {name})", function.__globals__[name]


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    for name, part in {**attributes_of(value), **slot_values(value)}.items():
        yield f".{name}", part


def refuse_changed(value: object, again: object, name: str) -> None:
    """Refuse a value that is another one after it was pickled and loaded; digesting both takes as long as storing them.

    Raises:
        NotStorable: the content of the loaded one is not that of the value.
    """
    if digest_of(again) != digest_of(value):
        raise NotStorable(
            f"`{name}` is a {type_text(value)}, which is another value when it is pickled and loaded: a class of yours "
            "changes it on the way. Keep it in a name that starts with `_`, or give the class a `__reduce__` that "
            "makes an equal object.",
            path=name,
        )
