"""Owns the memory of numpy arrays: whose it is, in which order elements lie in it, and arrays over files.

It imports nothing: whoever has an array has numpy.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, is_a, module_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "as_often",
    "as_once",
    "file_behind",
    "function_of_ufunc",
    "memory_order",
    "memory_owner",
    "owners",
    "top_array",
    "with_strides",
]

_SPAN = 1 << 20
"""Bytes that an array may span at least, whatever its size; else gaps between its elements are closed."""

_REPEATED = 1 << 22
"""Bytes that an array shows at least, before it matters that it shows some of them more than once."""


def memory_owner(array: Any) -> Any:
    """Return the object that owns an array's memory: an array, or what numpy was given (a `bytearray`, a map)."""
    *_, owner = owners(array)
    return owner


def owners(array: Any) -> Iterator[Any]:
    """Yield an array, what it is a view of, what that is a view of, and so on; of anything else only itself.

    Other objects may have a `base` that means something else, is the object itself, or is made anew each time.
    """
    seen, at = set[int](), array
    while at is not None and id(at) not in seen:
        yield at
        seen.add(id(at))
        at = _owner_of(at)


def _owner_of(value: Any) -> Any:
    np = sys.modules["numpy"]
    if type(value) is memoryview:  # stands between an array and what it was made from
        return value.obj
    for kind in (np.ndarray, np.void):
        if is_a(value, kind):
            return kind.base.__get__(value)  # whatever a class derived from it says
    # `as_strided` puts an object of numpy's between.
    return attributes_of(value).get("base") if module_name(type(value)).startswith("numpy.") else None


def top_array(array: Any) -> Any:
    """Return the array that an array is a view of, directly or by way of others; itself when it is a view of none."""
    ndarray = sys.modules["numpy"].ndarray
    top = array
    # As numpy itself would answer, whatever a class derived from it says.
    while isinstance(base := ndarray.base.__get__(top), ndarray):
        top = base
    return top


def memory_order(array: Any) -> str:
    """Return in which order the axes lie in memory, "" for C order: what `ravel("K")` and sums return depends on it.

    Gaps between elements, and the direction of an axis, do not change such results.
    """
    if array.flags.c_contiguous:
        return ""
    steps = [
        (abs(step), axis)
        for axis, (step, length) in enumerate(zip(array.strides, array.shape, strict=True))
        if length > 1 and step
    ]
    ranked = [axis for _, axis in sorted(steps, key=lambda each: (-each[0], each[1]))]
    return "" if ranked == sorted(ranked) else f"axes {' '.join(map(str, ranked))}"


def with_strides(array: Any, strides: tuple[int, ...]) -> Any:
    """Return a copy of an array whose elements lie as far apart, in bytes, or closer where that would take much memory.

    Raises:
        ValueError: there are not as many strides as dimensions.
    """
    np = sys.modules["numpy"]
    if len(strides) != array.ndim:
        raise ValueError(f"{len(strides)} strides for {array.ndim} dimensions")
    steps = list(strides)
    if _span(array, steps) > max(_SPAN, 4 * array.nbytes):
        steps = _closed(array, steps)
    low = sum(step * (length - 1) for step, length in zip(steps, array.shape, strict=True) if step < 0)
    memory = np.zeros(_span(array, steps), np.uint8)
    if array.dtype.hasobject:  # memory of objects has to begin as such
        return np.lib.stride_tricks.as_strided(array, array.shape, array.strides)
    made: Any = np.ndarray(array.shape, array.dtype, buffer=memory, offset=-low, strides=tuple(steps))
    made[...] = array
    return made


def as_once(array: Any) -> tuple[Any, tuple[int, ...]] | None:
    """Return a view that has each element once of a large array that shows some more than once; None for other arrays.

    Such arrays come from `broadcast_to` and `sliding_window_view`. Also returned is which axis of the view each axis of
    the array steps along, -1 for an axis that stays where it is.
    """
    if array.nbytes <= _REPEATED or array.flags.forc:
        return None
    long = [(step, length) for step, length in zip(array.strides, array.shape, strict=True) if length > 1]
    steps = sorted({step for step, _ in long if step}, key=abs, reverse=True)
    if len(steps) == len(long):
        return None
    lengths = [1 + sum(length - 1 for step, length in long if step == one) for one in steps]
    once = sys.modules["numpy"].lib.stride_tricks.as_strided(
        array, lengths, steps, writeable=array.flags.writeable
    )
    axes = (
        steps.index(step) if step and length > 1 else -1
        for step, length in zip(array.strides, array.shape, strict=True)
    )
    return once, tuple(axes)


def as_often(elements: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Return the array that `as_once` took apart, as a view of its elements.

    Args:
        elements: each once, in C order.
        shape: that of the array.
        axes: along which axis of the elements each axis of the array goes; -1 for none.

    Raises:
        ValueError: the parts do not fit together.
    """
    lengths = [1] * (1 + max(axes, default=-1))
    for axis, length in zip(axes, shape, strict=True):
        if length < 1 or axis < -1:
            raise ValueError(f"shape {shape} along axes {axes}")
        if axis >= 0:
            lengths[axis] += length - 1
    once = elements.reshape(lengths)
    steps = [once.strides[axis] if axis >= 0 else 0 for axis in axes]
    made: Any = sys.modules["numpy"].lib.stride_tricks.as_strided(
        once, shape, steps, writeable=once.flags.writeable
    )
    return made


def _span(array: Any, steps: list[int]) -> int:
    return int(array.itemsize + sum(abs(s) * (n - 1) for s, n in zip(steps, array.shape, strict=True)))


def _closed(array: Any, steps: list[int]) -> list[int]:
    """Return strides of the same order and signs, with a gap of one element after each row."""
    found, width = list(steps), 2 * array.itemsize if sum(n > 1 for n in array.shape) < 2 else array.itemsize
    for axis in sorted(range(len(steps)), key=lambda axis: (abs(steps[axis]), -axis)):
        if steps[axis] and array.shape[axis] > 1:
            found[axis] = width if steps[axis] > 0 else -width
            width = width * array.shape[axis] + array.itemsize
    return found


def file_behind(array: Any) -> Any:
    """Return the `np.memmap` whose file holds an array's memory; None where none does."""
    np = sys.modules["numpy"]
    found, owner = None, None
    for owner in owners(array):
        if not is_a(owner, np.ndarray):
            break
        if is_a(owner, np.memmap) and attributes_of(owner).get("filename") is not None:
            found = owner
    return found if type(owner).__name__ == "mmap" else None


def function_of_ufunc(value: object) -> Any:
    """Return the function that `np.frompyfunc` was given; None for any other ufunc and anything else."""
    ufunc = getattr(sys.modules.get("numpy"), "ufunc", None)
    if type(value) is not ufunc or not value.__name__.endswith(" (vectorized)"):  # type: ignore[attr-defined]
        return None
    return next((part for part in gc.get_referents(value) if callable(part)), None)
