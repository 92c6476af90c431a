"""Tables that share memory until one of them is written to (pandas 3) do so after they were stored, too."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest_value
from zennb.engine.step.shared_state import share
from zennb.materializers.buffers import joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.materializers.conftest import Trip
    from zennb.materializers.registry import Materializers

pd: Any = import_module("pandas")
pytestmark = pytest.mark.skipif(
    int(pd.__version__.partition(".")[0]) < 3,
    reason="before pandas 3, columns are views that are written through",
)

COLUMNS = {
    "text": lambda: pd.Series(["x", "y"]),
    "text in Python objects": lambda: pd.Series(["x", "y"], dtype="string[python]"),
    "objects": lambda: pd.Series(["x", 1], dtype=object),
    "numbers": lambda: pd.Series([1.0, 2.0]),
    "nullable integers": lambda: pd.Series([1, 2], dtype="Int64"),
    "nullable floats": lambda: pd.Series([1.0, 2.0], dtype="Float64"),
    "nullable booleans": lambda: pd.Series([True, False], dtype="boolean"),
    "categories": lambda: pd.Series(["x", "y"], dtype="category"),
    "times": lambda: pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
    "periods": lambda: pd.Series(pd.period_range("2020", periods=2, freq="M")),
    "intervals": lambda: pd.Series(pd.interval_range(0, 2)),
    "integers of Arrow": lambda: pd.Series([1, 2], dtype="int64[pyarrow]"),
}


def same_column_twice(column: Any) -> Any:
    frame = pd.DataFrame({"one": column}).copy()
    frame["two"] = frame["one"]
    return frame


def frame_and_column(column: Any) -> Any:
    frame = pd.DataFrame({"one": column}).copy()
    return {"frame": frame, "column": frame["one"]}


def renamed(column: Any) -> Any:
    frame = pd.DataFrame({"one": column, "n": [1, 2]}).copy()
    return [frame.rename(columns={"one": "two"}), frame]


class Table(pd.DataFrame):  # type: ignore[misc] # pandas has no types here
    """A subclass, as packages have them."""


def subclass(column: Any) -> Any:
    table = Table({"one": column}).copy()
    return {"frame": table, "column": table["one"]}


def write_to_column(value: Any) -> Any:
    value.loc[0, "two"] = value["two"].iloc[1]
    return value


def write_to_series(value: Any) -> Any:
    value["column"].iloc[0] = value["column"].iloc[1]
    return value["frame"]


def write_to_first(value: Any) -> Any:
    value[0].loc[0, "two"] = value[0]["two"].iloc[1]
    return value[1]


SHARED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "one column under two names": (same_column_twice, write_to_column),
    "a frame and its column": (frame_and_column, write_to_series),
    "a renamed frame": (renamed, write_to_first),
    "a frame of a subclass and its column": (subclass, write_to_series),
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("shared", SHARED)
def test_a_write_shows_elsewhere_exactly_where_it_does_on_the_original(
    column: str, shared: str, trip: Trip
) -> None:
    make, write = SHARED[shared]
    value = make(COLUMNS[column]())
    _, again = trip(value)
    expected, found = write(value), write(again)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("column", COLUMNS)
def test_variables_stored_together_are_written_to_one_by_one(
    column: str, materializers: Materializers
) -> None:
    value = frame_and_column(COLUMNS[column]())
    dumped = materializers.dump_together(value, name="both")
    again = materializers.load(dumped.materializer, joined(dumped.buffers), name="both")
    expected, found = write_to_series(value), write_to_series(again)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("column", COLUMNS)
def test_tables_share_state_only_where_a_write_to_one_shows_in_the_other(column: str) -> None:
    value = frame_and_column(COLUMNS[column]())
    before = value["frame"].copy()
    shares = share(digest_value(value["frame"], name="frame"), digest_value(value["column"], name="column"))
    write_to_series(value)
    assert value["frame"].equals(before)
    assert not shares


def test_labels_stay_as_they_are_when_the_series_made_of_them_is_written_to(trip: Trip) -> None:
    labels = pd.Index([10, 20])
    _, again = trip(pd.Series(labels, index=labels))
    again.iloc[0] = 5
    assert again.index.tolist() == [10, 20]
