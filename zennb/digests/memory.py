"""Owns which arrays of numpy and tensors of torch lie in the same memory, by its address.

`torch.from_numpy` leaves no way from the tensor to its array. So once torch is loaded, the memory that is met is noted
here, with one object for each stretch of it, and whatever overlaps counts as shared.
"""

from __future__ import annotations

import ctypes
import sys
from array import ArrayType
from collections import OrderedDict
from typing import Any

from zennb.compat.arrays import owners
from zennb.compat.instances import is_a, module_name
from zennb.compat.tensors import is_foreign, storage_under, torch

__all__ = ["BUFFERS", "is_array", "memory_bounds", "memory_parts"]

BUFFERS = frozenset({bytearray, ArrayType})
"""Python's own types whose memory a tensor can use: `torch.frombuffer`."""

_MOST = 10_000
"""Stretches of arrays that are kept in mind: those noted last."""


class _Memory:
    """A stretch of memory; it stands for whatever owns it."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end


class _MemoryMap:
    """The stretches that were noted, by their first address, and those of storages and buffers also by their end.

    What was freed since may overlap something new; that is then stored together without need. They are attributes,
    since what is in a dictionary of a module counts as that library's, and as shared by nobody.
    """

    __slots__ = ("arrays", "foreign")

    def __init__(self) -> None:
        self.arrays: OrderedDict[tuple[int, int], _Memory] = OrderedDict()
        self.foreign: OrderedDict[tuple[int, int], _Memory] = OrderedDict()


_known = _MemoryMap()


def memory_parts(value: Any) -> list[Any]:
    """Return the objects that stand for the memory of a tensor or array: what has one in common shares memory.

    Nothing while torch is not loaded: memory of numpy alone has owners that can be asked for.
    """
    if torch() is None:
        return []
    storage = storage_under(value)
    if storage is not None:
        return [storage, *(_noted_storage(storage) if is_foreign(storage) else ())]
    if type(value) in BUFFERS:
        start, end = memory_bounds(value)
        return _noted_range(start, end - start, is_owner=False)
    return _noted_array(value) if is_array(value) else []


def memory_bounds(buffer: Any) -> tuple[int, int]:
    """Return the addresses of the first byte of a `bytearray` or `array.array`, and after its last."""
    size = len(buffer) * getattr(buffer, "itemsize", 1)
    start = ctypes.addressof((ctypes.c_ubyte * size).from_buffer(buffer)) if size else 0
    return start, start + size


def is_array(value: object) -> bool:
    """Whether a value is of one of numpy's own types."""
    return module_name(type(value)).partition(".")[0] == "numpy"


def _noted_storage(storage: Any) -> list[_Memory]:
    own = _noted(_known.foreign, storage.data_ptr(), storage.nbytes(), is_owner=False)
    # A part of an array of a tensor that is a tensor again has a storage of its own in the memory of the first.
    return [*_overlapping(_known.foreign, own), *_overlapping(_known.arrays, own)]


def _noted_array(array: Any) -> list[_Memory]:
    arrays = [owner for owner in owners(array) if is_a(owner, sys.modules["numpy"].ndarray)]
    try:
        start, size = arrays[-1].__array_interface__["data"][0], arrays[-1].nbytes
    except (AttributeError, IndexError, TypeError):  # a scalar, or a subclass with ideas of its own
        return []
    return _noted_range(start, size, is_owner=True)


def _noted_range(start: int, size: int, *, is_owner: bool) -> list[_Memory]:
    if not size:
        return []
    own = _noted(_known.arrays, start, size, is_owner=is_owner)
    return [own, *_overlapping(_known.foreign, own)] if _known.foreign else [own]


def _noted(known: OrderedDict[tuple[int, int], _Memory], start: int, size: int, *, is_owner: bool) -> _Memory:
    end = start + size
    # An array that owns its memory follows one that was freed; storages and buffers may begin at the same place.
    place = (start, 0 if is_owner else end)
    found = known.get(place)
    if found is None or found.end != end:
        found = known[place] = _Memory(start, end)
        if len(known) > _MOST:
            known.popitem(last=False)
    return found


def _overlapping(known: OrderedDict[tuple[int, int], _Memory], own: _Memory) -> list[_Memory]:
    return [each for each in list(known.values()) if each.start < own.end and own.start < each.end]
