"""Owns `HeldByLibraries`: what the user gave to a library that calls it back, and that a step may change through it.

A handler of `logging` that keeps what it gets, the function that NumPy calls for errors, a callback of Dask: a step
need not name them, so nobody compares them as its inputs. Reuse would leave them as they are.
"""

from __future__ import annotations

import io
import logging
import sys
from collections import deque
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, class_attributes, elements_of, is_a, module_name
from zennb.dependencies.callables import closure_of, is_users_code
from zennb.digests.bytecode import nested
from zennb.digests.classes import functions_in
from zennb.digests.digest import SCALARS, digest_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HeldByLibraries"]

_CONTAINERS = (list, dict, set, bytearray, deque)
_TEXTS = (io.StringIO, io.BytesIO)

_MOST = 500
"""Objects that are looked at."""

_KEPT = ("stream", "buffer", "target")
"""Attributes in which handlers of Python keep what they get."""


class HeldByLibraries:
    """What libraries hold of the user, as it is before a step runs."""

    def __init__(self) -> None:
        self._before = [(what, each, _content(each)) for what, root in _roots() for each in _mutable_in(root)]

    def changed(self, values: Iterable[Any]) -> list[str]:
        """Return what has changed since, as clauses.

        Args:
            values: what the step has read and made, which is compared anyway.
        """
        if not self._before:
            return []
        known = set(map(id, values))
        found = [
            f"it changes what {what} keeps"
            for what, each, content in self._before
            if id(each) not in known and _content(each) != content
        ]
        return list(dict.fromkeys(found))


def _roots() -> Iterator[tuple[str, Any]]:
    """Yield what libraries call, and what it is."""
    for logger in (logging.root, *list(logging.root.manager.loggerDict.values())):
        for handler in (*getattr(logger, "handlers", ()), *getattr(logger, "filters", ())):
            kind = "handler" if isinstance(handler, logging.Handler) else "filter"
            if is_users_code(type(handler)) or is_a(handler, FunctionType):
                yield f"a {kind} of logging", handler
            elif module_name(type(handler)).partition(".")[0] == "logging":
                held = attributes_of(handler)
                yield f"a {kind} of logging", tuple(held.get(name) for name in _KEPT)
                yield f"a {kind} of logging", tuple(held.get("filters", ()))
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "geterrcall"):
        yield "the error callback of NumPy", numpy.geterrcall()
    dask = getattr(sys.modules.get("dask.callbacks"), "Callback", None)
    yield "a callback of Dask", tuple(getattr(dask, "active", ()))


def _mutable_in(root: Any) -> Iterator[Any]:
    """Yield the containers and texts that the user's code and objects in something hold or name."""
    waiting, met = deque[Any]([root]), set[int]()
    streams = {id(each) for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}
    while waiting and len(met) < _MOST:
        part = waiting.popleft()
        if id(part) in met or id(part) in streams or is_a(part, ModuleType):
            continue
        met.add(id(part))
        if is_a(part, (*_TEXTS, *_CONTAINERS)) or _has_numbers(part):
            yield part
        waiting += _parts(part)


def _parts(part: Any) -> Iterable[Any]:
    """Return what something holds or names, where that may be changed by code of the user."""
    if is_a(part, _TEXTS):
        return ()
    if is_a(part, (*_CONTAINERS, tuple, frozenset)):
        return list(elements_of(part))[:_MOST]
    if is_a(part, MethodType):
        return (part.__func__, part.__self__)
    if is_a(part, partial):
        return (part.func, *part.args, *part.keywords.values())
    if is_a(part, FunctionType | type):
        return list(_named_by(part)) if is_users_code(part) else ()
    return (type(part), *attributes_of(part).values()) if is_users_code(type(part)) else ()


def _named_by(function: FunctionType | type) -> Iterator[Any]:
    """Yield what a function closes over and what the global names in it stand for; of a class, its attributes."""
    if is_a(function, type):
        for each in class_attributes(function).values():
            yield from functions_in(each)
            if is_a(each, _CONTAINERS):
                yield each
        return
    yield from closure_of(function).values()
    yield from function.__defaults__ or ()
    for code in nested(function.__code__):
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)


def _has_numbers(part: Any) -> bool:
    """Whether something is an object or class of the user: it may count in its attributes."""
    return is_users_code(part if is_a(part, type) else type(part))


def _content(value: Any) -> Any:
    """Return what changes when a container, a text, or a number in an object or class changes."""
    if is_a(value, _TEXTS):
        return None if value.closed else value.getvalue()
    if not is_a(value, _CONTAINERS):
        held = class_attributes(value) if is_a(value, type) else attributes_of(value)
        return {name: each for name, each in held.items() if type(each) in SCALARS}
    if len(value) > _MOST:  # it would cost each step too much
        return len(value)
    try:
        return digest_value(value).digest
    except Exception:  # noqa: BLE001 - an object in it may raise whatever it is asked
        return len(value)
