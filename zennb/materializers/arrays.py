"""Owns the arrays inside pandas objects: each kind as Arrow columns over the same memory, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from zennb.errors import NotStorable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Columns", "Memory", "put_values", "values_from"]

_DTYPES = {
    *("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"),
    *(f"{kind}8[{unit}]" for kind in "mM" for unit in ("s", "ms", "us", "ns")),
}
_LANES = {"c8": ("f4", 2), "c16": ("f8", 2), "b1": ("i1", 1)}


class Columns:
    """The Arrow columns collected so far; all have `rows` rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.arrays: list[Any] = []
        self.names: list[str] = []

    def add(self, array: Any, name: str) -> int:
        """Keep a column; return its number."""
        self.arrays.append(array)
        self.names.append(name)
        return len(self.arrays) - 1


class Memory:
    """The columns of a stored batch, and the writable memory they lie in."""

    def __init__(self, batch: Any, own: memoryview) -> None:
        self._batch = batch
        self._own = own
        self._start: int = pa.py_buffer(own).address

    def column(self, at: int) -> Any:
        """Return an Arrow column."""
        return self._batch.column(at)

    def numbers(self, at: int, count: int, columns: int, dtype: Any) -> Any:
        """Return `columns` Arrow columns from number `at` on as one array of shape (columns, count).

        It is a view where they lie one right after another, as 8-byte numbers do, else a copy.
        """
        if count == 0 or columns == 0:
            return np.empty((columns, count), dtype)
        starts = [self.column(at + one).buffers()[-1].address - self._start for one in range(columns)]
        step = count * dtype.itemsize
        if starts == list(range(starts[0], starts[0] + columns * step, step)):
            return np.ndarray((columns, count), dtype, buffer=self._own, offset=starts[0])
        parts = [np.ndarray(count, dtype, buffer=self._own, offset=start) for start in starts]
        return np.stack(parts)


def put_values(values: Any, columns: Columns | None, labels: Sequence[str] = ("",)) -> dict[str, Any]:
    """Add an array's memory to `columns` and return the note from which `values_from` rebuilds it.

    Args:
        values: an array of NumPy or pandas; two-dimensional ones are blocks (columns, rows).
        columns: where rows go; None when the array is not as long as the frame, and so goes into the note.
        labels: names for the Arrow columns.

    Raises:
        NotStorable: its kind is not known here.
    """
    put = _PUT.get(type(values))
    if put is None:
        raise NotStorable(f"columns of {type(values).__name__} are not stored as Arrow.")
    return {"kind": type(values).__name__} | put(values, columns, labels)


def values_from(note: Mapping[str, Any], memory: Memory | None) -> Any:
    """Return the array that `put_values` described."""
    return _TAKE[note["kind"]](note, memory)


def _put_numbers(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    dtype = values.dtype
    if not _is_number(dtype):
        raise NotStorable(f"columns of dtype {dtype} are not stored as Arrow.")
    note = {"dtype": dtype.str, "writable": bool(values.flags.writeable), "shape": values.shape}
    if columns is None:
        return note | {"values": np.array(values)}
    block = values if values.flags.forc else np.array(values, order="K", copy=True)
    block = block if block.flags.forc else np.ascontiguousarray(block)
    if block.ndim == 1 or block.flags.c_contiguous:
        rows = block.reshape(-1, columns.rows) if columns.rows else block.reshape(_lines(block), 0)
        at = [columns.add(_number_column(row), label) for row, label in zip(rows, labels, strict=True)]
        return note | {"order": "C", "at": at[0] if at else 0}
    return note | {"order": "F", "at": columns.add(_lists(block), ", ".join(labels))}


def _is_number(dtype: Any) -> bool:
    return dtype.str[1:] in _DTYPES and bool(dtype.isnative)


def _lines(block: Any) -> int:
    return 1 if block.ndim == 1 else int(block.shape[0])


def _arrow_memory(array: Any) -> Any:
    return pa.py_buffer(array.ravel(order="K").view(np.uint8) if array.nbytes else b"")


def _base(dtype: Any) -> tuple[Any, int]:
    """Return the Arrow type of a NumPy dtype's parts, and how many parts an element has."""
    name, lanes = _LANES.get(dtype.str[1:], (dtype.str[1:], 1))
    return pa.from_numpy_dtype(np.dtype(name)), lanes


def _number_column(row: Any) -> Any:
    base, lanes = _base(row.dtype)
    if lanes > 1:
        return _lists(row[np.newaxis])
    gaps = np.isnat(row) if row.dtype.kind in "mM" else None
    valid = pa.py_buffer(np.packbits(~gaps, bitorder="little")) if gaps is not None and gaps.any() else None
    return pa.Array.from_buffers(base, len(row), [valid, _arrow_memory(row)])


def _lists(block: Any) -> Any:
    """Return a block (columns, rows) whose rows are contiguous as one column of lists, each of them a row."""
    base, lanes = _base(block.dtype)
    width = lanes * block.shape[0]
    child = pa.Array.from_buffers(base, width * block.shape[1], [None, _arrow_memory(block)])
    return pa.Array.from_buffers(pa.list_(base, width), block.shape[1], [None], children=[child])


def _take_numbers(note: Mapping[str, Any], memory: Memory | None) -> Any:
    if memory is None:
        found = note["values"]
    else:
        dtype, shape = np.dtype(note["dtype"]), tuple(note["shape"])
        if not _is_number(dtype):
            raise ValueError(f"a column of dtype {dtype}")
        lines, count = (1, shape[0]) if len(shape) == 1 else shape
        if note["order"] == "F":
            found = memory.numbers(note["at"], lines * count, 1, dtype).reshape(count, lines).T
        else:
            found = memory.numbers(note["at"], count, lines, dtype).reshape(shape)
    found.flags.writeable = note["writable"]
    return found


def _put_times(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    zone = values.dtype.tz if isinstance(values.dtype, pd.DatetimeTZDtype) else None
    return {"zone": zone, "numbers": _put_numbers(values._ndarray, columns, labels)}  # noqa: SLF001 - its own memory


def _take_times(note: Mapping[str, Any], memory: Memory | None) -> Any:
    numbers = _take_numbers(note["numbers"], memory)
    dtype = numbers.dtype
    if note["zone"] is not None:
        unit: Any = np.datetime_data(dtype)[0]
        dtype = pd.DatetimeTZDtype(unit, note["zone"])
    array: Any = pd.arrays.DatetimeArray if note["kind"] == "DatetimeArray" else pd.arrays.TimedeltaArray
    return array._simple_new(numbers, dtype=dtype)  # noqa: SLF001 - the public constructor copies and checks


def _put_periods(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    name = values.dtype.name
    if pd.api.types.pandas_dtype(name) != values.dtype:
        raise NotStorable(f"{name} does not say everything about its frequency.")
    return {"dtype": name, "numbers": _put_numbers(values._ndarray, columns, labels)}  # noqa: SLF001 - the same


def _take_periods(note: Mapping[str, Any], memory: Memory | None) -> Any:
    array: Any = pd.arrays.PeriodArray
    numbers = _take_numbers(note["numbers"], memory)
    return array._simple_new(numbers, dtype=pd.api.types.pandas_dtype(note["dtype"]))  # noqa: SLF001 - the same


def _put_categories(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    from zennb.materializers.indexes import put_index

    return {
        "numbers": _put_numbers(values._codes, columns, labels),  # noqa: SLF001 - `.codes` is a read-only view
        "categories": put_index(values.categories, None),
        "ordered": bool(values.ordered),
    }


def _take_categories(note: Mapping[str, Any], memory: Memory | None) -> Any:
    from zennb.materializers.indexes import index_from

    dtype = pd.CategoricalDtype(index_from(note["categories"], None), ordered=note["ordered"])
    array: Any = pd.Categorical
    return array._simple_new(_take_numbers(note["numbers"], memory), dtype=dtype)  # noqa: SLF001 - the same


def _put_masked(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    masks = [f"{label} is missing" for label in labels]
    return {
        "numbers": _put_numbers(values._data, columns, labels),  # noqa: SLF001 - the two arrays it is made of
        "mask": _put_numbers(values._mask, columns, masks),  # noqa: SLF001 - the same
    }


def _take_masked(note: Mapping[str, Any], memory: Memory | None) -> Any:
    array: Any = getattr(pd.arrays, note["kind"])
    return array(_take_numbers(note["numbers"], memory), _take_numbers(note["mask"], memory), copy=False)


def _put_arrow(values: Any, columns: Columns | None, labels: Sequence[str]) -> dict[str, Any]:
    chunks = values._pa_array.combine_chunks()  # noqa: SLF001 - the Arrow array it is made of
    array = pa.concat_arrays(chunks.chunks) if isinstance(chunks, pa.ChunkedArray) else chunks
    note = {} if isinstance(values.dtype, pd.ArrowDtype) else {"missing": _missing(values.dtype)}
    if columns is not None:
        return note | {"at": columns.add(array, labels[0])}
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([array], names=[""])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return note | {"stream": sink.getvalue().to_pybytes()}


def _missing(dtype: Any) -> str:
    """Return which of the two pandas string dtypes this is: the one whose missing values are NaN, or NA."""
    return "NA" if getattr(dtype, "na_value", pd.NA) is pd.NA else "NaN"


def _take_arrow(note: Mapping[str, Any], memory: Memory | None) -> Any:
    if memory is None:
        array = pa.ipc.open_stream(note["stream"]).read_next_batch().column(0)
    else:
        array = memory.column(note["at"])
    chunked = pa.chunked_array([array])
    if "missing" not in note:
        return pd.arrays.ArrowExtensionArray(chunked)
    strings: Any = pd.arrays.ArrowStringArray
    if note["missing"] == "NA":
        return strings(chunked)
    return strings(chunked, dtype=pd.StringDtype("pyarrow", na_value=np.nan))


_PUT: dict[type, Callable[[Any, Columns | None, Sequence[str]], dict[str, Any]]] = {
    np.ndarray: _put_numbers,
    pd.arrays.DatetimeArray: _put_times,
    pd.arrays.TimedeltaArray: _put_times,
    pd.arrays.PeriodArray: _put_periods,
    pd.Categorical: _put_categories,
    pd.arrays.IntegerArray: _put_masked,
    pd.arrays.FloatingArray: _put_masked,
    pd.arrays.BooleanArray: _put_masked,
    pd.arrays.ArrowStringArray: _put_arrow,
    pd.arrays.ArrowExtensionArray: _put_arrow,
}
_TAKE: dict[str, Callable[[Mapping[str, Any], Memory | None], Any]] = {
    "ndarray": _take_numbers,
    "DatetimeArray": _take_times,
    "TimedeltaArray": _take_times,
    "PeriodArray": _take_periods,
    "Categorical": _take_categories,
    "IntegerArray": _take_masked,
    "FloatingArray": _take_masked,
    "BooleanArray": _take_masked,
    "ArrowStringArray": _take_arrow,
    "ArrowExtensionArray": _take_arrow,
}
