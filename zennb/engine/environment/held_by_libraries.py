"""Owns `HeldByLibraries`: what the user gave to a library that calls it back, and that a step may change through it.

A handler of `logging` that keeps what it gets, the function that NumPy calls for errors, a callback of Dask: a step
need not name them, so nobody compares them as its inputs. Reuse would leave them as they are.
"""

from __future__ import annotations

import io
import logging
import operator
import os
import stat
import sys
from array import array
from collections import deque
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, class_attributes, elements_of, is_a, module_name
from zennb.dependencies.callables import is_users_code
from zennb.digests.bytecode import nested
from zennb.digests.digest import digest_value
from zennb.digests.function_source import closure_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HeldByLibraries"]

_CONTAINERS = (list, dict, set, bytearray, deque)
_BUFFERS = (io.StringIO, io.BytesIO)
_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.FileIO)
_LOOKED_INTO = frozenset({"logging", "queue"})
"""Modules of Python whose objects keep what they get, or hand it on to others."""

_MOST = 500
"""Objects that are looked at: what is further away counts as out of reach."""

_LARGEST = 64_000_000
"""Bytes of an array that are read before and after each step."""


class HeldByLibraries:
    """What libraries hold of the user, as it is before a step runs.

    Args:
        roots: what to look at, and what to say if it changes; by default what libraries call.
    """

    def __init__(self, roots: Iterable[tuple[str, Any]] | None = None) -> None:
        found = _roots() if roots is None else roots
        self._before = [(what, each, _content(each)) for what, root in found for each in _reached(root)]

    def changed(self, values: Iterable[Any]) -> list[str]:
        """Return what has changed since, as clauses.

        Args:
            values: what the step has read and made, which is compared anyway.
        """
        if not self._before:
            return []
        known = set(map(id, values))
        found = [
            what
            for what, each, content in self._before
            if id(each) not in known and not _is_same(_content(each), content)
        ]
        return list(dict.fromkeys(found))


def _roots() -> Iterator[tuple[str, Any]]:
    """Yield what libraries call, and what to say if it changes."""
    for logger in (logging.root, *list(logging.root.manager.loggerDict.values())):
        for handler in (*getattr(logger, "handlers", ()), *getattr(logger, "filters", ())):
            kind = "handler" if is_a(handler, logging.Handler) else "filter"
            yield f"it changes what a {kind} of logging keeps", handler
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "geterrcall"):
        yield "it changes what the error callback of NumPy keeps", numpy.geterrcall()
    dask = getattr(sys.modules.get("dask.callbacks"), "Callback", None)
    yield "it changes what a callback of Dask keeps", tuple(getattr(dask, "active", ()))


def _reached(root: Any) -> Iterator[Any]:
    """Yield what something consists of, as far as it is the user's or keeps what it gets."""
    waiting, met = deque[Any]([root]), set[int]()
    streams = {id(each) for each in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}
    while waiting and len(met) < _MOST:
        part = waiting.popleft()
        if id(part) in met or id(part) in streams or is_a(part, ModuleType):
            continue
        met.add(id(part))
        yield part
        waiting += _parts(part)


def _parts(part: Any) -> Iterable[Any]:
    """Return what something holds or names, where that may be changed by code of the user."""
    if is_a(part, (*_CONTAINERS, tuple, frozenset)):
        return () if is_a(part, bytearray) else _elements(part)[:_MOST]
    if is_a(part, MethodType):
        return (part.__func__, part.__self__)
    if is_a(part, partial):
        return (part.func, *part.args, *part.keywords.values())
    if is_a(part, FunctionType):
        return list(_named_by(part)) if is_users_code(part) else ()
    if is_a(part, type):
        return list(class_attributes(part).values()) if is_users_code(part) else ()
    held = attributes_of(part).values()
    if is_users_code(type(part)):
        return (type(part), *held)
    return held if module_name(type(part)).partition(".")[0] in _LOOKED_INTO else ()


def _elements(value: Any) -> list[Any]:
    """Return what is in a container, keys and values of a dictionary, without methods of a derived class."""
    if is_a(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    return [*deque.__iter__(value)] if is_a(value, deque) else [*elements_of(value)]


def _named_by(function: FunctionType) -> Iterator[Any]:
    """Yield what a function carries, and what the global names in it stand for."""
    yield from closure_of(function).values()
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for code in nested(function.__code__):
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)


def _content(value: Any) -> Any:
    """Return what becomes another when something is changed in place; no code of the user is called.

    What a container or an object holds is told by the very things in it, which are looked at by themselves.
    """
    kind: Any
    for kind in _BUFFERS:
        if is_a(value, kind):
            return None if kind.closed.__get__(value) else kind.getvalue(value)
    if is_a(value, io.IOBase):
        return _length(value)
    if is_a(value, bytearray | array):
        return bytes(value)
    if is_a(value, _CONTAINERS):
        return _elements(value)
    if is_a(value, FunctionType):
        return [*vars(value).values(), *closure_of(value).values()] if is_users_code(value) else None
    if is_a(value, type):
        return [*class_attributes(value).values()] if is_users_code(value) else None
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and is_a(value, numpy.ndarray):
        return digest_value(value).digest if value.nbytes <= _LARGEST and not value.dtype.hasobject else None
    if module_name(type(value)) == "_queue":
        return value.qsize()
    return [*attributes_of(value).values()] if is_users_code(type(value)) else None


def _length(file: Any) -> int | None:
    """Return how long an open file is; None for what is none, or closed, and for classes of the user.

    None as well for one without a name of its own. A kernel has such a one for its error stream, and where that was
    redirected to a file, every other process that writes there makes it longer.
    """
    if type(file) not in _FILES or file.closed:
        return None
    with suppress(OSError, ValueError, AttributeError):  # it has no descriptor, or lost it
        found = os.fstat(file.fileno())
        return found.st_size if type(file.name) is str and stat.S_ISREG(found.st_mode) else None
    return None


def _is_same(one: Any, other: Any) -> bool:
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(operator.is_, one, other))
    return bool(one == other)
