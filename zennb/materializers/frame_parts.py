"""Owns the serialization of pandas arrays and indexes: each kind as plain data, and back.

What is read may come from anybody. So only public constructors are called that check what they are given, except where
the check is made here.
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

from zennb.compat.frames import array_of, codes_of, masked_parts, times_of
from zennb.errors import NotStorable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["rebuild", "take_apart"]

_TEXT = frozenset({str, NoneType, float})
"""What columns of text consist of where pandas keeps them as Python objects: before version 3."""


def take_apart(part: Any) -> tuple[Any, ...]:
    """Return an array or index as plain data, from which `rebuild` makes it again; arrays are the part's own memory.

    Raises:
        NotStorable: its kind is not known here, or it has something that cannot be written down.
    """
    if type(part) not in _KINDS:
        raise NotStorable(f"a {type(part).__name__} is not taken apart.")
    apart, _ = _KINDS[type(part)]
    return type(part).__name__, *apart(part)


def rebuild(note: Sequence[Any]) -> Any:
    """Return the array or index that was taken apart.

    Raises:
        Exception: of any kind, when the note is none of ours.
    """
    return _BY_NAME[note[0]](*note[1:])


def _array_apart(array: Any) -> tuple[Any, ...]:
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
    return np.fromiter(content, dtype=object, count=len(content)).reshape(shape)


def _times_apart(array: Any) -> tuple[Any, Any]:
    zone = array.dtype.tz if isinstance(array.dtype, pd.DatetimeTZDtype) else None
    if not isinstance(zone, NoneType | ZoneInfo | timezone):  # pytz's, as pandas 2 makes them
        zone = str(zone)
    return array.asi8.view(f"{'m' if array.dtype.kind == 'm' else 'M'}8[{array.unit}]"), zone


def _times(numbers: Any, zone: Any) -> Any:
    if numbers.dtype.kind not in "mM":
        raise TypeError(f"moments of dtype {numbers.dtype}")
    if str(zone).startswith("dateutil/"):  # reads whatever file it names
        raise ValueError(f"a time zone named {zone}")
    return times_of(numbers, zone)


def _periods_apart(array: Any) -> tuple[Any, str]:
    text = array.dtype.name.removeprefix("period[").removesuffix("]")
    if pd.PeriodDtype(text) != array.dtype:
        raise NotStorable(f"{array.dtype} does not say everything about its frequency.")
    return array.asi8, text


def _periods(numbers: Any, frequency: str) -> Any:
    return pd.arrays.PeriodArray(numbers, dtype=pd.PeriodDtype(frequency))


def _categories_apart(array: Any) -> tuple[Any, ...]:
    return codes_of(array), take_apart(array.categories), bool(array.ordered)


def _categories(codes: Any, categories: Sequence[Any], ordered: bool) -> Any:
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(rebuild(categories), ordered))


def _arrow_apart(array: Any) -> tuple[Any, ...]:
    """Return the buffers of an array of Arrow; those of nested types and of slices in an Arrow stream."""
    pa = import_module("pyarrow")
    missing = "" if isinstance(array.dtype, pd.ArrowDtype) else str(array.dtype.na_value)
    chunked = array.__arrow_array__()
    chunks = chunked.chunks or [pa.array([], chunked.type)]
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
    """Say whether an array is its buffers and no more, and these hold hardly anything else."""
    kind, types = array.type, import_module("pyarrow").types
    if not (types.is_primitive(kind) or types.is_large_string(kind) or types.is_string(kind)):
        return False
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
        array.validate()
    chunked = pa.chunked_array([array])
    if not missing:
        return pd.arrays.ArrowExtensionArray(chunked)
    strings: Any = pd.arrays.ArrowStringArray
    if missing == str(pd.NA):
        return strings(chunked)
    return strings(chunked, dtype=pd.StringDtype("pyarrow", na_value=np.nan))


def _range_apart(index: Any) -> tuple[Any, ...]:
    return index.start, index.stop, index.step, None, False, index.name  # arguments of its class


def _labels_apart(index: Any) -> tuple[Any, Any]:
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
    return pd.Index(values, dtype=values.dtype, name=name, copy=False, tupleize_cols=False)


def _frequent_apart(index: Any) -> tuple[Any, Any, Any]:
    text = index.freqstr
    if text is not None and _frequency(text) != index.freq:
        raise NotStorable(f"frequency {index.freq!r} is not what its name {text!r} says.")
    return *_labels_apart(index), text


def _frequency(text: str) -> Any:
    return pd.tseries.frequencies.to_offset(text)


def _index(kind: Any, values: Sequence[Any], name: Any, frequency: str | None = None) -> Any:
    index = kind(rebuild(values), name=name, copy=False)
    if frequency is not None:
        index.freq = _frequency(frequency)
    return index


def _intervals_apart(index: Any) -> tuple[Any, ...]:
    return take_apart(index.left), take_apart(index.right), index.closed, index.name


def _intervals(left: Sequence[Any], right: Sequence[Any], closed: Any, name: Any) -> Any:
    return pd.IntervalIndex.from_arrays(rebuild(left), rebuild(right), closed=closed, name=name)


def _levels_apart(index: Any) -> tuple[Any, ...]:
    codes = [np.asarray(each) for each in index.codes]
    return [take_apart(level) for level in index.levels], codes, list(index.names), index.sortorder


def _levels(levels: Sequence[Any], codes: Sequence[Any], names: Any, sortorder: int | None) -> Any:
    made = [rebuild(level) for level in levels]
    return pd.MultiIndex(levels=made, codes=codes, names=names, sortorder=sortorder, copy=False)


_KINDS: dict[type, tuple[Callable[[Any], Any], Callable[..., Any]]] = {
    np.ndarray: (_array_apart, _array),
    pd.arrays.DatetimeArray: (_times_apart, _times),
    pd.arrays.TimedeltaArray: (_times_apart, _times),
    pd.arrays.PeriodArray: (_periods_apart, _periods),
    pd.Categorical: (_categories_apart, _categories),
    pd.arrays.IntegerArray: (masked_parts, pd.arrays.IntegerArray),
    pd.arrays.FloatingArray: (masked_parts, pd.arrays.FloatingArray),
    pd.arrays.BooleanArray: (masked_parts, pd.arrays.BooleanArray),
    pd.arrays.ArrowStringArray: (_arrow_apart, _arrow),
    pd.arrays.ArrowExtensionArray: (_arrow_apart, _arrow),
    pd.RangeIndex: (_range_apart, pd.RangeIndex),
    pd.Index: (_labels_apart, _labels),
    pd.DatetimeIndex: (_frequent_apart, partial(_index, pd.DatetimeIndex)),
    pd.TimedeltaIndex: (_frequent_apart, partial(_index, pd.TimedeltaIndex)),
    pd.PeriodIndex: (_labels_apart, partial(_index, pd.PeriodIndex)),
    pd.CategoricalIndex: (_labels_apart, partial(_index, pd.CategoricalIndex)),
    pd.IntervalIndex: (_intervals_apart, _intervals),
    pd.MultiIndex: (_levels_apart, _levels),
}
"""Each kind of array and index: how it is taken apart, and how it is made again."""

_BY_NAME = {kind.__name__: make for kind, (_, make) in _KINDS.items()}
