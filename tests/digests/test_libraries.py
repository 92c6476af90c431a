"""The digest of what numpy, pandas, polars, pyarrow, scipy, scikit-learn and matplotlib make."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xxhash import xxh3_128

from tests.digests.parts import TEXT
from zennb.digests import stream
from zennb.digests.digest import digest, digest_value
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Callable

mpl.use("agg")


def array(*values: Any, dtype: Any = float) -> Any:
    return np.array(values, dtype=dtype)


def frame(**columns: Any) -> Any:
    return pd.DataFrame(columns or {"a": [1, 2], "b": ["x", "y"]})


def with_attrs(note: str) -> Any:
    made = frame()
    made.attrs["note"] = note
    return made


DAYS = pd.date_range("2024-01-01", periods=3)
ALIGNED = np.dtype([("a", "i1"), ("b", "f8")], align=True)
PACKED = np.dtype([("a", "i1"), ("b", "f8")])
INTERVALS = pd.interval_range(0, 3)


def read_only(value: Any) -> Any:
    value.flags.writeable = False
    return value


DIFFER: dict[str, tuple[Any, Any]] = {
    "writable and read-only": (array(1), read_only(array(1))),
    "elements": (array(1, 2), array(1, 3)),
    "types of elements": (array(1, 2), array(1, 2, dtype="f4")),
    "byte order": (array(1, dtype="<i4"), array(1, dtype=">i4")),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "retyped zeros": (np.zeros(2), np.zeros(2, int)),
    "zeros and minus zeros": (np.zeros(2), -np.zeros(2)),
    "row and flat": (np.zeros((1, 2)), np.zeros(2)),
    "empty shapes": (np.zeros((0, 2)), np.zeros((2, 0))),
    "array and list": (array(1, 2), [1.0, 2.0]),
    "scalar and number": (np.float64(1), 1.0),
    "scalar and zero-dimensional array": (np.float64(1), np.array(1.0)),
    "kinds of scalars": (np.int64(1), np.int32(1)),
    "units": (np.datetime64("2024-01-01", "D"), np.datetime64("2024-01-01", "s")),
    "units in arrays": (array(1, dtype="m8[s]"), array(1, dtype="m8[ms]")),
    "lengths of texts": (array("a", dtype="U1"), array("a", dtype="U2")),
    "objects": (array([1], {}, dtype=object), array([2], {}, dtype=object)),
    "objects and texts": (array("a", dtype=object), array("a", dtype="U1")),
    "a shared object": (np.array([[], [], None], dtype=object), np.array([[]] * 2 + [None], dtype=object)),
    "names of fields": (np.zeros(1, [("a", int)]), np.zeros(1, [("b", int)])),
    "layouts": (np.zeros(1, ALIGNED), np.zeros(1, PACKED)),
    "fields": (np.array([(1, 2.0)], PACKED), np.array([(1, 3.0)], PACKED)),
    "fields with objects": (
        np.array([("a",)], [("a", object)]),
        np.array([("b",)], [("a", object)]),
    ),
    "matrix and array": (np.matrix([[1]]), np.array([[1]])),
    "record array and array": (
        np.rec.array([(1,)], dtype=[("a", int)]),
        np.array([(1,)], dtype=[("a", int)]),
    ),
    "masks": (np.ma.masked_array([1, 2], [False, True]), np.ma.masked_array([1, 2], [True, False])),
    "no mask and an empty one": (np.ma.masked_array([1]), np.ma.masked_array([1], [False])),
    "fill values": (np.ma.masked_array([1], fill_value=1), np.ma.masked_array([1], fill_value=2)),
    "masked and plain": (np.ma.masked_array([1]), np.array([1])),
    "data types": (np.dtype("f8"), np.dtype("f4")),
    "generators": (np.random.default_rng(1), np.random.default_rng(2)),
    "random states": (np.random.RandomState(1), np.random.RandomState(2)),
    "numpy functions": (np.sin, np.cos),
    "values of a frame": (frame(a=[1]), frame(a=[2])),
    "names of columns": (frame(a=[1]), frame(b=[1])),
    "order of columns": (frame(a=[1], b=[1]), frame(b=[1], a=[1])),
    "types of columns": (frame(a=[1]), frame(a=[1.0])),
    "text and object columns": (frame(a=["x"]).astype(TEXT), frame(a=["x"]).astype(object)),
    "text and category columns": (frame(a=["x"]), frame(a=["x"]).astype("category")),
    "kinds of text": (pd.Series(["x"], dtype="str"), pd.Series(["x"], dtype="string")),
    "missing text": (pd.Series(["x", None]), pd.Series(["x", "None"])),
    "None and nan": (pd.Series([None], dtype=object), pd.Series([float("nan")], dtype=object)),
    "indexes": (pd.Series([1], index=[0]), pd.Series([1], index=[1])),
    "range and list index": (pd.Series([1]), pd.Series([1], index=[0])),
    "names of indexes": (pd.Index([1], name="a"), pd.Index([1], name="b")),
    "names of series": (pd.Series([1], name="a"), pd.Series([1], name="b")),
    "series and frame": (pd.Series([1], name="a"), frame(a=[1])),
    "attributes of frames": (with_attrs("a"), with_attrs("b")),
    "flags of frames": (frame(), frame().set_flags(allows_duplicate_labels=False)),
    "categories in another order": (pd.Categorical(["a"], ["a", "b"]), pd.Categorical(["a"], ["b", "a"])),
    "ordered categories": (pd.Categorical(["a"]), pd.Categorical(["a"], ordered=True)),
    "unused categories": (pd.Categorical(["a"]), pd.Categorical(["a"], ["a", "b"])),
    "nullable and plain": (pd.Series([1], dtype="Int64"), pd.Series([1])),
    "missing and zero": (pd.array([None, 1], dtype="Int64"), pd.array([0, 1], dtype="Int64")),
    "time zones": (DAYS.tz_localize("UTC"), DAYS.tz_localize("Europe/Paris")),
    "frequencies": (DAYS, pd.DatetimeIndex(list(DAYS))),
    "units of times": (DAYS.as_unit("s"), DAYS.as_unit("ns")),
    "periods": (pd.period_range("2024", periods=2, freq="D"), pd.period_range("2024", periods=2, freq="M")),
    "intervals": (INTERVALS, pd.interval_range(0, 3, closed="left")),
    "levels": (pd.MultiIndex.from_tuples([("a", 1)]), pd.MultiIndex.from_tuples([("a", 2)])),
    "timestamps": (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")),
    "sparse columns": (pd.arrays.SparseArray([0, 1]), pd.arrays.SparseArray([1, 0])),
    "arrow columns": (pd.array([1], dtype="int64[pyarrow]"), pd.array([2], dtype="int64[pyarrow]")),
    "lists in columns": (frame(a=[[1]]), frame(a=[[2]])),
    "polars values": (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})),
    "polars names": (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})),
    "polars types": (pl.Series([1], dtype=pl.Int8), pl.Series([1], dtype=pl.Int16)),
    "polars texts": (pl.Series(["ab", "c"]), pl.Series(["a", "bc"])),
    "polars missing": (pl.Series(["a", None]), pl.Series([None, "a"])),
    "polars lists": (pl.Series([[1], [2, 3]]), pl.Series([[1, 2], [3]])),
    "polars empty and missing lists": (pl.Series([[1], []]), pl.Series([[1], None])),
    "polars structs": (pl.Series([{"a": 1}]), pl.Series([{"a": 2}])),
    "polars and pandas": (pl.DataFrame({"a": [1]}), frame(a=[1])),
    "polars shapes": (pl.DataFrame({"a": []}), pl.DataFrame()),
    "arrow values": (pa.table({"a": [1]}), pa.table({"a": [2]})),
    "arrow texts": (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
    "arrow types": (pa.array([1], pa.int8()), pa.array([1], pa.int16())),
    "arrow lists": (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]])),
    "arrow metadata": (pa.table({"a": [1]}), pa.table({"a": [1]}).replace_schema_metadata({"k": "v"})),
    "arrow scalars": (pa.scalar(1), pa.scalar(2)),
    "arrow array and chunks": (pa.array([1]), pa.chunked_array([[1]])),
    "sparse matrices": (scipy.sparse.csr_matrix([[0, 1]]), scipy.sparse.csr_matrix([[1, 0]])),
    "sparse formats": (scipy.sparse.csr_matrix([[0, 1]]), scipy.sparse.csc_matrix([[0, 1]])),
    "parameters of models": (KMeans(3), KMeans(4)),
    "models": (LinearRegression(), LinearRegression(fit_intercept=False)),
    "pipelines": (make_pipeline(StandardScaler()), make_pipeline(StandardScaler(with_mean=False))),
}


@pytest.mark.parametrize(("one", "other"), DIFFER.values(), ids=DIFFER)
def test_values_that_differ_have_different_digests(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)
    assert digest([one]) != digest([other])


def padded(fill: int) -> Any:
    raw = np.full(2 * ALIGNED.itemsize, fill, np.uint8).view(ALIGNED)
    raw["a"], raw["b"] = [1, 2], [3.0, 4.0]
    return raw


def long_double(fill: int) -> Any:
    raw = np.full(16, fill, np.uint8).view(np.longdouble)
    raw[0] = 1
    return raw


def masked_under(value: int) -> Any:
    return pd.arrays.IntegerArray(np.array([1, value]), np.array([False, True]))


def chunked(values: list[Any], cut: int, kind: Any = None) -> tuple[Any, Any]:
    whole = pa.array(values, kind)
    longer = pa.concat_arrays([whole, whole])
    return pa.chunked_array([longer[len(values) :]]), pa.chunked_array([whole[:cut], whole[cut:]])


def polars_chunked(values: list[Any], dtype: Any = None) -> tuple[Any, Any]:
    whole = pl.Series("x", values, dtype)
    return pl.concat([whole, whole])[len(values) :], pl.concat([whole[:2], whole[2:]], rechunk=False)


BIG = np.arange(3_000_000.0).reshape(1000, 3000)

AGREE: dict[str, Callable[[], tuple[Any, Any]]] = {
    "a strided view": lambda: (BIG[::2, ::3], BIG[::2, ::3].copy()),
    "a reversed view": lambda: (array(1, 2, 3)[::-1], array(3, 2, 1)),
    "a broadcast array": lambda: (np.broadcast_to(1.0, (3, 2)), read_only(np.ones((3, 2)))),
    "padding between fields": lambda: (padded(0), padded(255)),
    "padding of long doubles": lambda: (long_double(0), long_double(255)),
    "blocks of a frame": lambda: (frame(a=[1], b=[2]), pd.DataFrame(np.array([[1, 2]]), columns=["a", "b"])),
    "a fragmented frame": lambda: (frame(a=[1], b=[2]), frame(a=[1]).assign(b=2)),
    "slices of a frame": lambda: (frame(a=[1, 2, 3])[1:], frame(a=[0, 2, 3])[1:]),
    "what lies under a missing value": lambda: (masked_under(1), masked_under(2)),
    "chunks of arrow text columns": lambda: (
        pd.concat([pd.Series(["a"]), pd.Series(["b"])], ignore_index=True),
        pd.Series(["a", "b"]),
    ),
    "arrow chunks of numbers": lambda: chunked([1, None, 3], 1),
    "arrow chunks of texts": lambda: chunked(["a", None, "ccc", ""], 2),
    "arrow chunks of wide texts": lambda: chunked(["a", None, "ccc"], 2, pa.large_string()),
    "arrow chunks of text views": lambda: chunked(["a", None, "ccc"], 2, pa.string_view()),
    "arrow chunks of booleans": lambda: chunked([True, None, False], 1),
    "arrow chunks of lists": lambda: chunked([[1, 2], None, [], [None]], 1),
    "arrow chunks of structs": lambda: chunked([{"a": 1}, None, {"a": None}], 1),
    "arrow chunks of categories": lambda: chunked(["x", "y", None], 1, pa.dictionary(pa.int8(), pa.string())),
    "arrow chunks of times": lambda: chunked([1, None, 3], 1, pa.timestamp("ns")),
    "arrow chunks of nothing": lambda: chunked([None, None], 1),
    "polars chunks of numbers": lambda: polars_chunked([1, None, 3, 4]),
    "polars chunks of texts": lambda: polars_chunked(["a", None, "c", "dd"]),
    "polars chunks of lists": lambda: polars_chunked([[1], None, [], [None, 2]]),
    "polars chunks of structs": lambda: polars_chunked([{"a": 1}, None, {"a": None}]),
    "polars chunks of booleans": lambda: polars_chunked([True, None, False]),
    "polars chunks of categories": lambda: polars_chunked(["a", "b", "a"], pl.Categorical),
    "sparse matrices that were looked at": lambda: (scipy.sparse.csr_matrix([[0, 1]]), looked_at()),
}


def looked_at() -> Any:
    matrix = scipy.sparse.csr_matrix([[0, 1]])
    assert matrix.has_sorted_indices
    assert matrix.has_canonical_format
    return matrix


@pytest.mark.parametrize("make", AGREE.values(), ids=AGREE)
def test_values_that_are_the_same_have_one_digest(make: Callable[[], tuple[Any, Any]]) -> None:
    one, other = make()
    assert digest(one) == digest(other)


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "an element of an array": (lambda: np.zeros(3), lambda v: v.__setitem__(0, 1)),
    "an element of a view's owner": (lambda: [np.zeros(3)[1:]], lambda v: v[0].base.__setitem__(1, 1)),
    "a drawn number": (lambda: np.random.default_rng(1), lambda v: v.random()),
    "a new column": (frame, lambda v: v.__setitem__("z", 1)),
    "a cell": (frame, lambda v: v.loc.__setitem__((0, "b"), "q")),
    "the name of an index": (frame, lambda v: setattr(v.index, "name", "i")),
    "a fitted model": (LinearRegression, lambda v: v.fit([[1], [2]], [1, 2])),
    "a parameter": (KMeans, lambda v: v.set_params(n_clusters=3)),
    "a polars column": (lambda: pl.DataFrame({"a": [1]}), lambda v: v.insert_column(0, pl.Series("b", [1]))),
}


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_in_place_is_seen(make: Callable[[], Any], change: Callable[[Any], object]) -> None:
    value = make()
    before = digest(value)
    assert digest(value) == before
    change(value)
    assert digest(value) != before


def test_figures_are_digested_and_drawing_on_them_is_seen() -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    before = digest_value((figure, axes))
    assert digest_value((figure, axes)).digest == before.digest
    assert "matplotlib" in before.packages
    assert digest_value(figure).mutable & digest_value(axes).mutable
    axes.plot([1, 2])
    after = digest((figure, axes))
    assert after != before.digest
    figure.canvas.draw()
    drawn = digest(figure)
    figure.canvas.draw()
    assert digest(figure) == drawn
    axes.set_title("now")
    assert digest(figure) != drawn
    plt.close(figure)


def test_paths_into_frames_name_the_column() -> None:
    with pytest.raises(CannotDigest) as caught:
        digest_value(frame(a=[1], b=[(i for i in [1])]), name="df")
    assert caught.value.path == "df['b']"


def test_packages_are_those_of_the_types_met() -> None:
    assert digest_value([frame(), LinearRegression()]).packages >= {"pandas", "sklearn"}
    assert digest_value(np.sin).packages == {"numpy"}
    assert digest_value([1, {"a": "b"}]).packages == frozenset()


def test_the_views_that_a_graph_of_networkx_makes_when_it_is_read_are_no_content() -> None:
    class Graph:
        def __init__(self) -> None:
            self._node: dict[str, dict[str, int]] = {"Ulm": {}}

        @cached_property
        def nodes(self) -> list[str]:
            return list(self._node)

    Graph.__module__ = "networkx.classes.graph"
    graph = Graph()
    before = digest(graph)
    assert graph.nodes == ["Ulm"]
    assert "nodes" in vars(graph)
    assert digest(graph) == before
    graph._node["Bonn"] = {}
    assert digest(graph) != before


def test_many_small_arrays_are_hashed_in_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = [np.eye(3) * number for number in range(200)] + [
        np.eye(3)[:, ::2],
        np.asfortranarray(np.eye(2)),
    ]
    expected, updates = digest(matrices), list[int]()

    class Counted:
        def __init__(self) -> None:
            self._hash = xxh3_128()

        def update(self, data: bytes) -> None:
            updates.append(len(data))
            self._hash.update(data)

        def digest(self) -> bytes:
            return self._hash.digest()

    monkeypatch.setattr(stream, "xxh3_128", Counted)
    assert digest(matrices) == expected
    assert len(updates) < 5
