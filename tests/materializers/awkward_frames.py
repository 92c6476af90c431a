"""Frames and series that are easily changed when they are stored, each made anew every time it is asked for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

pd: Any = import_module("pandas")  # pandas-stubs know only the common uses, and these are the others

NUMBERS = np.arange(12.0).reshape(6, 2)
DATES = pd.date_range("2024-01-01", periods=3, freq="D")


def frame(**columns: Any) -> Any:
    return pd.DataFrame(columns)


def with_attrs(value: Any) -> Any:
    value.attrs = {"source": "survey", "weights": [1, 2.5], "nested": {"a": None}}
    return value


def with_odd_attrs(value: Any) -> Any:
    value.attrs = {"when": pd.Timestamp("2024-01-01")}
    return value


def without_duplicates() -> Any:
    return frame(a=[1, 2]).set_flags(allows_duplicate_labels=False)


def read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


def view_of_a_frame() -> Any:
    return frame(a=[1, 2, 3, 4], b=[1.0, 2.0, 3.0, 4.0], c=list("wxyz")).iloc[1:3]


def unused_levels() -> Any:
    index = pd.MultiIndex.from_product([["a", "b", "c"], [1, 2]], names=["letter", None])
    return pd.DataFrame({"v": range(6)}, index=index).loc[["a", "c"]]


def bytes_under_masks() -> Any:
    return frame(a=pd.arrays.IntegerArray(np.array([7, 8, 9]), np.array([False, True, False])))


AWKWARD: dict[str, Callable[[], Any]] = {
    "a plain frame": lambda: frame(a=[1, 2, 3], b=[0.5, float("nan"), -0.0], c=[True, False, True]),
    "lists in a column": lambda: frame(a=[[1, 2], [], [3]]),
    "dicts in a column": lambda: frame(a=[{"x": 1}, {}, {"y": [2]}]),
    "tuples and sets in a column": lambda: frame(a=[(1,), {2}, frozenset({3})]),
    "None among objects": lambda: pd.DataFrame({"a": ["x", None, 3]}, dtype=object),
    "NaN among objects": lambda: pd.DataFrame({"a": ["x", float("nan"), 3]}, dtype=object),
    "NA among objects": lambda: pd.DataFrame({"a": ["x", pd.NA, 3]}, dtype=object),
    "NaN, None, NA and NaT together": lambda: pd.DataFrame(
        {"a": [np.nan, None, pd.NA, pd.NaT]}, dtype=object
    ),
    "True beside 1 beside 1.0": lambda: pd.DataFrame({"a": [True, 1, 1.0]}, dtype=object),
    "booleans with None": lambda: pd.DataFrame({"a": [True, None, False]}, dtype=object),
    "Decimals": lambda: frame(a=[Decimal("1.10"), Decimal("1.1"), Decimal("NaN")]),
    "dates": lambda: frame(a=[dt.date(2024, 1, 1), dt.date(1066, 10, 14), None]),
    "Python datetimes as objects": lambda: pd.DataFrame({"a": [dt.datetime(2024, 1, 1), None]}, dtype=object),  # noqa: DTZ001 - a naive one is meant
    "bytes": lambda: frame(a=[b"x", b"\x00\xff", b""]),
    "frames in a column": lambda: frame(a=[frame(x=[1]), frame(y=["z"])]),
    "arrays in a column": lambda: pd.DataFrame({"a": [np.arange(2), np.ones((2, 2))]}),
    "an ordered categorical": lambda: frame(
        a=pd.Categorical(list("bab"), categories=list("cba"), ordered=True)
    ),
    "unused categories": lambda: frame(a=pd.Categorical(["x", None, "x"], categories=["x", "y", "z"])),
    "categories of integers": lambda: frame(a=pd.Categorical([3, 1, 3])),
    "categories of intervals": lambda: frame(a=pd.cut([1, 5, 9], bins=[0, 4, 8, 12])),
    "categories of dates": lambda: frame(a=pd.Categorical(DATES)),
    "categories of mixed objects": lambda: frame(a=pd.Categorical([1, "x", 1])),
    "dates with a frequency as index": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=DATES),
    "dates with a frequency and a zone": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2024-03-30", periods=2, freq="2h", tz="Europe/Paris", name="when")
    ),
    "dates without a frequency": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=pd.DatetimeIndex(list(DATES))),
    "business month ends": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2024-01-01", periods=2, freq="BME")
    ),
    "weeks anchored on Wednesday": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2024-01-01", periods=2, freq="W-WED")
    ),
    "dates in UTC and in a fixed zone": lambda: frame(
        a=pd.date_range("2024", periods=2, tz="UTC"),
        b=pd.date_range("2024", periods=2, tz=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    ),
    "dates in four units": lambda: frame(
        **{unit: np.array(["2024-01-01", "NaT"], f"M8[{unit}]") for unit in ("s", "ms", "us", "ns")}
    ),
    "timedeltas, some missing": lambda: frame(a=pd.to_timedelta([1, None, 3], unit="h")),
    "timedeltas with a frequency as index": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.timedelta_range("1h", periods=2, freq="30min")
    ),
    "periods as index": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.period_range("2024Q1", periods=2, freq="Q-NOV", name="quarter")
    ),
    "periods in a column": lambda: frame(a=pd.period_range("2024-01", periods=3, freq="M"), b=[1, 2, 3]),
    "intervals as index": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.interval_range(0.0, 2.0, periods=2, closed="left", name="bin")
    ),
    "intervals in a column": lambda: frame(a=pd.interval_range(0, 2)),
    "several levels of rows": lambda: pd.DataFrame(
        {"v": [1, 2, 3, 4]}, index=pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", "digit"])
    ),
    "levels that are not used": unused_levels,
    "missing labels in a level": lambda: pd.DataFrame(
        {"v": [1, 2]}, index=pd.MultiIndex.from_arrays([["a", None], [1.0, np.nan]])
    ),
    "several levels of columns": lambda: pd.DataFrame(
        NUMBERS, columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["letter", "digit"])
    ),
    "column names twice": lambda: pd.DataFrame([[1, 2.5], [3, 4.5]], columns=["a", "a"]),
    "column names that are integers": lambda: pd.DataFrame(NUMBERS, columns=[10, -1]),
    "column names in a range": lambda: pd.DataFrame(NUMBERS),
    "column names that are tuples": lambda: pd.DataFrame(
        NUMBERS, columns=pd.Index([("a", 1), ("b", 2)], tupleize_cols=False)
    ),
    "column names of many kinds": lambda: pd.DataFrame([[1, 2, 3, 4]], columns=["a", 1, None, 2.5]),
    "column names that are dates": lambda: pd.DataFrame(np.ones((1, 3)), columns=DATES),
    "column names with markup and emoji": lambda: pd.DataFrame([[1, 2]], columns=["<b>", "π🐼"]),
    "named columns and rows": lambda: pd.DataFrame({"a": [1]}).rename_axis(index="row", columns="col"),
    "an index named like a column": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name="a")),
    "an index named by a tuple": lambda: pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 6], name=("x", 1))),
    "an index of floats with NaN": lambda: pd.DataFrame({"a": [1, 2]}, index=[0.5, np.nan]),
    "an index of booleans": lambda: pd.DataFrame({"a": [1, 2]}, index=[True, False]),
    "an index of strings": lambda: pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "an index of small unsigned integers": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.Index([1, 2], dtype="u1")
    ),
    "an index of nullable integers": lambda: pd.DataFrame(
        {"a": [1, 2]}, index=pd.Index([1, None], dtype="Int64")
    ),
    "an index of categories": lambda: pd.DataFrame(
        {"a": [1, 2]},
        index=pd.CategoricalIndex(["x", "y"], categories=["y", "x", "z"], ordered=True, name="c"),
    ),
    "an index of mixed objects": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=[1, "x", None]),
    "a range with a step": lambda: pd.DataFrame({"a": [1, 2, 3]}, index=pd.RangeIndex(10, 4, -2, name="r")),
    "labels twice in the index": lambda: pd.DataFrame({"a": [1, 2]}, index=["x", "x"]),
    "nothing at all": pd.DataFrame,
    "rows but no columns": lambda: pd.DataFrame(index=range(3)),
    "columns but no rows": lambda: pd.DataFrame(columns=["a", "b"]),
    "typed columns but no rows": lambda: frame(a=[1, 2], b=["x", "y"], c=DATES[:2], d=[True, False]).iloc[:0],
    "one cell": lambda: frame(a=[1]),
    "nullable integers, floats, booleans": lambda: frame(
        a=pd.array([1, None, 3], dtype="Int32"),
        b=pd.array([0.5, None, 1.5], dtype="Float64"),
        c=pd.array([True, None, False], dtype="boolean"),
    ),
    "nullable floats with NaN beside NA": lambda: frame(
        a=pd.arrays.FloatingArray(np.array([np.nan, 1.0]), np.array([False, True]))
    ),
    "bytes under masks": bytes_under_masks,
    "the default strings": lambda: frame(a=["x", None, "żółć 🐼"], b=["", "y" * 300, "z"]),
    "strings kept by Python": lambda: frame(a=pd.array(["x", None], dtype=pd.StringDtype("python"))),
    "strings kept by Arrow, missing as NA": lambda: frame(
        a=pd.array(["x", None], dtype=pd.StringDtype("pyarrow"))
    ),
    "Arrow integers and strings": lambda: frame(
        a=pd.array([1, None], dtype=pd.ArrowDtype(pa.int16())),
        b=pd.array(["x", None], dtype=pd.ArrowDtype(pa.string())),
    ),
    "Arrow lists, structs, decimals": lambda: frame(
        a=pd.array([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        b=pd.array([{"x": 1}, None], dtype=pd.ArrowDtype(pa.struct([("x", pa.int8())]))),
        c=pd.array([Decimal("1.10"), None], dtype=pd.ArrowDtype(pa.decimal128(10, 2))),
    ),
    "Arrow timestamps": lambda: frame(
        a=pd.array(list(DATES), dtype=pd.ArrowDtype(pa.timestamp("us", "UTC")))
    ),
    "sparse columns": lambda: frame(a=pd.arrays.SparseArray([0, 0, 1]), b=[1, 2, 3]),
    "complex numbers": lambda: frame(a=np.array([1 + 2j, complex(-0.0, np.nan)]), b=np.array([1j, 2], "c8")),
    "half floats": lambda: frame(a=np.array([0.5, np.nan, -0.0], "f2")),
    "bytes as numbers": lambda: frame(a=np.array([0, 255, 7], "u1"), b=np.array([-1, 0, 1], "i1")),
    "an odd number of small numbers": lambda: pd.DataFrame(np.arange(15, dtype="f4").reshape(5, 3)),
    "big endian numbers": lambda: frame(a=np.array([1, 2], ">i8")),
    "long doubles": lambda: frame(a=np.array([1, 2], np.longdouble)),
    "every other row": lambda: frame(a=range(10), b=np.arange(10.0), c=list("abcdefghij")).iloc[::2],
    "a block by rows": lambda: pd.DataFrame(np.arange(12.0).reshape(6, 2), copy=False),
    "a block by rows, sliced": lambda: pd.DataFrame(np.arange(24.0).reshape(6, 4), copy=False).iloc[1:5, 1:3],
    "a block by columns": lambda: pd.DataFrame(np.asfortranarray(NUMBERS), copy=False),
    "blocks that are scattered": lambda: frame(a=[1, 2], b=[1.5, 2], c=[3, 4], d=[2.5, 3], e=[5, 6]),
    "a fragmented frame": lambda: frame(a=[1, 2]).assign(b=[3, 4]).assign(c=[5, 6]),
    "a view of a frame": view_of_a_frame,
    "a read-only block": lambda: pd.DataFrame(read_only(np.arange(6.0).reshape(2, 3)), copy=False),
    "a broadcast block": lambda: pd.DataFrame(np.broadcast_to(np.arange(3.0), (2, 3)), copy=False),
    "a transposed frame": lambda: pd.DataFrame({"x": [1.5, 2], "y": [3.5, 4]}, index=["a", "b"]).T,
    "attrs": lambda: with_attrs(frame(a=[1, 2])),
    "attrs that are no plain data": lambda: with_odd_attrs(frame(a=[1, 2])),
    "no duplicate labels allowed": without_duplicates,
    "a described frame": lambda: frame(a=range(10), b=np.arange(10.0)).describe(),
    "a grouped and aggregated frame": lambda: (
        frame(g=list("abab"), v=[1, 2, 3, 4]).groupby("g").agg(["sum", "mean"])
    ),
    "a pivoted frame": lambda: frame(r=[1, 1, 2], c=["x", "y", "x"], v=[1.0, 2, 3]).pivot(
        index="r", columns="c", values="v"
    ),
    "a series": lambda: pd.Series([1, 2, 3], name="s"),
    "a series without a name": lambda: pd.Series([0.5, None]),
    "a series named by a tuple": lambda: pd.Series([1], name=("a", 1)),
    "a series of strings": lambda: pd.Series(["x", None], index=["p", "q"], name="text"),
    "a series of objects": lambda: pd.Series([[1], None, "x"]),
    "a series of dates with a zone": lambda: pd.Series(pd.date_range("2024", periods=2, tz="Asia/Tokyo")),
    "a series of categories with attrs": lambda: with_attrs(pd.Series(["a", "b"], dtype="category")),
    "a series of sparse numbers": lambda: pd.Series(pd.arrays.SparseArray([0.0, 1.0])),
    "a series of every other number": lambda: pd.Series(np.arange(10.0))[::2],
    "a row of a frame": lambda: frame(a=[1.5, 2], b=[3, 4]).iloc[0],
    "counts of values": lambda: pd.Series(list("abca")).value_counts(),
}


def assert_same(again: Any, value: Any) -> None:
    assert type(again) is type(value)
    if isinstance(value, pd.Series):
        pd.testing.assert_series_equal(again, value, check_exact=True, check_freq=True, check_flags=True)
        assert again.dtype == value.dtype
        return
    pd.testing.assert_frame_equal(again, value, check_exact=True, check_freq=True, check_flags=True)
    assert list(again.dtypes) == list(value.dtypes)
    assert type(again.columns) is type(value.columns)
    assert list(map(type, again.columns)) == list(map(type, value.columns))
