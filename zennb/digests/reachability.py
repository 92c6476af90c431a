"""Owns `is_reachable`: whether a value contains certain objects. It is faster than a digest and never refuses."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import is_a, module_name
from zennb.compat.tensors import torch
from zennb.digests.memory import memory_parts
from zennb.digests.stretches import Stretch, is_in, may_stand_on_memory, ranges, stretches
from zennb.digests.walker import SCALARS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

__all__ = ["FAR", "is_reachable", "parts_of"]

FAR = 2_000_000
"""Objects visited before the search gives up."""

MANY = 1_000
CONTAINERS = frozenset({list, dict, tuple, set, frozenset})
PLAIN = CONTAINERS | SCALARS
"""Types without hidden contents; many values of them are visited at once, which is faster."""


KERNEL = ("IPython.core.", "comm.base_comm", "ipykernel.", "zennb.jupyter.")
"""Modules of objects that refer to the whole notebook: the shell, its kernel, sessions and panels. A value that refers
to one of them (as a widget does) does not share variables because of that."""


_left_out: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
"""Type → what `_is_left_out` says of its instances."""


def is_reachable(
    value: object,
    ids: AbstractSet[int],
    memory: Iterable[Stretch] = (),
    *,
    collected: bool = False,
    beyond: bool = False,
) -> bool:
    """Whether an object with one of these ids is the value, is inside it, or owns memory that it is a view of.

    Or whether something inside it stands on some of the `memory`.

    Classes, modules and the names that functions read are not followed: those are code. What lies deeper than
    `FAR` objects inside is not found.

    Args:
        value: anything.
        ids: of the objects.
        memory: the memory.
        collected: whether the garbage collector looks into all of those objects. Then none is inside what it leaves
            out, such as a tuple of numbers: a million of those need not be looked into.
        beyond: what to answer when there are more than `FAR` objects.
    """
    seen: set[int] = set()
    level: list[Any] = [value]
    visited = 0
    found, listed = ranges(memory), _collected if collected else list
    while level and visited < FAR:
        kinds = set(map(type, level))
        if kinds <= SCALARS:
            return False
        if not kinds.isdisjoint(SCALARS):
            level = [each for each in level if type(each) not in SCALARS]
        visited += len(level)
        if len(level) > MANY and kinds <= PLAIN:  # usually rows of a table: repeated visits are cheap
            if not ids.isdisjoint(map(id, level)):
                return True
            if visited >= FAR:
                return beyond
            level = listed(gc.get_referents(*level))
            continue
        fresh = {id(each): each for each in level if id(each) not in seen}
        if not ids.isdisjoint(fresh) or (found and _is_over(fresh.values(), found)):
            return True
        if not collected and kinds <= CONTAINERS and all(map(_is_flat, fresh.values())):
            return False
        seen.update(fresh)
        parts = gc.get_referents(*fresh.values()) if kinds <= PLAIN else parts_of(fresh.values())
        level = listed(parts)
    return beyond and bool(level)


def _collected(values: Iterable[Any]) -> list[Any]:
    return list(filter(gc.is_tracked, values))


def _is_flat(value: Any) -> bool:
    """Whether a container holds nothing but scalars; a copy of a large one would take as long as to look inside."""
    return set(map(type, value)) <= SCALARS and (
        type(value) is not dict or set(map(type, value.values())) <= SCALARS
    )


def _is_over(values: Collection[Any], found: Sequence[tuple[int, int]]) -> bool:
    kinds = {kind for kind in set(map(type, values)) if may_stand_on_memory(kind)}
    for value in values if kinds else ():
        if type(value) not in kinds:
            continue
        with suppress(Exception):  # what a library cannot read, nobody else can read either
            if any(is_in(found, each.start, each.end) for each, _ in stretches(value)):
                return True
    return False


def _is_left_out(value: object) -> bool:
    """Whether it does not count what an object refers to: of classes, modules, and what belongs to the kernel."""
    kind = type(value)
    if kind not in _left_out:
        _left_out[kind] = is_a(value, type | ModuleType) or module_name(kind).startswith(KERNEL)
    return _left_out[kind]


def parts_of(values: Iterable[Any]) -> Iterable[Any]:
    """Yield what some values consist of, one level down."""
    tracked = []
    with_tensors = torch() is not None
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    for value in values:
        if type(value) in PLAIN:
            tracked.append(value)
        elif _is_left_out(value):
            continue
        elif is_a(value, FunctionType):
            # Not its globals: every function would reach the whole notebook.
            yield from (value.__defaults__, value.__kwdefaults__, value.__closure__, value.__dict__)
        elif is_a(value, MethodType):
            yield from (value.__self__, value.__func__)
        # The collector does not tell whose memory it is.
        elif is_a(value, memoryview):
            yield value.obj
        else:
            tracked.append(value)
            # Memory is no object until it is asked for.
            if with_tensors:
                yield from memory_parts(value)
            # Nor does it for arrays, which are the views that matter most.
            if array is not None and is_a(value, array):
                # As numpy itself would answer, whatever a class derived from it says.
                yield array.base.__get__(value)
                # The elements of an array of objects are invisible to the garbage collector.
                if array.dtype.__get__(value) == "O":
                    yield from array.tolist(array.ravel(array.view(value, array)))
    yield from gc.get_referents(*tracked)
