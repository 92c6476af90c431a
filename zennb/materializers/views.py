"""Owns arrays that look into another array's memory: stored with that array, so that they share it again."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["restore_view", "view_reduction"]


def restore_view(
    root: Any,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    dtype: Any,
    *mode: bool,
) -> Any:
    """Return the array that looks into `root` from `offset` (bytes) on, with `strides` in bytes.

    `mode` holds whether it may be written to; pickles from before that was known have none.
    """
    view = np.ndarray(shape, dtype=dtype, buffer=root, offset=offset, strides=strides)
    if mode and not mode[0]:
        view.flags.writeable = False
    return view


def view_reduction(value: object) -> tuple[Any, tuple[Any, ...]] | None:
    """Return how to rebuild a view of another array from that array; None for whatever is no such view."""
    if type(value) is not np.ndarray or not isinstance(value.base, np.ndarray):
        return None
    root = value.base
    while isinstance(root.base, np.ndarray):
        root = root.base
    if type(root) is not np.ndarray or root.dtype.hasobject or not root.flags.c_contiguous or value.size == 0:
        return None
    low, _ = np.lib.array_utils.byte_bounds(value)
    start = value.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if low < root.__array_interface__["data"][0] or start < 0:
        return None
    return restore_view, (root, start, value.shape, value.strides, value.dtype, value.flags.writeable)
