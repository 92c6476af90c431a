"""Owns the serialization of arrays that are views of other memory, and are views of it again after loading.

The memory is that of another array, a `bytearray`, or a file.
"""

from __future__ import annotations

import pickle
from array import ArrayType
from pathlib import Path
from typing import Any

import numpy as np

from zennb.compat.arrays import file_behind, memory_owner, with_strides
from zennb.compat.frames import byte_bounds
from zennb.compat.instances import is_a
from zennb.digests.digest import digest

__all__ = [
    "mapped_reduction",
    "restore_mapped",
    "restore_strided",
    "restore_view",
    "strided_reduction",
    "view_reduction",
]

_KINDS: frozenset[type] = frozenset({np.ndarray, np.recarray, np.matrix})
"""Classes of arrays that can be rebuilt as views of memory."""

_BUFFERS = frozenset({bytearray, ArrayType})
"""Other owners of memory that arrays are views of: `np.frombuffer(...)`."""


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
    view = np.ndarray(shape, dtype=dtype, buffer=memory, offset=offset, strides=strides)
    if len(mode) > 1:
        view = view.view(mode[1])
    if mode and not mode[0]:
        view.flags.writeable = False
    return view


def view_reduction(value: object) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe that rebuilds a view from what it is a view of; None for anything else."""
    kind: type = type(value)
    if kind not in _KINDS or not is_a(value, np.ndarray) or value.base is None or value.size == 0:
        return None
    # Down to what owns the memory: views of views usually refer to it directly, but subclasses do not.
    root = memory_owner(value)
    if type(root) in _BUFFERS:
        first = np.frombuffer(root, np.uint8).__array_interface__["data"][0]
    # The memory of objects holds addresses, which mean nothing after loading.
    elif type(root) in _KINDS and not root.dtype.hasobject and root.flags.c_contiguous:
        first = root.__array_interface__["data"][0]
    else:
        return None
    low, _ = byte_bounds(value)
    start = value.__array_interface__["data"][0] - first
    # Strides may be negative; `start` is the first element, `low` the lowest byte that the view reaches.
    if low < first or start < 0:
        return None
    mode = (value.flags.writeable,) if kind is np.ndarray else (value.flags.writeable, kind)
    return restore_view, (root, start, value.shape, value.strides, value.dtype, *mode)


def restore_strided(array: Any, strides: tuple[int, ...], writeable: bool) -> Any:
    """Return an array with the elements of another one as far apart as they were."""
    made = with_strides(array, strides)
    made.flags.writeable = writeable
    return made


def strided_reduction(value: object) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe of an array whose elements lie apart, which pickle would put together; None for others."""
    if type(value) is not np.ndarray or value.flags.forc or value.dtype.hasobject:
        return None
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
