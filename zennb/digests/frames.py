"""Owns the digests of pandas data frames, series, indexes and extension arrays. Imported on demand."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.frames import (
    array_of,
    columns_of,
    copies_on_write,
    masked_parts,
    numpy_array,
)
from zennb.digests.added_attributes import added_parts
from zennb.digests.arrays import array_content
from zennb.digests.arrow import chunks_content
from zennb.digests.walker import HIDDEN, DigestWalker, Handler, Steps

__all__ = ["handler"]


def handler(cls: type) -> Handler | None:
    """Return the handler of one of pandas' types, if it needs its own."""
    pd: Any = sys.modules["pandas"]
    if issubclass(cls, pd.DataFrame):
        return _frame
    if issubclass(cls, pd.Series):
        return _series
    if issubclass(cls, pd.Index):
        return _index
    if issubclass(cls, pd.api.extensions.ExtensionArray):
        return _extension
    if issubclass(cls, pd.api.extensions.ExtensionDtype):
        return _dtype
    return None


def _frame(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    walker.mark("frame", type(value))
    walker.note_memory(value)
    yield value.columns, ".columns"
    yield value.index, ".index"
    names = list(value.columns)
    for place, column in enumerate(columns_of(value)):
        for part, _ in _column(walker, column):
            yield part, (names[place],)
    yield from _extras(walker, value)


def _series(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    walker.mark("series", type(value))
    walker.note_memory(value)
    array = array_of(value)
    yield value.name, ".name"
    yield value.index, ".index"
    yield from _column(walker, array)
    yield from _extras(walker, value)


def _extras(walker: DigestWalker, value: Any) -> Steps:
    """Yield what belongs to a table besides its data: `attrs`, flags, and attributes of subclasses."""
    walker.sink.write(b"d" if value.flags.allows_duplicate_labels else b"u")
    yield value.attrs or None, ".attrs"
    for name in value._metadata:  # noqa: SLF001 - documented: where subclasses name their own attributes
        if name not in {"_name", "name"}:
            walker.sink.text(name)
            yield getattr(value, name, None), f".{name}"
    yield from added_parts(walker, value)


def _index(walker: DigestWalker, value: Any) -> Steps:
    walker.in_labels += 1
    yield from _index_parts(walker, value)
    walker.in_labels -= 1


def _index_parts(walker: DigestWalker, value: Any) -> Steps:
    pd: Any = sys.modules["pandas"]
    walker.mark("index", type(value))
    walker.note_memory(value)
    yield tuple(value.names), ".names"
    if isinstance(value, pd.RangeIndex):
        # Its three numbers: an index of 100 million rows holds no array.
        yield range(value.start, value.stop, value.step), HIDDEN
    elif isinstance(value, pd.MultiIndex):
        walker.sink.number(value.nlevels)
        for place in range(value.nlevels):
            yield value.levels[place], ".levels"
            yield from _column(walker, value.codes[place])
    else:
        yield from _column(walker, array_of(value))
        freq = getattr(value, "freq", None)
        yield None if freq is None else freq.freqstr, ".freq"
    yield from added_parts(walker, value)


def _column(walker: DigestWalker, array: Any) -> Steps:
    """Write one column; a numpy array is written by content, whatever its container."""
    np: Any = sys.modules["numpy"]
    if isinstance(array, np.ndarray):
        walker.mark("column")
        yield from array_content(walker, array) or ()
    else:
        # With copy-on-write, two columns may have one array object without sharing state.
        walker.in_columns += 1
        yield array.view() if copies_on_write() else array, HIDDEN
        walker.in_columns -= 1


def _dtype(walker: DigestWalker, value: Any) -> Steps | None:
    walker.mark("frame dtype", type(value))
    walker.sink.text(repr(value))
    pd: Any = sys.modules["pandas"]
    if isinstance(value, pd.CategoricalDtype):
        return iter([(value.categories, ".categories"), (value.ordered, ".ordered")])
    return None


def _extension(walker: DigestWalker, value: Any) -> Steps:
    pd: Any = sys.modules["pandas"]
    if walker.seen(value):
        return
    walker.mark("extension array", type(value))
    walker.note_memory(value)
    yield from added_parts(walker, value)
    if isinstance(value, pd.Categorical):
        walker.sink.write(b"o" if value.ordered else b"u")
        yield value.categories, ".categories"
        yield from array_content(walker, value.codes) or ()
        return
    yield value.dtype, ".dtype"
    if isinstance(value, pd.arrays.DatetimeArray | pd.arrays.TimedeltaArray | pd.arrays.PeriodArray):
        freq = getattr(value, "freq", None)
        yield None if freq is None else freq.freqstr, ".freq"
        yield from array_content(walker, value.asi8) or ()
    elif isinstance(value, pd.arrays.IntervalArray):
        yield value.left, ".left"
        yield value.right, ".right"
    else:
        yield from _storage(walker, value)


def _storage(walker: DigestWalker, value: Any) -> Steps:
    """Write an extension array by what holds its elements."""
    np: Any = sys.modules["numpy"]
    if isinstance(value, sys.modules["pandas"].arrays.ArrowExtensionArray):
        yield from chunks_content(walker, value.__arrow_array__())
    elif (parts := masked_parts(value)) is not None:
        data, mask = parts
        if mask.any():  # the data under a missing value is arbitrary
            data = np.where(mask, np.zeros(1, data.dtype), data)
        yield from array_content(walker, mask) or ()
        yield from array_content(walker, data) or ()
    elif (inner := numpy_array(value)) is not None:
        yield from array_content(walker, inner) or ()
    else:
        recipe = value.__reduce_ex__(4)
        yield tuple(part for part in recipe if isinstance(part, tuple | dict)), HIDDEN
