"""Owns the labels of pandas objects: what an index is made of, written down so that it comes back exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zennb.errors import NotStorable
from zennb.materializers.arrays import Columns, Memory, put_values, values_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["index_from", "put_index"]


def put_index(index: Any, columns: Columns | None) -> dict[str, Any]:
    """Return the note from which `index_from` rebuilds an index; its memory goes to `columns` when given.

    Raises:
        NotStorable: it has something that cannot be written down.
    """
    put = _PUT.get(type(index))
    if put is None:
        raise NotStorable(f"a {type(index).__name__} is not stored as Arrow.")
    return {"kind": type(index).__name__, "names": list(index.names)} | put(index, columns)


def index_from(note: Mapping[str, Any], memory: Memory | None) -> Any:
    """Return the index that `put_index` described."""
    return _TAKE[note["kind"]](note, memory)


def _put_range(index: Any, _: Columns | None) -> dict[str, Any]:
    return {"range": (index.start, index.stop, index.step)}


def _take_range(note: Mapping[str, Any], _: Memory | None) -> Any:
    start, stop, step = note["range"]
    return pd.RangeIndex(start, stop, step, name=note["names"][0])


def _put_plain(index: Any, columns: Columns | None) -> dict[str, Any]:
    if index.dtype == object:
        return {"objects": list(index._values)}  # noqa: SLF001 - the objects themselves; plain data or refused later
    return {"values": put_values(index._values, columns, ["index"])}  # noqa: SLF001 - the array as it is


def _take_plain(note: Mapping[str, Any], memory: Memory | None) -> Any:
    if "objects" in note:
        values: Any = np.empty(len(note["objects"]), dtype=object)
        values[:] = note["objects"]
        return pd.Index(values, dtype=object, name=note["names"][0], tupleize_cols=False)
    values = values_from(note["values"], memory)
    return pd.Index(values, dtype=values.dtype, name=note["names"][0], copy=False)


def _put_times(index: Any, columns: Columns | None) -> dict[str, Any]:
    text = index.freqstr
    if text is not None and _frequency(text) != index.freq:
        raise NotStorable(f"frequency {index.freq!r} is not what its name {text!r} says.")
    return _put_plain(index, columns) | {"frequency": text}


def _frequency(text: str) -> Any:
    return pd.tseries.frequencies.to_offset(text)


def _take_times(note: Mapping[str, Any], memory: Memory | None) -> Any:
    kind: Any = pd.DatetimeIndex if note["kind"] == "DatetimeIndex" else pd.TimedeltaIndex
    index = kind(values_from(note["values"], memory), name=note["names"][0], copy=False)
    index.freq = note["frequency"] and _frequency(note["frequency"])
    return index


def _take_periods(note: Mapping[str, Any], memory: Memory | None) -> Any:
    return pd.PeriodIndex(values_from(note["values"], memory), name=note["names"][0], copy=False)


def _take_categories(note: Mapping[str, Any], memory: Memory | None) -> Any:
    return pd.CategoricalIndex(values_from(note["values"], memory), name=note["names"][0], copy=False)


def _put_intervals(index: Any, columns: Columns | None) -> dict[str, Any]:
    sides = {"left": put_index(index.left, columns), "right": put_index(index.right, columns)}
    return sides | {"closed": index.closed}


def _take_intervals(note: Mapping[str, Any], memory: Memory | None) -> Any:
    left, right = index_from(note["left"], memory), index_from(note["right"], memory)
    return pd.IntervalIndex.from_arrays(left, right, closed=note["closed"], name=note["names"][0])


def _put_levels(index: Any, columns: Columns | None) -> dict[str, Any]:
    names = [f"index {at}" for at in range(index.nlevels)]
    return {
        "levels": [put_index(level, None) for level in index.levels],
        "codes": [put_values(np.asarray(c), columns, [n]) for c, n in zip(index.codes, names, strict=True)],
        "sorted": index.sortorder,
    }


def _take_levels(note: Mapping[str, Any], memory: Memory | None) -> Any:
    return pd.MultiIndex(
        levels=[index_from(level, None) for level in note["levels"]],
        codes=[values_from(codes, memory) for codes in note["codes"]],
        names=note["names"],
        sortorder=note["sorted"],
        copy=False,
        verify_integrity=False,
    )


_PUT: dict[type, Callable[[Any, Columns | None], dict[str, Any]]] = {
    pd.RangeIndex: _put_range,
    pd.Index: _put_plain,
    pd.DatetimeIndex: _put_times,
    pd.TimedeltaIndex: _put_times,
    pd.PeriodIndex: _put_plain,
    pd.CategoricalIndex: _put_plain,
    pd.IntervalIndex: _put_intervals,
    pd.MultiIndex: _put_levels,
}
_TAKE: dict[str, Callable[[Mapping[str, Any], Memory | None], Any]] = {
    "RangeIndex": _take_range,
    "Index": _take_plain,
    "DatetimeIndex": _take_times,
    "TimedeltaIndex": _take_times,
    "PeriodIndex": _take_periods,
    "CategoricalIndex": _take_categories,
    "IntervalIndex": _take_intervals,
    "MultiIndex": _take_levels,
}
