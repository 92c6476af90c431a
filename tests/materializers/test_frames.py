from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.materializers.awkward_frames import AWKWARD, assert_same, frame
from zennb.digests.digest import digest
from zennb.materializers.buffers import joined
from zennb.materializers.frames import Frames
from zennb.materializers.registry import Dumped, Materializers

if TYPE_CHECKING:
    from pathlib import Path

Trip = Callable[[Any], tuple[Dumped, Any]]

pd: Any = import_module("pandas")  # pandas-stubs know only the common uses, and these are the others


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_frame_comes_back_exactly(name: str, trip: Trip) -> None:
    value = AWKWARD[name]()
    before = digest(value)
    dumped, again = trip(value)
    assert_same(again, value)
    assert digest(value) == before
    assert digest(again) == before
    assert type(again.index) is type(value.index)
    assert again.index.dtype == value.index.dtype
    assert again.index.names == value.index.names
    assert getattr(again.index, "freq", None) == getattr(value.index, "freq", None)
    assert again.attrs == value.attrs
    assert again.flags == value.flags
    assert dumped.type == f"pandas.{type(value).__name__}"
    assert dumped.summary["kind"] == "frame"


@pytest.mark.parametrize(
    "name",
    [
        "a plain frame",
        "an ordered categorical",
        "categories of intervals",
        "dates with a frequency and a zone",
        "several levels of rows",
        "nullable integers, floats, booleans",
        "the default strings",
        "complex numbers",
        "a block by rows",
        "a series of strings",
        "attrs",
        "Arrow lists, structs, decimals",
        "long doubles",
        "periods in a column",
    ],
)
def test_common_frames_need_no_pickle(name: str, trip: Trip) -> None:
    assert trip(AWKWARD[name]())[0].materializer == "frame"


@pytest.mark.parametrize("name", ["lists in a column", "dicts in a column", "sparse columns", "Decimals"])
def test_columns_of_other_python_objects_than_text_are_pickled(name: str, trip: Trip) -> None:
    assert trip(AWKWARD[name]())[0].materializer == "pickle"


@pytest.mark.parametrize(
    "name",
    [
        "a plain frame",
        "blocks that are scattered",
        "a block by rows",
        "an odd number of small numbers",
        "a fragmented frame",
    ],
)
def test_writing_in_place_does_what_it_does_on_the_original(name: str, trip: Trip) -> None:
    value = AWKWARD[name]()
    _, again = trip(value)
    for one in (value, again):
        one.loc[one.index[0], one.columns[0]] = 5
        one["z"] = 1
        one.iloc[-1, 1] = 0
        one.insert(0, "first", 2.5)
        del one[one.columns[1]]
    assert_same(again, value)


@pytest.mark.parametrize(
    "name", ["a plain frame", "a block by rows", "a read-only block", "the default strings"]
)
def test_arrays_taken_out_are_writable_exactly_where_the_originals_are(name: str, trip: Trip) -> None:
    value = AWKWARD[name]()
    _, again = trip(value)
    assert again.to_numpy().flags.writeable == value.to_numpy().flags.writeable
    assert again.to_numpy().flags.f_contiguous == value.to_numpy().flags.f_contiguous
    for at in range(value.shape[1]):
        left, right = again.iloc[:, at].to_numpy(), value.iloc[:, at].to_numpy()
        assert left.flags.writeable == right.flags.writeable
        assert left.strides == right.strides


@pytest.mark.parametrize("name", ["a plain frame", "a block by rows", "an odd number of small numbers"])
def test_the_memory_layout_comes_back_so_that_sums_have_the_same_last_digit(name: str, trip: Trip) -> None:
    value = AWKWARD[name]()
    _, again = trip(value)
    assert [b.values.strides for b in again._mgr.blocks] == [b.values.strides for b in value._mgr.blocks]
    assert [b.values.flags.writeable for b in again._mgr.blocks] == [
        b.values.flags.writeable for b in value._mgr.blocks
    ]


def test_writing_into_a_loaded_frame_leaves_the_stored_file_alone(
    materializers: Materializers, tmp_path: Path, trip: Trip
) -> None:
    value = frame(a=np.arange(1000), b=np.arange(1000.0))
    _, again = trip(value)
    stored = next(tmp_path.glob("blob*"))
    before = stored.read_bytes()
    again.iloc[:, :] = 0
    again.loc[3, "a"] = 99
    assert stored.read_bytes() == before
    assert digest(materializers.load("frame", before, name="v")) == digest(value)


def test_numbers_of_a_frame_are_written_from_its_own_memory() -> None:
    value = pd.DataFrame(np.arange(200_000.0).reshape(2, -1).T)
    buffers = [np.frombuffer(one, "u1") for one in Frames().dump(value) if len(one) > 100_000]
    assert sum(map(len, buffers)) == value.to_numpy().nbytes
    assert all(np.shares_memory(one, value._mgr.blocks[0].values) for one in buffers)


def test_numbers_of_a_frame_kept_by_rows_are_written_from_its_own_memory() -> None:
    value = pd.DataFrame(np.arange(200_000.0).reshape(-1, 2), copy=False)
    (large,) = [np.frombuffer(one, "u1") for one in Frames().dump(value) if len(one) > 100_000]
    assert np.shares_memory(large, value.to_numpy())


def test_numbers_of_a_loaded_frame_lie_in_the_stored_bytes() -> None:
    value = pd.DataFrame({"a": np.arange(1000), "b": np.arange(1000.0), "c": np.arange(1000) * 2})
    whole = joined(Frames().dump(value))
    again = Frames().load(memoryview(whole), {})
    assert all(np.shares_memory(block.values, np.frombuffer(whole, "u1")) for block in again._mgr.blocks)


def test_frames_load_from_immutable_bytes_too(materializers: Materializers) -> None:
    value = frame(a=[1, 2, 3], s=["x", "y", None])
    again = materializers.load("frame", bytes(joined(Frames().dump(value))), name="v")
    again.loc[0, "a"] = 7
    assert again["a"].tolist() == [7, 2, 3]


def test_a_very_large_frame_is_proven_on_its_first_rows(
    materializers: Materializers, monkeypatch: pytest.MonkeyPatch, trip: Trip
) -> None:
    monkeypatch.setattr("zennb.materializers.registry._WHOLE", 1000)
    value = frame(a=np.arange(5000), s=["x"] * 5000, d=pd.date_range("2024", periods=5000, freq="h"))
    dumped, again = trip(value)
    assert dumped.materializer == "frame"
    assert_same(again, value)


def test_a_subclass_of_a_frame_is_no_frame_of_ours(trip: Trip) -> None:
    assert not Frames().handles(type("Special", (pd.DataFrame,), {})({"a": [1]}))
