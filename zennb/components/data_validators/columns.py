"""Owns reading values as columns: data frames, tables, arrays, lists of rows, and single values."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["DataColumn", "as_column", "as_columns", "is_null", "row_count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataColumn:
    """One column.

    Attributes:
        values: its values: an array of numbers, or a list.
        label: returns how a row is called, given its place.
        has_gaps: whether missing values have been left out.
        is_single: whether it stands for a single value.
        copies: how many columns of the table have its name; the values are those of the last one.
    """

    values: Any
    label: Callable[[int], str] = str
    has_gaps: bool = False
    is_single: bool = False
    copies: int = 1

    @property
    def numbers(self) -> Any:
        """Its values, where they are an array of numbers; else None."""
        return self.values if hasattr(self.values, "dtype") else None

    def matching(self, test: Callable[[Any], Any]) -> list[int]:
        """Return the places of the values for which a test is true."""
        if self.numbers is not None:
            return [int(place) for place in test(self.values).nonzero()[0]]
        return [place for place, value in enumerate(self.values) if test(value)]

    def nulls(self) -> list[int]:
        """Return the places of missing values: None, NaN, and what libraries have in their stead."""
        if self.numbers is not None:
            return self.matching(lambda values: values != values)  # noqa: PLR0124 - only NaN differs from itself
        return self.matching(is_null)

    def present(self) -> DataColumn:
        """Return the same without missing values; the places of the others change."""
        missing = set(self.nulls())
        if not missing:
            return self
        kept = [place for place in range(len(self.values)) if place not in missing]
        values = self.values[kept] if self.numbers is not None else [self.values[place] for place in kept]
        return DataColumn(values=values, label=lambda place: self.label(kept[place]), has_gaps=True)


def is_null(value: object) -> bool:
    """Whether a value is missing: None, NaN, NaT or NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    name = type(value).__name__
    if name in {"NAType", "NaTType"}:
        return True
    if name in {"datetime64", "timedelta64", "float32", "float16", "Decimal"}:
        return bool(value != value)  # noqa: PLR0124 - only NaN differs from itself
    return False


def as_columns(value: object) -> dict[str, DataColumn] | None:
    """Return a table as columns by name; None for what is no table."""
    pandas, polars, arrow, numpy = (
        sys.modules.get(name) for name in ("pandas", "polars", "pyarrow", "numpy")
    )
    if pandas is not None and is_a(value, pandas.DataFrame):
        frame: Any = value
        # By place: names of columns may come twice, and need not be texts.
        names = [_text(name) for name in frame.columns]
        return _by_name(names, (_of_series(frame.iloc[:, place]) for place in range(len(names))))
    if polars is not None and is_a(value, polars.LazyFrame):
        value = value.collect()
    if polars is not None and is_a(value, polars.DataFrame):
        return {name: _of_series(value[name]) for name in value.columns}
    if arrow is not None and is_a(value, arrow.Table):
        return _by_name(
            value.column_names, (DataColumn(values=each.to_pylist()) for each in value.itercolumns())
        )
    if numpy is not None and is_a(value, numpy.ndarray) and value.dtype.names:
        return {name: as_column(value[name]) for name in value.dtype.names}
    if is_a(value, dict):
        return _of_dict(value)
    if is_a(value, list | tuple) and value and all(is_a(row, Mapping) for row in value):
        return _of_rows(value)
    return None


def _by_name(names: Sequence[str], columns: Iterable[DataColumn]) -> dict[str, DataColumn]:
    counts = Counter(names)
    return {name: replace(each, copies=counts[name]) for name, each in zip(names, columns, strict=True)}


def as_column(value: object) -> DataColumn:
    """Return a series, array or list as a column, and any other value as a column of one."""
    numpy = sys.modules.get("numpy")
    if type(value).__name__ in {"Series", "Index"} and hasattr(value, "dtype"):
        return _of_series(value)
    if numpy is not None and is_a(value, numpy.ndarray):
        flat: Any = value.reshape(-1)
        return DataColumn(values=flat if flat.dtype.kind in "iuf" else flat.tolist())
    if type(value).__name__ in {"ChunkedArray", "Array"} and hasattr(value, "to_pylist"):
        return DataColumn(values=value.to_pylist())
    if is_a(value, list | tuple):
        return DataColumn(values=list(value))
    return DataColumn(values=[value], is_single=True)


def row_count(value: object) -> int | None:
    """Return how many rows or elements a value has; None for a single value."""
    columns = as_columns(value)
    if columns is not None and (is_a(value, dict) or not hasattr(value, "__len__")):
        return max((len(each.values) for each in columns.values()), default=0)
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        return None
    try:
        return len(value)
    except TypeError:  # an array of no dimensions
        return None


def _of_series(series: Any) -> DataColumn:
    # With missing values polars makes floats of integers; as a list they stay what they are.
    is_full = type(series).__module__.split(".")[0] != "polars" or not series.null_count()
    if is_full and str(getattr(series, "dtype", "")).lower().startswith(("int", "uint", "float")):
        values = series.to_numpy()
        if values.dtype.kind in "iuf":
            return DataColumn(values=values, label=_labels(series))
    return DataColumn(values=series.to_list(), label=_labels(series))


def _labels(series: Any) -> Callable[[int], str]:
    index = getattr(series, "index", None)
    if index is None or callable(index) or type(index).__name__ == "RangeIndex":
        return str
    return lambda place: repr(index[place])


def _of_dict(value: Mapping[Any, Any]) -> dict[str, DataColumn] | None:
    if not all(_is_long(each) for each in value.values()):
        return None
    return {_text(name): as_column(each) for name, each in value.items()}


def _is_long(value: object) -> bool:
    return is_a(value, list | tuple) or type(value).__name__ in {"ndarray", "Series", "Index", "ChunkedArray"}


def _of_rows(rows: Sequence[Mapping[Any, Any]]) -> dict[str, DataColumn]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {_text(name): DataColumn(values=[row.get(name) for row in rows]) for name in names}


def _text(name: object) -> str:
    return name if isinstance(name, str) else repr(name)
