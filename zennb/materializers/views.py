"""Owns the serialization of arrays that are views of other memory, and are views of it again after loading.

The memory is that of another array, a `bytearray`, or a file.
"""

from __future__ import annotations

import ctypes
import gc
import pickle
import sys
from array import ArrayType
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zennb.compat.arrays import as_often, as_once, file_behind, memory_owner, top_array, with_strides
from zennb.compat.frames import byte_bounds
from zennb.compat.instances import is_a
from zennb.digests.digest import digest
from zennb.digests.stretches import Stretch, exported, is_in, is_opaque, shared_ranges, stretches
from zennb.materializers.numpy import OWNED

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SharedMemory",
    "is_plain_array",
    "mapped_reduction",
    "memory_reduction",
    "part_of_mapped",
    "restore_buffer",
    "restore_mapped",
    "restore_objects",
    "restore_polars",
    "restore_strided",
    "restore_view",
    "shared_reduction",
    "strided_reduction",
]

_KINDS: frozenset[type] = frozenset({np.ndarray, np.recarray, np.matrix})
"""Classes of arrays that can be rebuilt as views of memory."""

_BUFFERS = frozenset({bytearray, ArrayType})
"""Other owners of memory that arrays are views of: `np.frombuffer(...)`."""


class SharedMemory:
    """The memory that several of the values to be pickled together stand on.

    Each range of addresses is pickled once, as the array or `bytearray` that owns it, or as bytes; what lies in it
    becomes a view.

    Args:
        memory: what all of them use.
    """

    def __init__(self, memory: Sequence[Stretch]) -> None:
        self._found, self._written = shared_ranges(memory), shared_ranges(memory, written=True)
        self._owners = {each.owner for each in memory}
        self._memories: dict[tuple[int, int], Any] = {}
        self._places: set[int] = set()  # ids of what is in there, which keeps it alive

    def __contains__(self, bounds: tuple[int, int]) -> bool:
        return is_in(self._found, *bounds)

    def is_written(self, bounds: tuple[int, int]) -> bool:
        """Whether something may write to these addresses, so that a table over them has to stay there."""
        return is_in(self._written, *bounds)

    def is_memory(self, value: object) -> bool:
        """Whether a value is what is pickled of a range."""
        return id(value) in self._places

    def around(self, start: int, end: int, user: object) -> tuple[Any, int] | None:
        """Return what is pickled of the range with these addresses, and where in it they begin; None outside of all.

        Args:
            start: address of the first byte.
            end: address after the last byte.
            user: an object that uses the memory there, and keeps it alive.
        """
        for low, high in self._found:
            if low <= start and end <= high:
                return self._memory(low, high, user), start - low
        return None

    def _memory(self, low: int, high: int, user: object) -> Any:
        found = self._memories.get((low, high))
        if found is None:
            owner = memory_owner(user)
            is_owner = id(owner) in self._owners if type(owner) in _BUFFERS else _is_all_of(owner, low, high)
            found = self._memories[low, high] = owner if is_owner else _bytes_at(low, high, user)
            self._places.add(id(found))
        return found


def _is_all_of(owner: Any, low: int, high: int) -> bool:
    """Whether an object is the array that owns just this memory; views of it have it as their base again."""
    if type(owner) is not np.ndarray or not owner.flags.owndata or owner.dtype.hasobject:
        return False
    return owner.flags.forc and byte_bounds(owner) == (low, high)


def _bytes_at(low: int, high: int, user: object) -> Any:
    found = (ctypes.c_ubyte * (high - low)).from_address(low)
    # An interrupt leaves the thread that writes them a moment behind, while the notebook may drop the value.
    found.user = user  # type: ignore[attr-defined] # ctypes arrays take any attribute
    return np.ctypeslib.as_array(found)


def restore_view(
    root: Any,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: Any,
    *mode: Any,
) -> Any:
    """Return a view of `root` that starts at `offset` (in bytes), with `strides` in bytes.

    `mode` holds whether it may be written to, and its class; pickles from before these were known have none.
    """
    memory = root.view(np.ndarray) if type(root) in _KINDS and type(root) is not np.ndarray else root
    if type(memory) is np.ndarray and not memory.flags.c_contiguous:
        memory = memory.T
    view = np.ndarray(shape, dtype=dtype, buffer=memory, offset=offset, strides=strides)
    if len(mode) > 1:
        view = view.view(mode[1])
    if mode and not mode[0]:
        view.flags.writeable = False
    return view


def _view_reduction(value: Any, shared: SharedMemory) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe that rebuilds an array as a view of shared memory; None for anything else."""
    kind: type = type(value)
    if value.size == 0 or shared.is_memory(value):
        return None
    low, high = byte_bounds(value)
    if (low, high) not in shared:
        return None
    if value.dtype.hasobject:
        return _objects_reduction(value)
    found = shared.around(low, high, value) if kind in _KINDS else None
    if found is None or found[0] is value:
        return None
    memory, offset = found
    # Strides may be negative: `low` is the lowest byte that the array reaches, not its first element.
    start = offset + value.__array_interface__["data"][0] - low
    mode = (value.flags.writeable,) if kind is np.ndarray else (value.flags.writeable, kind)
    return restore_view, (memory, start, value.shape, value.strides, value.dtype, *mode)


def memory_reduction(value: object, shared: SharedMemory | None) -> tuple[Any, ...] | None:
    """Return the recipe of what pickle alone would not bring back as it lies in memory; None for the rest."""
    return (
        mapped_reduction(value)
        or (shared_reduction(value, shared) if shared else None)
        or strided_reduction(value)
    )


def is_plain_array(value: object) -> bool:
    """Whether it is an array of no class derived from numpy's, of which nothing but its memory is special."""
    return type(value) is np.ndarray


def shared_reduction(value: object, shared: SharedMemory) -> tuple[Any, ...] | None:
    """Return the recipe of what stands on shared memory, so that it does again after loading; None for the rest."""
    if is_a(value, np.ndarray):
        return _view_reduction(value, shared)
    for library, reduction in (("pyarrow", _buffer_reduction), ("polars", _polars_reduction)):
        if library in sys.modules and (reduced := reduction(value, shared)) is not None:
            return reduced
    return _opaque_reduction(value)


def restore_objects(
    root: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], writeable: bool
) -> Any:
    """Return a view of an array of objects that starts `offset` bytes after its first one."""
    flat = _dense(root).reshape(-1)[offset // root.itemsize :]
    return np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=writeable)


def _objects_reduction(value: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe of a view of objects. Their memory holds addresses, so it is that of an array of objects."""
    root = top_array(value)
    if value is root or type(value) is not np.ndarray or type(root) is not np.ndarray:
        return None
    if value.dtype != root.dtype or not _dense(root).flags.c_contiguous:
        return None
    start = value.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return restore_objects, (root, start, value.shape, value.strides, value.flags.writeable)


def _dense(array: Any) -> Any:
    """Return an array with its axes in the order in which they lie in memory."""
    return array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))


def _buffer_reduction(value: Any, shared: SharedMemory) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe of a buffer of pyarrow in shared memory; None for anything else."""
    if not is_a(value, sys.modules["pyarrow"].Buffer) or not value.size or not value.is_cpu:
        return None
    found = shared.around(value.address, value.address + value.size, value)
    if found is None:
        return None
    memory, start = found
    return restore_buffer, (memory, start, value.size, value.is_mutable)


def restore_buffer(memory: Any, offset: int, size: int, is_mutable: bool) -> Any:
    """Return a buffer of pyarrow over a part of some memory."""
    part = np.frombuffer(memory, np.uint8)[offset : offset + size]
    part.flags.writeable = is_mutable and part.flags.writeable
    return import_module("pyarrow").py_buffer(part)


def _polars_reduction(value: Any, shared: SharedMemory) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe of a frame or series of polars that uses shared memory; None for anything else."""
    pl = sys.modules["polars"]
    if type(value) not in {pl.DataFrame, pl.Series}:
        return None
    if not any((each.start, each.end) in shared for each, _ in stretches(value)):
        return None
    if type(value) is pl.DataFrame:
        return restore_polars, (value.get_columns(),)
    # Chunk by chunk: asked for the whole, polars puts the chunks together, in a copy.
    content = [exported(chunk) for chunk in value.get_chunks()]
    if any(part is None for part in content) or restore_polars(content, value.name).dtype != value.dtype:
        return None
    return restore_polars, (content, value.name)


def restore_polars(content: list[Any], name: str | None = None) -> Any:
    """Return a frame of series; with a name, a series of chunks as arrow or numpy has them."""
    pl = import_module("polars")
    if name is None:
        return pl.DataFrame(content)
    chunks = [pl.Series(one) if isinstance(one, np.ndarray) else pl.from_arrow(one) for one in content]
    return pl.concat(chunks, rechunk=False).alias(name)


def _opaque_reduction(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe of an object written in C with its own arrays in place of the copies that its recipe makes."""
    if not is_opaque(type(value)):
        return None
    own = [part for part in gc.get_referents(value) if is_a(part, np.ndarray)]
    if not own:
        return None
    make, args, *rest = value.__reduce_ex__(5)
    if not rest or type(rest[0]) is not tuple:
        return None
    return make, args, tuple(_own(part, own) for part in rest[0]), *rest[1:]


def _own(part: Any, own: Sequence[Any]) -> Any:
    """Return the array that is equal to a part of a state, or the part itself."""
    if not is_a(part, np.ndarray) or part.dtype.hasobject or any(part is each for each in own):
        return part
    same = (
        each
        for each in own
        if (each.dtype, each.shape, each.strides) == (part.dtype, part.shape, part.strides)
    )
    return next((each for each in same if digest(each) == digest(part)), part)


def restore_strided(array: Any, strides: tuple[int, ...], writeable: bool) -> Any:
    """Return an array with the elements of another one as far apart as they were."""
    made = with_strides(array, strides)
    made.flags.writeable = writeable
    return made


def strided_reduction(value: object) -> tuple[Any, ...] | None:
    """Return the recipe of a small array that owns its memory, or of one whose elements lie apart; None for others.

    Pickle would give the first one memory of something else (`.base`), and put the elements of the second together. An
    array that shows elements more than once is one over a copy that has each once.
    """
    if type(value) is not np.ndarray or value.dtype.hasobject:
        return None
    if value.flags.forc:
        is_owned = value.flags.owndata and value.flags.writeable and value.nbytes <= OWNED
        return value.__reduce_ex__(4) if is_owned else None  # type: ignore[return-value] # never a text
    repeated = as_once(value)
    if repeated is not None:
        once, axes = repeated
        elements = np.ascontiguousarray(once).reshape(-1)
        elements.flags.writeable = value.flags.writeable
        return as_often, (elements, value.shape, axes)
    return restore_strided, (np.ascontiguousarray(value), value.strides, value.flags.writeable)


def restore_mapped(file: str, mode: str, layout: tuple[Any, ...], *more: Any) -> Any:
    """Return an array over a part of a file, as it was.

    Raises:
        ValueError: the file is gone, or holds something else by now.
    """
    (start, shape, strides, dtype), (content, kind, offset, writeable) = layout, more
    if not Path(file).is_file():
        raise ValueError(f"the file {file} is gone")
    low = sum(step * (length - 1) for step, length in zip(strides, shape, strict=True) if step < 0)
    span = dtype.itemsize + sum(abs(s) * (n - 1) for s, n in zip(strides, shape, strict=True))
    try:
        # `w+` would empty the file.
        held = np.memmap(file, np.uint8, mode.replace("w", "r"), offset=start + low, shape=(span,))  # type: ignore[call-overload] # any mode
        array: Any = np.ndarray.__new__(kind, shape, dtype, buffer=held, offset=-low, strides=strides)
    except (ValueError, OSError) as error:
        raise ValueError(f"the file {file} cannot be mapped as before ({error})") from error
    if digest(np.asarray(array)) != content:
        raise ValueError(f"the file {file} has changed since")
    if kind is np.memmap:
        array.__dict__.update(vars(held), mode=mode, offset=offset)
    if array.flags.writeable != writeable:
        array.flags.writeable = writeable
    return array


def part_of_mapped(
    whole: Any, layout: tuple[Any, ...], kind: type, told: dict[str, Any], writeable: bool
) -> Any:
    """Return a view of an array over a file; what is written to one of them is in the other."""
    at, shape, strides, dtype = layout
    array: Any = np.ndarray.__new__(kind, shape, dtype, buffer=whole, offset=at, strides=strides)
    if kind is np.memmap:
        array.__dict__.update(vars(whole), **told)
    if array.flags.writeable != writeable:
        array.flags.writeable = writeable
    return array


def mapped_reduction(value: object) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe of an array whose memory is a file; None for anything else.

    Raises:
        pickle.PicklingError: it has changes that are not in its file.
    """
    if type(value) not in {np.ndarray, np.memmap} or not is_a(value, np.ndarray) or value.dtype.hasobject:
        return None
    held = file_behind(value)
    if held is None or value.size == 0 or not Path(str(held.filename)).is_file():
        return None
    if (whole := top_array(value)) is not value and type(whole) is np.memmap and whole.flags.c_contiguous:
        at = value.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        layout = (at, value.shape, value.strides, value.dtype)
        own = vars(value) if type(value) is np.memmap else {}
        told = {name: own[name] for name in ("mode", "offset", "filename") if name in own}
        return part_of_mapped, (whole, layout, type(value), told, value.flags.writeable)
    first = held.__array_interface__["data"][0]
    start = held.offset + value.__array_interface__["data"][0] - first
    offset = value.offset if type(value) is np.memmap else 0
    parts = (str(held.filename), held.mode, (start, value.shape, value.strides, value.dtype))
    more = (digest(np.asarray(value)), type(value), offset, value.flags.writeable)
    try:
        restore_mapped(*parts, *more)
    except ValueError as error:
        raise pickle.PicklingError("a memory map with changes that are not in its file") from error
    return restore_mapped, (*parts, *more)
