"""Owns the serialization of arrays that are views of another array, and share its memory again after loading."""

from __future__ import annotations

from typing import Any

import numpy as np

from zennb.compat.frames import byte_bounds

__all__ = ["restore_view", "view_reduction"]

_KINDS: frozenset[type] = frozenset({np.ndarray, np.recarray, np.matrix})
"""Classes of arrays that can be rebuilt as views of memory."""


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
    memory = root.view(np.ndarray) if type(root) is not np.ndarray else root
    view = np.ndarray(shape, dtype=dtype, buffer=memory, offset=offset, strides=strides)
    if len(mode) > 1:
        view = view.view(mode[1])
    if mode and not mode[0]:
        view.flags.writeable = False
    return view


def view_reduction(value: object) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the recipe that rebuilds a view from the array it is a view of; None for anything else."""
    kind: type = type(value)
    if kind not in _KINDS or not isinstance(value, np.ndarray) or not isinstance(value.base, np.ndarray):
        return None
    root = value.base
    # Down to the array that owns the memory: views of views usually refer to it directly, but subclasses do not.
    while isinstance(root.base, np.ndarray):
        root = root.base
    # The memory of objects holds addresses, which mean nothing after loading.
    if type(root) not in _KINDS or root.dtype.hasobject or not root.flags.c_contiguous or value.size == 0:
        return None
    low, _ = byte_bounds(value)
    start = value.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    # Strides may be negative; `start` is the first element, `low` the lowest byte that the view reaches.
    if low < root.__array_interface__["data"][0] or start < 0:
        return None
    mode = (value.flags.writeable,) if kind is np.ndarray else (value.flags.writeable, kind)
    return restore_view, (root, start, value.shape, value.strides, value.dtype, *mode)
