"""Pairs of values that must differ: each is made anew every time it is asked for.

Run as a program it prints the digests of both halves of every pair, those that must agree included, so that processes
can be compared.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import operator
import pathlib
import re
import types
import zoneinfo
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.digests.parts import (
    TEXT,
    Bag,
    Color,
    Data,
    Frozen,
    Mode,
    MoreSlots,
    Plain,
    Point,
    Reals,
    Shade,
    Slotted,
    Sub,
    Table,
    Text,
    TextList,
    adder,
    category,
    days,
    figure,
    fitted,
    frame,
    levels,
    masked,
    nan,
    noted,
    pair_of,
    read_only,
    ring,
    series,
    sparse,
    with_note,
)
from tests.digests.twins import AGREE
from zennb.digests.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable

mpl.use("agg")

Pair = tuple[Any, Any]


PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOON = dt.datetime(2024, 3, 1, 12)  # noqa: DTZ001 - naive on purpose
SUMMER = dt.timezone(dt.timedelta(hours=1))

DIFFER: dict[str, Callable[[], Pair]] = {
    # `ravel("K")` and sums of floats depend on it
    "C and Fortran order": lambda: (
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
    ),
    # numbers and texts
    "1 and True": lambda: (1, True),
    "1 and 1.0": lambda: (1, 1.0),
    "1 and text": lambda: (1, "1"),
    "1 and 1+0j": lambda: (1, 1 + 0j),
    "1.0 and 1+0j": lambda: (1.0, 1 + 0j),
    "1 and numpy's 1": lambda: (1, np.int64(1)),
    "1.0 and numpy's 1.0": lambda: (1.0, np.float64(1.0)),
    "True and numpy's True": lambda: (True, np.bool_(True)),
    "text and numpy's text": lambda: ("a", np.str_("a")),
    "0.0 and -0.0": lambda: (0.0, -0.0),
    "-0.0 in a complex number": lambda: (complex(0.0, 0.0), complex(0.0, -0.0)),
    "nan and None": lambda: (float("nan"), None),
    "nan and minus nan": lambda: (float("nan"), -float("nan")),
    "two kinds of nan": lambda: (nan(0x7FF8000000000000), nan(0x7FF8000000000001)),
    "nan and NaT": lambda: (float("nan"), pd.NaT),
    "NaT and NA": lambda: (pd.NaT, pd.NA),
    "text and bytes": lambda: ("ab", b"ab"),
    "bytes and bytearray": lambda: (b"ab", bytearray(b"ab")),
    "bytes and memoryview": lambda: (b"ab", memoryview(b"ab")),
    "formats of memoryviews": lambda: (memoryview(b"abcd"), memoryview(b"abcd").cast("i")),
    "shapes of memoryviews": lambda: (memoryview(b"abcd"), memoryview(b"abcd").cast("B", (2, 2))),
    "text and its subclass": lambda: ("a", Text("a")),
    "float and its subclass": lambda: (1.0, Reals(1.0)),
    "decimals and floats": lambda: (decimal.Decimal(1), 1.0),
    "decimals of other exponents": lambda: (decimal.Decimal(1), decimal.Decimal("1.0")),
    "fraction and float": lambda: (fractions.Fraction(1, 2), 0.5),
    "fraction and int": lambda: (fractions.Fraction(2), 2),
    "bounds of ranges": lambda: (range(3), range(4)),
    "steps of ranges": lambda: (range(0, 3, 1), range(0, 3, 2)),
    "range and tuple": lambda: (range(3), (0, 1, 2)),
    "slice and range": lambda: (slice(0, 3, 1), range(0, 3, 1)),
    "steps of slices": lambda: (slice(0, 3), slice(0, 3, 1)),
    "line ends": lambda: ("a\n", "a\r\n"),
    # containers
    "list and tuple": lambda: ([1, 2], (1, 2)),
    "list and set": lambda: ([1, 2], {1, 2}),
    "tuple and set": lambda: ((1, 2), {1, 2}),
    "set and frozenset": lambda: ({1, 2}, frozenset({1, 2})),
    "set and keys": lambda: ({"a"}, dict.fromkeys("a")),
    "empty containers": lambda: ([], ()),
    "empty set and empty frozenset": lambda: (set(), frozenset()),
    "a list and itself in a list": lambda: ([1], [[1]]),
    "order of a list": lambda: ([1, 2], [2, 1]),
    "1 and True in a set": lambda: ({1, 2}, {True, 2}),
    "1 and 1.0 as keys": lambda: ({1: "a"}, {1.0: "a"}),
    "order of a dictionary": lambda: ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "keys and values exchanged": lambda: ({"a": "b"}, {"b": "a"}),
    "None as a value and no key": lambda: ({"a": None}, {}),
    "dictionary and OrderedDict": lambda: ({"a": 1}, collections.OrderedDict(a=1)),
    "dictionary and defaultdict": lambda: ({"a": 1}, collections.defaultdict(int, a=1)),
    "dictionary and Counter": lambda: ({"a": 1}, collections.Counter(a=1)),
    "dictionary and its subclass": lambda: ({"a": 1}, Table(a=1)),
    "dictionary and mapping proxy": lambda: ({"a": 1}, types.MappingProxyType({"a": 1})),
    "dictionary and namespace": lambda: ({"a": 1}, types.SimpleNamespace(a=1)),
    "factories of defaultdicts": lambda: (collections.defaultdict(int), collections.defaultdict(float)),
    "ChainMap and dictionary": lambda: (collections.ChainMap({"a": 1}), {"a": 1}),
    "maps of a ChainMap": lambda: (collections.ChainMap({"a": 1}, {}), collections.ChainMap({}, {"a": 1})),
    "deque and list": lambda: (collections.deque([1]), [1]),
    "maxlen of deques": lambda: (collections.deque([1], 5), collections.deque([1], 6)),
    "no maxlen": lambda: (collections.deque([1]), collections.deque([1], 6)),
    "list and array": lambda: ([1], array.array("q", [1])),
    "attributes of a list's subclass": lambda: (TextList([1]), with_note(TextList([1]), "x")),
    "set and its subclass": lambda: ({1}, Bag({1})),
    "named tuple and tuple": lambda: (Point(1, 2), (1, 2)),
    "an equal part and a shared one": lambda: ([[1], [1]], [[1]] * 2),
    "a shared part further down": lambda: ([[[]], [[]]], pair_of([])),
    "rings of other lengths": lambda: (ring(2), ring(3)),
    "a ring and a list": lambda: (ring(1), [[]]),
    # objects
    "objects of other classes": lambda: (Plain(a=1), Sub(a=1)),
    "object and its dictionary": lambda: (Plain(a=1), {"a": 1}),
    "order of attributes": lambda: (Plain(a=1, b=2), Plain(b=2, a=1)),
    "slots": lambda: (Slotted(a=1), Slotted(a=2)),
    "a slot that is empty": lambda: (Slotted(a=1), Slotted(a=1, b=None)),
    "slots exchanged": lambda: (Slotted(a=1, b=2), Slotted(a=2, b=1)),
    "slots of a base class": lambda: (MoreSlots(a=1, c=1), MoreSlots(a=2, c=1)),
    "object with and without slots": lambda: (Slotted(a=1), Plain(a=1)),
    "fields of a data class": lambda: (Data(1, 2), Data(2, 1)),
    "types of fields": lambda: (Data(1), Data(True)),
    "data class and frozen data class": lambda: (Data(1), Frozen(1)),
    "frozen fields": lambda: (Frozen(1), Frozen(2)),
    "enum members": lambda: (Color.RED, Color.BLUE),
    "members of two enums": lambda: (Color.RED, Shade.RED),
    "enum member and value": lambda: (Color.RED, 1),
    "flags": lambda: (Mode.READ, Mode.READ | Mode.WRITE),
    "no flag and a flag": lambda: (Mode(0), Mode.READ),
    "exceptions": lambda: (KeyError("a"), IndexError("a")),
    "arguments of exceptions": lambda: (KeyError("a"), KeyError("a", "b")),
    # time
    "naive and aware": lambda: (NOON, NOON.replace(tzinfo=dt.UTC)),
    "zones of the same offset": lambda: (NOON.replace(tzinfo=PARIS), NOON.replace(tzinfo=SUMMER)),
    "names of fixed zones": lambda: (dt.timezone(dt.timedelta(0)), dt.timezone(dt.timedelta(0), "zero")),
    "fold": lambda: (NOON, NOON.replace(fold=1)),
    "date and datetime": lambda: (NOON.date(), dt.datetime(2024, 3, 1)),  # noqa: DTZ001 - naive on purpose
    "microseconds": lambda: (NOON, NOON.replace(microsecond=1)),
    "time and its fold": lambda: (dt.time(1), dt.time(1, fold=1)),
    "durations": lambda: (dt.timedelta(days=1), dt.timedelta(days=-1)),
    "duration and seconds": lambda: (dt.timedelta(seconds=1), 1),
    "datetime and Timestamp": lambda: (NOON, pd.Timestamp(NOON)),
    "duration and Timedelta": lambda: (dt.timedelta(1), pd.Timedelta(dt.timedelta(1))),
    "units of Timestamps": lambda: (pd.Timestamp(NOON).as_unit("s"), pd.Timestamp(NOON).as_unit("ns")),
    "zones of Timestamps": lambda: (pd.Timestamp(NOON, tz="UTC"), pd.Timestamp(NOON, tz="Europe/Paris")),
    "Timestamp and numpy's": lambda: (pd.Timestamp("2024-01-01"), np.datetime64("2024-01-01", "us")),
    "Periods": lambda: (pd.Period("2024-01", "M"), pd.Period("2024-01", "D")),
    # texts that stand for something else
    "path and text": lambda: (pathlib.PurePosixPath("a"), "a"),
    "kinds of paths": lambda: (pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a")),
    "patterns and texts": lambda: (re.compile("a"), "a"),
    "flags of patterns": lambda: (re.compile("a", re.MULTILINE), re.compile("a", re.DOTALL)),
    "patterns of bytes": lambda: (re.compile("a"), re.compile(b"a")),
    # code
    "constants of lambdas": lambda: (lambda x: x + 1, lambda x: x + 2),
    "1 and True in lambdas": lambda: (lambda: 1, lambda: True),
    "defaults": lambda: (lambda x=1: x, lambda x=2: x),
    "keyword defaults": lambda: (lambda *, x=1: x, lambda *, x=2: x),
    "closures": lambda: (adder(1), adder(True)),
    "attributes of functions": lambda: (with_note(adder(1), "a"), with_note(adder(1), "b")),
    "arguments of partials": lambda: (functools.partial(max, 1), functools.partial(max, 2)),
    "keywords of partials": lambda: (functools.partial(max, key=1), functools.partial(max, default=1)),
    "partial and function": lambda: (functools.partial(max), max),
    "getters": lambda: (operator.attrgetter("a"), operator.itemgetter("a")),
    "callers": lambda: (operator.methodcaller("a", 1), operator.methodcaller("a", 2)),
    "methods of two objects": lambda: (Plain(a=1).method, Plain(a=2).method),
    "class and instance": lambda: (Plain, Plain()),
    "generic types": lambda: (list[int], list[bool]),
    "optional and plain": lambda: (int | None, int),
    # arrays
    "shapes of zeros": lambda: (np.zeros((2, 3)), np.zeros((3, 2))),
    "flat and reshaped": lambda: (np.zeros(6), np.zeros((2, 3))),
    "a dimension of one": lambda: (np.zeros(2), np.zeros((2, 1))),
    "types of zeros": lambda: (np.zeros(2, "i4"), np.zeros(2, "f4")),
    "signs of integer types": lambda: (np.zeros(2, "i4"), np.zeros(2, "u4")),
    "byte orders": lambda: (np.array([1], "<i2"), np.array([256], ">i2")),
    "retyped bytes": lambda: (np.zeros(4, "i8"), np.zeros(4, "M8[s]")),
    "units of arrays": lambda: (np.zeros(2, "M8[s]"), np.zeros(2, "M8[ms]")),
    "zeros and minus zeros": lambda: (np.array([0.0]), np.array([-0.0])),
    "array and list": lambda: (np.array([1, 2]), [1, 2]),
    "array and scalar": lambda: (np.array(1), np.int64(1)),
    "empty arrays": lambda: (np.zeros((0, 3)), np.zeros((3, 0))),
    "empty types": lambda: (np.zeros(0, "i4"), np.zeros(0, "i8")),
    "objects and numbers": lambda: (np.array([1, 2], object), np.array([1, 2])),
    "elements of object arrays": lambda: (np.array([1, "a"], object), np.array([True, "a"], object)),
    "texts of arrays": lambda: (np.array(["a"]), np.array([b"a"])),
    "read-only arrays": lambda: (np.zeros(2), read_only(np.zeros(2))),
    "transposed values": lambda: (np.arange(4).reshape(2, 2), np.arange(4).reshape(2, 2).T),
    "fields": lambda: (np.zeros(1, [("a", "i4"), ("b", "i4")]), np.zeros(1, [("b", "i4"), ("a", "i4")])),
    "layouts of fields": lambda: (np.zeros(1, np.dtype("i1,f8", align=True)), np.zeros(1, "i1,f8")),
    "fields and columns": lambda: (np.zeros(1, "i4,i4"), np.zeros((1, 2), "i4")),
    "records and fields": lambda: (np.rec.array(np.zeros(1, "i4,i4")), np.zeros(1, "i4,i4")),
    "masks": lambda: (masked(), masked(mask=(True, False))),
    "fill values": lambda: (masked(1), masked(2)),
    "hard masks": lambda: (masked(), masked(hard=True)),
    "no mask": lambda: (masked(mask=(False, False)), np.array([1, 2])),
    "matrix and array": lambda: (np.array([[1]]).view(np.matrix), np.array([[1]])),
    "random generators": lambda: (np.random.default_rng(1), np.random.default_rng(2)),
    "kinds of generators": lambda: (
        np.random.Generator(np.random.PCG64(1)),
        np.random.Generator(np.random.MT19937(1)),
    ),
    # frames
    "renamed columns": lambda: (frame(a=[1], b=[2]), frame(a=[1], c=[2])),
    "reordered columns": lambda: (frame(a=[1], b=[1]), frame(b=[1], a=[1])),
    "values exchanged between columns": lambda: (frame(a=[1], b=[2]), frame(a=[2], b=[1])),
    "types of columns": lambda: (frame(a=[1]), frame(a=[1]).astype("int32")),
    "another index": lambda: (frame(a=[1]), pd.DataFrame({"a": [1]}, index=[1])),
    "kinds of indexes": lambda: (frame(a=[1]), pd.DataFrame({"a": [1]}, index=[0])),
    "names of indexes": lambda: (frame(a=[1]), frame(a=[1]).rename_axis("i")),
    "names of column indexes": lambda: (frame(a=[1]), frame(a=[1]).rename_axis("i", axis=1)),
    "types of labels": lambda: (pd.DataFrame({1: [1]}), pd.DataFrame({"1": [1]})),
    "index and column": lambda: (frame(a=[1], b=[2]), frame(a=[1], b=[2]).set_index("a")),
    "dropped rows": lambda: (frame(a=[1, 2]), frame(a=[1, 2])[:1]),
    "frame and series": lambda: (frame(a=[1]), series(1, name="a")),
    "names of series": lambda: (series(1, name="a"), series(1)),
    "a name of None and of text": lambda: (series(1), series(1, name="None")),
    "notes of series": lambda: (noted(series(1), unit="m"), noted(series(1), unit="s")),
    "notes of frames": lambda: (frame(), noted(frame(), unit="s")),
    "flags of frames": lambda: (frame(), frame().set_flags(allows_duplicate_labels=False)),
    "missing numbers and zeros": lambda: (series(1.0, None), series(1.0, 0.0)),
    "missing texts and nan": lambda: (
        series("a", None, dtype=object),
        series("a", float("nan"), dtype=object),
    ),
    "nullable and plain": lambda: (series(1, dtype="Int64"), series(1)),
    "text types": lambda: (series("a", dtype=TEXT), series("a", dtype=object)),
    "categories": lambda: (category(), category(categories=["a", "b", "c"])),
    "order of categories": lambda: (category(categories=["a", "b"]), category(categories=["b", "a"])),
    "ordered categories": lambda: (category(), category(ordered=True)),
    "category and text": lambda: (series("a", dtype="category"), series("a")),
    "types of categories": lambda: (category([1, 2]), category([1.0, 2.0])),
    "levels": lambda: (levels("x", "y"), levels("y", "x")),
    "values of levels": lambda: (levels(), levels(values=(("a", 2), ("b", 1)))),
    "levels and tuples": lambda: (levels(), pd.Index(levels().tolist(), tupleize_cols=False)),
    "unused levels": lambda: (levels()[:1], levels(values=(("a", 1),))),
    "freq": lambda: (days(), days(freq="2D")),
    "no freq": lambda: (days(), pd.DatetimeIndex(days().tolist())),
    "zones": lambda: (days(), days(tz="UTC")),
    "two zones": lambda: (days(tz="UTC"), days(tz="Europe/Paris")),
    "units of indexes": lambda: (days().as_unit("s"), days().as_unit("ms")),
    "ends of intervals": lambda: (pd.interval_range(0, 2), pd.interval_range(0, 2, closed="both")),
    "sparse and dense": lambda: (pd.arrays.SparseArray([0, 1]), pd.array([0, 1])),
    "fill values of sparse": lambda: (
        pd.arrays.SparseArray([0, 1], fill_value=0),
        pd.arrays.SparseArray([0, 1], fill_value=1),
    ),
    "groupings": lambda: (frame().groupby("a"), frame().groupby("b")),
    "polars and pandas": lambda: (pl.DataFrame({"a": [1]}), frame(a=[1])),
    "polars columns": lambda: (pl.DataFrame({"a": [1], "b": [1]}), pl.DataFrame({"b": [1], "a": [1]})),
    "polars frame and series": lambda: (pl.DataFrame({"a": [1]}), pl.Series("a", [1])),
    "polars names": lambda: (pl.Series("a", [1]), pl.Series("b", [1])),
    "polars types": lambda: (pl.Series([1], dtype=pl.Int32), pl.Series([1], dtype=pl.UInt32)),
    "polars nan and missing": lambda: (pl.Series([float("nan")]), pl.Series([None], dtype=pl.Float64)),
    "polars enums": lambda: (
        pl.Series(["a"], dtype=pl.Enum(["a"])),
        pl.Series(["a"], dtype=pl.Enum(["a", "b"])),
    ),
    "polars zones": lambda: (
        pl.Series([NOON], dtype=pl.Datetime("us", "UTC")),
        pl.Series([NOON], dtype=pl.Datetime("us")),
    ),
    "polars plans": lambda: (
        pl.DataFrame({"a": [1]}).lazy().select("a"),
        pl.DataFrame({"a": [1]}).lazy().head(1),
    ),
    # models, matrices, pictures
    "formats of sparse matrices": lambda: (sparse("csr"), sparse("csc")),
    "coordinates and rows": lambda: (sparse("coo"), sparse("csr")),
    "types of sparse matrices": lambda: (sparse("csr"), sparse("csr", "f4")),
    "sparse matrix and sparse array": lambda: (sparse("csr"), scipy.sparse.csr_array(sparse("csr"))),
    "values of sparse matrices": lambda: (sparse("csr"), sparse("csr", values=((0, 2), (1, 0)))),
    "fitted and not": lambda: (LinearRegression(), fitted()),
    "fitted to other values": lambda: (fitted(), fitted((1.0, 0.0))),
    "parameters of models": lambda: (LinearRegression(), LinearRegression(positive=True)),
    "names of a pipeline's parts": lambda: (make_pipeline(StandardScaler()), StandardScaler()),
    "parts of a pipeline": lambda: (
        make_pipeline(StandardScaler(), LinearRegression()),
        make_pipeline(LinearRegression()),
    ),
    "titles of figures": lambda: (figure("a"), figure("b")),
    "colours of figures": lambda: (figure(color="red"), figure(color="blue")),
    "sizes of figures": lambda: (figure(), figure(size=4.0)),
}


if __name__ == "__main__":
    for kind, pairs in (("differ", DIFFER), ("agree", AGREE)):
        for name, make in pairs.items():
            one, other = make()
            print(f"{kind}:{name}".replace(" ", "_"), digest(one), digest(other))
