"""Owns `Search`, whether values contain certain objects, and `code_in`, the code that they contain.

They are faster than a digest and never refuse.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from itertools import chain
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from zennb.compat.instances import bases_of, class_attributes, is_a, is_one_of, module_name
from zennb.compat.pixels import images_beside, is_pixel_access
from zennb.compat.tensors import torch
from zennb.digests.memory import memory_parts
from zennb.digests.stretches import Stretch, is_in, may_stand_on_memory, ranges, stretches
from zennb.digests.walker import SCALARS
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

__all__ = ["FAR", "Search", "code_in", "is_reachable", "parts_of"]

FAR = 2_000_000
"""Objects visited before the search gives up."""

MANY = 1_000
CONTAINERS = frozenset({list, dict, tuple, set, frozenset})
PLAIN = CONTAINERS | SCALARS
"""Types without hidden contents; many values of them are visited at once, which is faster."""


KERNEL = ("IPython.core.", "comm.base_comm", "ipykernel.", "zennb.jupyter.")
"""Modules of objects that refer to the whole notebook: the shell, its kernel, sessions and panels. A value that refers
to one of them (as a widget does) does not share variables because of that."""


Reader: TypeAlias = "Callable[[Any], Iterable[Any]]"

_readers: WeakKeyDictionary[type, Reader | None] = WeakKeyDictionary()
"""Type → what tells the parts of its instances; None where the garbage collector does."""


class Search:
    """A search for certain objects, and for what stands on some memory, in one value after another.

    What a value consists of is not looked through again for the next value when nothing was found in it. So values that
    hold the same objects, as the axes and lines of a figure do, take hardly longer than one of them. Until the last of
    them nothing may change.

    Classes, modules and the names that functions read are not followed: those are code. What lies deeper than
    `FAR` objects inside is not found.

    Args:
        ids: of the objects.
        memory: the memory.
        collected: whether the garbage collector looks into all of those objects. Then none is inside what it leaves
            out, such as a tuple of numbers: a million of those need not be looked into.
    """

    def __init__(
        self, ids: AbstractSet[int], memory: Iterable[Stretch] = (), *, collected: bool = False
    ) -> None:
        self._ids, self._ranges, self._collected = ids, ranges(memory), collected
        # The objects are kept alive: nothing else may get the id of one that was made for a visit.
        self._passed: dict[int, Any] = {}
        self._on_memory: dict[type, bool] = {}
        self._is_complete = True

    def has_ruled_out(
        self,
        values: Iterable[object],
        ids: AbstractSet[int],
        memory: Iterable[Stretch] = (),
        *,
        collected: bool = False,
    ) -> bool:
        """Whether these values were looked through in vain, and hold none of some other objects either.

        Nor anything that stands on some other memory. Nothing may have changed since.
        """
        passed = self._passed
        if not self._is_complete or (self._collected and not collected) or not passed.keys().isdisjoint(ids):
            return False
        if not all(id(each) in passed for each in values):
            return False
        addresses = ranges(memory)
        return not (addresses and self._is_over(passed.values(), addresses))

    def finds(self, value: object, *, beyond: bool = False) -> bool:
        """Whether one of the objects is the value, is inside it, or owns memory that it is a view of.

        Or whether something inside it stands on some of the memory.

        Args:
            value: anything.
            beyond: what to answer when there are more than `FAR` objects inside.
        """
        passed: dict[int, Any] = {}
        try:
            answer = self._find(value, passed)
        except Exception:  # noqa: BLE001 - a class of the user that cannot be hashed
            answer, self._is_complete = self._find_one_by_one(value), False
        if answer is False:  # else these objects lead to it, or nobody knows where they lead
            self._passed.update(passed)
        return beyond if answer is None else answer

    def _find(self, value: object, passed: dict[int, Any]) -> bool | None:
        """Return whether something was found, None when there is too much to look through; add objects to `passed`."""
        level: list[Any] = [value]
        visited = 0
        while level:
            if visited >= FAR:
                return None
            kinds = set(map(type, level)) - SCALARS
            if not kinds:
                return False
            level = [each for each in level if type(each) in kinds]
            visited += len(level)
            if len(level) > MANY and kinds <= PLAIN:  # usually rows of a table: repeated visits are cheap
                if not self._ids.isdisjoint(map(id, level)):
                    return True
                if visited >= FAR:
                    return None
                self._is_complete = False  # these are not noted one by one
                is_table = not self._collected and _are_flat(level)
                level = self._listed([] if is_table else gc.get_referents(*level))
                continue
            fresh = dict(zip(map(id, level), level, strict=True))
            for known in (fresh.keys() & self._passed.keys()) | (fresh.keys() & passed.keys()):
                del fresh[known]
            if not self._ids.isdisjoint(fresh) or (
                self._ranges and self._is_over(fresh.values(), self._ranges)
            ):
                return True
            passed.update(fresh)
            if not self._collected and kinds <= CONTAINERS and all(map(_is_flat, fresh.values())):
                return False
            # To look into a set of a million texts takes a fifth of the time that listing them takes.
            level = self._listed(parts_of([each for each in fresh.values() if not _is_flat_table(each)]))
        return False

    def _find_one_by_one(self, value: object) -> bool | None:
        """Do the same without sets of types."""
        seen: dict[int, Any] = {}
        level: list[Any] = [value]
        while level and len(seen) < FAR:
            fresh = {id(each): each for each in level if id(each) not in seen}
            if not self._ids.isdisjoint(fresh) or (
                self._ranges and any(map(self._is_one_over, fresh.values()))
            ):
                return True
            seen |= fresh
            level = parts_of(fresh.values())
        return None if level else False

    def _is_one_over(self, value: object) -> bool:
        try:
            return self._is_over([value], self._ranges)
        except Exception:  # noqa: BLE001 - an instance of that class, which is none of an array
            return False

    def _listed(self, parts: list[Any]) -> list[Any]:
        if not self._collected:
            return parts
        found = list(filter(gc.is_tracked, parts))
        if any(map(is_pixel_access, set(map(type, parts)))):  # which the collector does not know
            found += [each for each in parts if is_pixel_access(type(each))]
        return found

    def _is_over(self, values: Collection[Any], addresses: Sequence[tuple[int, int]]) -> bool:
        on_memory = self._on_memory
        for kind in set(map(type, values)) - on_memory.keys():
            on_memory[kind] = may_stand_on_memory(kind)
        for value in [each for each in values if on_memory[type(each)]]:
            with suppress(Exception):  # what a library cannot read, nobody else can read either
                if any(is_in(addresses, each.start, each.end) for each, _ in stretches(value)):
                    return True
        return False


def is_reachable(
    value: object,
    ids: AbstractSet[int],
    memory: Iterable[Stretch] = (),
    *,
    collected: bool = False,
    beyond: bool = False,
) -> bool:
    """Whether a single value contains certain objects, or stands on some memory; for the arguments see `Search`."""
    return Search(ids, memory, collected=collected).finds(value, beyond=beyond)


def _is_flat(value: Any) -> bool:
    """Whether a container holds nothing but scalars; a copy of a large one would take as long as to look inside."""
    return set(map(type, value)) <= SCALARS and (
        type(value) is not dict or set(map(type, value.values())) <= SCALARS
    )


def _is_flat_table(value: Any) -> bool:
    """Whether this is a large container that holds nothing but scalars."""
    return type(value) in CONTAINERS and len(value) > MANY and _is_flat(value)


def _are_flat(values: list[Any]) -> bool:
    """Whether containers hold nothing but scalars: twice as fast as to list what a table has in its cells."""
    if not _is_flat(values[0]):
        return False
    tables = (each.values() for each in values if type(each) is dict)
    return set(map(type, chain(chain.from_iterable(values), chain.from_iterable(tables)))) <= SCALARS


def code_in(values: Iterable[Any]) -> list[Any]:
    """Return the functions and classes of the user that some values contain or are instances of, bases as well.

    What lies deeper than `FAR` objects inside is not found.
    """
    seen: dict[int, Any] = {}
    found: list[Any] = []
    level = list(values)
    while level and len(seen) < FAR:
        fresh = {id(each): each for each in level if not is_one_of(each, SCALARS) and id(each) not in seen}
        seen |= fresh
        level = [*parts_of(fresh.values()), *map(type, fresh.values())]
        for each in fresh.values():
            if is_a(each, type | FunctionType) and origin(module_of(each)).is_users:
                found.append(each)
                if is_a(each, type):
                    level += [*class_attributes(each).values(), *bases_of(each)]
    return found


def parts_of(values: Collection[Any]) -> list[Any]:
    """Return what some values consist of, one level down."""
    try:
        return _parts_of(values)
    except Exception:  # noqa: BLE001 - a class of the user that cannot be hashed
        return [part for value in values for part in _parts_alone(value)]


def _parts_alone(value: Any) -> list[Any]:
    try:
        return _parts_of([value])
    except Exception:  # noqa: BLE001 - it is an instance of that class, or the class itself
        return [] if is_a(value, type) else gc.get_referents(value)


def _parts_of(values: Collection[Any]) -> list[Any]:
    kinds = set(map(type, values))
    if kinds <= PLAIN:
        return gc.get_referents(*values)
    readers = {kind: read for kind in kinds - PLAIN if (read := _reader(kind)) is not None}
    parts = gc.get_referents(*(each for each in values if type(each) not in readers) if readers else values)
    for value in [each for each in values if type(each) in readers] if readers else ():
        parts += readers[type(value)](value)
    if torch() is not None:  # memory is no object until it is asked for
        for value in values:
            if type(value) not in PLAIN and readers.get(type(value)) is not _nothing:
                parts += memory_parts(value)
    return parts


def _reader(cls: type) -> Reader | None:
    if cls not in _readers:
        _readers[cls] = _reader_of(cls)
    return _readers[cls]


def _reader_of(cls: type) -> Reader | None:
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", ())
    # It does not count what an object refers to: of classes, modules, and what belongs to the kernel.
    if issubclass(cls, type | ModuleType) or module_name(cls).startswith(KERNEL):
        return _nothing
    if is_pixel_access(cls):
        return images_beside
    kinds = {FunctionType: _of_function, MethodType: _of_method, memoryview: _of_view, array: _of_array}
    return next((read for kind, read in kinds.items() if issubclass(cls, kind)), None)


def _nothing(_value: Any) -> Iterable[Any]:
    return ()


def _of_function(function: Any) -> Iterable[Any]:
    # Not its globals: every function would reach the whole notebook.
    return function.__defaults__, function.__kwdefaults__, function.__closure__, function.__dict__


def _of_method(method: Any) -> Iterable[Any]:
    return method.__self__, method.__func__


def _of_view(view: Any) -> Iterable[Any]:
    return (view.obj,)  # the collector does not tell whose memory it is


def _of_array(array: Any) -> Iterable[Any]:
    """Return the parts of an array: of these the garbage collector tells neither its base nor elements."""
    kind: Any = sys.modules["numpy"].ndarray
    # As numpy itself would answer, whatever a class derived from it says.
    parts = [*gc.get_referents(array), kind.base.__get__(array)]
    if kind.dtype.__get__(array) == "O":
        parts += kind.tolist(kind.ravel(kind.view(array, kind)))
    return parts
