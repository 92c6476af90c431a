"""Owns how pandas frames, series, indexes and extension arrays are digested. Loaded when one of them is met."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.frames import array_of, columns_of, masked_parts, numpy_array
from zennb.digests.arrays import array_content, note_owner
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


def _frame(walk: DigestWalker, value: Any) -> Steps:
    if walk.seen(value):
        return
    walk.mark("frame", type(value))
    yield value.columns, ".columns"
    yield value.index, ".index"
    names = list(value.columns)
    for place, column in enumerate(columns_of(value)):
        _own(walk, column)
        for part, _ in _column(walk, column):
            yield part, (names[place],)
    yield from _extras(walk, value)


def _series(walk: DigestWalker, value: Any) -> Steps:
    if walk.seen(value):
        return
    walk.mark("series", type(value))
    array = array_of(value)
    _own(walk, array)
    yield value.name, ".name"
    yield value.index, ".index"
    yield from _column(walk, array)
    yield from _extras(walk, value)


def _extras(walk: DigestWalker, value: Any) -> Steps:
    """Yield what pandas carries along with a table: attributes, flags, and what subclasses add."""
    walk.sink.write(b"d" if value.flags.allows_duplicate_labels else b"u")
    yield value.attrs or None, ".attrs"
    for name in value._metadata:  # noqa: SLF001 - documented: where subclasses name their own attributes
        if name not in {"_name", "name"}:
            walk.sink.text(name)
            yield getattr(value, name, None), f".{name}"


def _own(walk: DigestWalker, array: Any) -> None:
    """Note whose memory a column looks into, where writing to it would show elsewhere: before pandas 3."""
    pd: Any = sys.modules["pandas"]
    if int(pd.__version__.partition(".")[0]) < 3:
        note_owner(walk, array)


def _index(walk: DigestWalker, value: Any) -> Steps:
    walk.labels += 1
    yield from _index_parts(walk, value)
    walk.labels -= 1


def _index_parts(walk: DigestWalker, value: Any) -> Steps:
    pd: Any = sys.modules["pandas"]
    walk.mark("index", type(value))
    yield tuple(value.names), ".names"
    if isinstance(value, pd.RangeIndex):
        yield range(value.start, value.stop, value.step), HIDDEN
    elif isinstance(value, pd.MultiIndex):
        walk.sink.number(value.nlevels)
        for place in range(value.nlevels):
            yield value.levels[place], ".levels"
            yield from _column(walk, value.codes[place])
    else:
        yield from _column(walk, array_of(value))
        freq = getattr(value, "freq", None)
        yield None if freq is None else freq.freqstr, ".freq"


def _column(walk: DigestWalker, array: Any) -> Steps:
    """Write one column: numpy's arrays by content, whatever container held them."""
    np: Any = sys.modules["numpy"]
    if isinstance(array, np.ndarray):
        walk.mark("column")
        yield from array_content(walk, array) or ()
    else:
        yield array, HIDDEN


def _dtype(walk: DigestWalker, value: Any) -> Steps | None:
    walk.mark("frame dtype", type(value))
    walk.sink.text(repr(value))
    pd: Any = sys.modules["pandas"]
    if isinstance(value, pd.CategoricalDtype):
        return iter([(value.categories, ".categories"), (value.ordered, ".ordered")])
    return None


def _extension(walk: DigestWalker, value: Any) -> Steps:
    pd: Any = sys.modules["pandas"]
    if walk.seen(value):
        return
    walk.mark("extension array", type(value))
    if isinstance(value, pd.Categorical):
        walk.sink.write(b"o" if value.ordered else b"u")
        yield value.categories, ".categories"
        yield from array_content(walk, value.codes) or ()
        return
    yield value.dtype, ".dtype"
    if isinstance(value, pd.arrays.DatetimeArray | pd.arrays.TimedeltaArray | pd.arrays.PeriodArray):
        freq = getattr(value, "freq", None)
        yield None if freq is None else freq.freqstr, ".freq"
        yield from array_content(walk, value.asi8) or ()
    elif isinstance(value, pd.arrays.IntervalArray):
        yield value.left, ".left"
        yield value.right, ".right"
    else:
        yield from _storage(walk, value)


def _storage(walk: DigestWalker, value: Any) -> Steps:
    """Write an extension array by what holds its elements."""
    np: Any = sys.modules["numpy"]
    if isinstance(value, sys.modules["pandas"].arrays.ArrowExtensionArray):
        yield from chunks_content(walk, value.__arrow_array__())
    elif (parts := masked_parts(value)) is not None:
        data, mask = parts
        if mask.any():  # what lies under a missing value is nobody's content
            data = np.where(mask, np.zeros(1, data.dtype), data)
        yield from array_content(walk, mask) or ()
        yield from array_content(walk, data) or ()
    elif (inner := numpy_array(value)) is not None:
        yield from array_content(walk, inner) or ()
    else:
        recipe = value.__reduce_ex__(4)
        yield tuple(part for part in recipe if isinstance(part, tuple | dict)), HIDDEN
