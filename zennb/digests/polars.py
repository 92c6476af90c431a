"""Owns the digests of polars frames and series. Imported on demand."""

from __future__ import annotations

import sys
from typing import Any

from zennb.digests.added_attributes import added_parts
from zennb.digests.walker import HIDDEN, DigestWalker, Handler, Steps

__all__ = ["handler"]


def handler(cls: type) -> Handler | None:
    """Return the handler of one of polars' types, if it needs its own."""
    pl: Any = sys.modules["polars"]
    if issubclass(cls, pl.DataFrame):
        return _frame
    return _series if issubclass(cls, pl.Series) else None


def _frame(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    walker.mark("polars frame", type(value))
    walker.note_memory(value)
    walker.sink.text(str(value.shape))
    for name in value.columns:
        walker.sink.text(name)
        for part, _ in _content(walker, value.get_column(name)):
            yield part, (name,)
    yield from added_parts(walker, value)


def _series(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    walker.mark("polars series", type(value))
    walker.note_memory(value)
    walker.sink.text(value.name)
    walker.sink.number(len(value))
    yield from _content(walker, value)
    yield from added_parts(walker, value)


def _content(walker: DigestWalker, series: Any) -> Steps:
    """Write data type, missing elements and the others, whatever the chunks were."""
    pl: Any = sys.modules["polars"]
    walker.sink.text(repr(series.dtype).replace("precision=None", "precision=38"))  # None means 38
    missing = 0 if series.dtype == pl.Object else series.null_count()
    walker.sink.number(missing)
    if missing:
        _numbers(walker, series.is_null().cast(pl.UInt8))
        series = series.drop_nulls()  # the data under a missing element is arbitrary
    yield from _elements(walker, series)


def _elements(walker: DigestWalker, series: Any) -> Steps:
    """Write elements none of which is missing."""
    pl: Any = sys.modules["polars"]
    dtype = series.dtype
    if dtype in {pl.Categorical, pl.Enum}:
        # The codes of categories depend on what else the process has seen.
        series = series.cast(pl.String)
    elif dtype == pl.Boolean:
        series = series.cast(pl.UInt8)
    elif dtype.is_temporal():
        series = series.to_physical()
    if series.dtype == pl.String:
        _numbers(walker, series.str.len_bytes())
        walker.sink.text(series.str.join("").item() if len(series) else "")
    elif _is_plain(series.dtype):
        _numbers(walker, series)
    elif isinstance(dtype, pl.List):
        lengths = series.list.len()
        _numbers(walker, lengths)
        # `explode` makes a missing element of an empty list; the lengths are written, so these are left out.
        yield from _content(walker, series.filter(lengths > 0).explode())
    elif isinstance(dtype, pl.Struct):
        for field in series.struct.fields:
            yield from _content(walker, series.struct.field(field))
    else:
        listed = series.to_list()
        walker.keep(listed)
        yield listed, HIDDEN


def _numbers(walker: DigestWalker, series: Any) -> None:
    """Write numbers of fixed width, none of which is missing."""
    array = series.rechunk().to_numpy()
    walker.sink.buffer(memoryview(array).cast("B") if len(array) else b"")


def _is_plain(dtype: Any) -> bool:
    """Say whether numpy has the type too."""
    pl: Any = sys.modules["polars"]
    integers = {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
    return dtype in {getattr(pl, name) for name in (*integers, "Float32", "Float64")}
