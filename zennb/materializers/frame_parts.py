"""Owns the serialization of pandas arrays and indexes: each kind as plain data, and back.

Stored bytes may come from anyone. So loading only calls public constructors that check their arguments, or checks
them here.
"""

from __future__ import annotations

from datetime import timezone
from functools import partial
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from zennb.compat.frames import array_of, codes_of, copies_on_write, detached_array, masked_parts, times_of
from zennb.errors import NotStorable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["rebuild", "take_apart"]

_TEXT = frozenset({str, NoneType, float})
"""Types in columns of text that pandas before version 3 keeps as Python objects."""


def take_apart(part: Any) -> tuple[Any, ...]:
    """Return an array or index as plain data for `rebuild`; the arrays are views of its own memory.

    Raises:
        NotStorable: its kind is unknown, or it contains something that is no plain data.
    """
    if type(part) not in _KINDS:
        raise NotStorable(f"a {type(part).__name__} is not taken apart.")
    parts, _ = _KINDS[type(part)]
    if copies_on_write() and not isinstance(part, pd.Index):
        part = detached_array(part)
    return type(part).__name__, *parts(part)


def rebuild(note: Sequence[Any]) -> Any:
    """Return the array or index that `take_apart` described.

    Raises:
        Exception: of any kind, when the note is invalid.
    """
    return _BY_NAME[note[0]](*note[1:])


def _array_parts(array: Any) -> tuple[Any, ...]:
    if array.dtype != object:
        return (array,)
    objects = array.ravel().tolist()
    if not set(map(type, objects)) <= _TEXT:
        raise NotStorable("a column of Python objects other than text is not taken apart.")
    return objects, array.shape


def _array(content: Any, shape: Sequence[int] | None = None) -> Any:
    if shape is None:
        if type(content) is not np.ndarray:
            raise TypeError(f"a {type(content).__name__} in place of an array")
        return content
    # Not `np.array`, which would make more dimensions of a column whose elements are lists.
    return np.fromiter(content, dtype=object, count=len(content)).reshape(shape)


def _times_parts(array: Any) -> tuple[Any, Any]:
    zone = array.dtype.tz if isinstance(array.dtype, pd.DatetimeTZDtype) else None
    if not isinstance(zone, NoneType | ZoneInfo | timezone):  # pytz's, as pandas 2 makes them
        zone = str(zone)
    # The integers behind the times, with their unit: nothing is converted, and nothing is rounded.
    return array.asi8.view(f"{'m' if array.dtype.kind == 'm' else 'M'}8[{array.unit}]"), zone


def _times(numbers: Any, zone: Any) -> Any:
    if numbers.dtype.kind not in "mM":
        raise TypeError(f"moments of dtype {numbers.dtype}")
    if str(zone).startswith("dateutil/"):  # reads whatever file it names
        raise ValueError(f"a time zone named {zone}")
    return times_of(numbers, zone)


def _periods_parts(array: Any) -> tuple[Any, str]:
    text = array.dtype.name.removeprefix("period[").removesuffix("]")
    if pd.PeriodDtype(text) != array.dtype:
        raise NotStorable(f"{array.dtype} does not say everything about its frequency.")
    return array.asi8, text


def _periods(numbers: Any, frequency: str) -> Any:
    return pd.arrays.PeriodArray(numbers, dtype=pd.PeriodDtype(frequency))


def _categories_parts(array: Any) -> tuple[Any, ...]:
    return codes_of(array), take_apart(array.categories), bool(array.ordered)


def _categories(codes: Any, categories: Sequence[Any], ordered: bool) -> Any:
    # `from_codes` checks that every code has a category; the constructor without checks would read past the end.
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(rebuild(categories), ordered))


def _arrow_parts(array: Any) -> tuple[Any, ...]:
    """Return the buffers of an Arrow array; nested types and slices become an Arrow stream."""
    pa = import_module("pyarrow")
    missing = "" if isinstance(array.dtype, pd.ArrowDtype) else str(array.dtype.na_value)
    chunked = array.__arrow_array__()
    chunks = chunked.chunks or [pa.array([], chunked.type)]
    # Chunks are no part of the value, and one array has one set of buffers to map.
    whole = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    schema = pa.schema([("", whole.type)])
    if _is_flat(whole):
        buffers = [None if each is None else np.frombuffer(each, np.uint8) for each in whole.buffers()]
        return missing, schema.serialize().to_pybytes(), len(whole), buffers
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch([whole], schema=schema))
    return missing, np.frombuffer(sink.getvalue(), np.uint8)


def _is_flat(array: Any) -> bool:
    """Whether an array consists of its buffers only, without much slack."""
    kind, types = array.type, import_module("pyarrow").types
    if not (types.is_primitive(kind) or types.is_large_string(kind) or types.is_string(kind)):
        return False
    # Arrow rounds each buffer up to 64 bytes. More than that means a slice of something larger,
    # which would be stored whole.
    slack = 64 * len(array.buffers())
    return array.offset == 0 and bool(array.get_total_buffer_size() <= array.nbytes + slack)


def _arrow(missing: str, content: Any, length: int = 0, buffers: Sequence[Any] = ()) -> Any:
    pa = import_module("pyarrow")
    if not buffers:
        array = pa.ipc.open_stream(pa.py_buffer(content)).read_next_batch().column(0)
    else:
        kind = pa.ipc.read_schema(pa.py_buffer(content)).field(0).type
        array = pa.Array.from_buffers(
            kind, length, [None if each is None else pa.py_buffer(each) for each in buffers]
        )
    import_module("zennb.materializers.arrow_checks").check_array(array)
    chunked = pa.chunked_array([array])
    if not missing:
        return pd.arrays.ArrowExtensionArray(chunked)
    strings: Any = pd.arrays.ArrowStringArray
    if missing == str(pd.NA):
        return strings(chunked)
    return strings(chunked, dtype=pd.StringDtype("pyarrow", na_value=np.nan))


def _range_parts(index: Any) -> tuple[Any, ...]:
    return index.start, index.stop, index.step, None, False, index.name  # arguments of its class


def _labels_parts(index: Any) -> tuple[Any, Any]:
    labels = array_of(index)
    if labels.dtype == object and type(labels) is np.ndarray:
        return (
            "ndarray",
            labels.tolist(),
            labels.shape,
        ), index.name  # any objects: what is no plain data is refused
    return take_apart(labels), index.name


def _labels(labels: Sequence[Any], name: Any) -> Any:
    values = rebuild(labels)
    # The type is given, or pandas would guess another one; tuples stay labels instead of becoming levels.
    return pd.Index(values, dtype=values.dtype, name=name, copy=False, tupleize_cols=False)


def _frequency_parts(index: Any) -> tuple[Any, Any, Any]:
    text = index.freqstr
    if text is not None and _frequency(text) != index.freq:
        raise NotStorable(f"frequency {index.freq!r} is not what its name {text!r} says.")
    return *_labels_parts(index), text


def _frequency(text: str) -> Any:
    return pd.tseries.frequencies.to_offset(text)


def _index(kind: Any, values: Sequence[Any], name: Any, frequency: str | None = None) -> Any:
    index = kind(rebuild(values), name=name, copy=False)
    if frequency is not None:
        index.freq = _frequency(frequency)
    return index


def _intervals_parts(index: Any) -> tuple[Any, ...]:
    return take_apart(index.left), take_apart(index.right), index.closed, index.name


def _intervals(left: Sequence[Any], right: Sequence[Any], closed: Any, name: Any) -> Any:
    return pd.IntervalIndex.from_arrays(rebuild(left), rebuild(right), closed=closed, name=name)


def _levels_parts(index: Any) -> tuple[Any, ...]:
    codes = [np.asarray(each) for each in index.codes]
    return [take_apart(level) for level in index.levels], codes, list(index.names), index.sortorder


def _levels(levels: Sequence[Any], codes: Sequence[Any], names: Any, sortorder: int | None) -> Any:
    made = [rebuild(level) for level in levels]
    return pd.MultiIndex(levels=made, codes=codes, names=names, sortorder=sortorder, copy=False)


_KINDS: dict[type, tuple[Callable[[Any], Any], Callable[..., Any]]] = {
    np.ndarray: (_array_parts, _array),
    pd.arrays.DatetimeArray: (_times_parts, _times),
    pd.arrays.TimedeltaArray: (_times_parts, _times),
    pd.arrays.PeriodArray: (_periods_parts, _periods),
    pd.Categorical: (_categories_parts, _categories),
    pd.arrays.IntegerArray: (masked_parts, pd.arrays.IntegerArray),
    pd.arrays.FloatingArray: (masked_parts, pd.arrays.FloatingArray),
    pd.arrays.BooleanArray: (masked_parts, pd.arrays.BooleanArray),
    pd.arrays.ArrowStringArray: (_arrow_parts, _arrow),
    pd.arrays.ArrowExtensionArray: (_arrow_parts, _arrow),
    pd.RangeIndex: (_range_parts, pd.RangeIndex),
    pd.Index: (_labels_parts, _labels),
    pd.DatetimeIndex: (_frequency_parts, partial(_index, pd.DatetimeIndex)),
    pd.TimedeltaIndex: (_frequency_parts, partial(_index, pd.TimedeltaIndex)),
    pd.PeriodIndex: (_labels_parts, partial(_index, pd.PeriodIndex)),
    pd.CategoricalIndex: (_labels_parts, partial(_index, pd.CategoricalIndex)),
    pd.IntervalIndex: (_intervals_parts, _intervals),
    pd.MultiIndex: (_levels_parts, _levels),
}
"""Each kind of array and index → function that takes it apart, and function that rebuilds it."""

_BY_NAME = {kind.__name__: make for kind, (_, make) in _KINDS.items()}
