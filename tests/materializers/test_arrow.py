from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact, MissingExtra
from zennb.materializers.arrow import ArrowTables
from zennb.materializers.buffers import joined, size
from zennb.materializers.frames import Frames
from zennb.materializers.registry import Dumped, Materializers

Trip = Callable[[Any], tuple[Dumped, Any]]

POLARS: dict[str, Callable[[], Any]] = {
    "numbers and text": lambda: pl.DataFrame(
        {"a": [1, None], "b": [0.5, float("nan")], "c": ["x", "y" * 50]}
    ),
    "nothing": pl.DataFrame,
    "no rows": lambda: pl.DataFrame(schema={"a": pl.Int8, "b": pl.String}),
    "time": lambda: pl.DataFrame(
        {"a": [date(2024, 1, 1)], "b": [timedelta(1)], "c": [datetime(2024, 1, 1)]}  # noqa: DTZ001 - a naive one is meant
    ),
    "categories": lambda: pl.DataFrame({"a": pl.Series(["x", "y", "x"], dtype=pl.Categorical)}),
    "an enumeration": lambda: pl.DataFrame({"a": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x", "z"]))}),
    "nested": lambda: pl.DataFrame({"a": [[1, 2], []], "b": [{"x": 1}, {"x": None}]}),
    "decimals": lambda: pl.DataFrame({"a": [Decimal("1.10"), None]}, schema={"a": pl.Decimal(38, 2)}),
    "two chunks": lambda: pl.concat([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})], rechunk=False),
    "a slice": lambda: pl.DataFrame({"a": list(range(10)), "s": list("abcdefghij")})[3:7],
    "a series": lambda: pl.Series("s", [1, None, 3]),
    "a series of text": lambda: pl.Series(["x", None]),
    "booleans and bytes": lambda: pl.DataFrame({"a": [True, None], "b": [b"x", b""]}),
}
ARROW: dict[str, Callable[[], Any]] = {
    "a table": lambda: pa.table({"a": [1, None], "b": ["x", "y"]}),
    "a record batch": lambda: pa.record_batch({"a": [1.5, None]}),
    "a table with metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "a table with empty metadata": lambda: pa.table({"a": [1]}).replace_schema_metadata({}),
    "no columns": lambda: pa.table({}),
    "no rows": lambda: pa.table({"a": pa.array([], pa.int8())}),
    "dictionaries": lambda: pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode()}),
    "names twice": lambda: pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
    "chunks": lambda: pa.table({"a": pa.chunked_array([[1], [2, 3]]), "b": pa.chunked_array([[1, 2], [3]])}),
    "from pandas": lambda: pa.Table.from_pandas(pd.DataFrame({"a": [1]}, index=["x"])),
}


@pytest.mark.parametrize("name", POLARS)
def test_a_polars_value_comes_back_exactly(name: str, trip: Trip) -> None:
    value = POLARS[name]()
    dumped, again = trip(value)
    assert type(again) is type(value)
    assert again.equals(value, null_equal=True)
    assert digest(again) == digest(value)
    if isinstance(value, pl.DataFrame):
        assert again.schema == value.schema
        kept = pl.from_arrow(value.to_arrow(compat_level=pl.CompatLevel.newest()))
        is_exact = (
            isinstance(kept, pl.DataFrame) and kept.schema == value.schema
        )  # old ones lose enumerations
        assert again.width == 0 or dumped.materializer == ("arrow_table" if is_exact else "pickle")


@pytest.mark.parametrize("name", ARROW)
def test_an_arrow_value_comes_back_exactly(name: str, trip: Trip) -> None:
    value = ARROW[name]()
    dumped, again = trip(value)
    assert dumped.materializer == "arrow_table"
    assert type(again) is type(value)
    assert again.equals(value, check_metadata=True)
    assert again.schema.metadata == value.schema.metadata
    assert digest(again) == digest(value)


def test_decimals_without_a_precision_are_those_with_the_largest() -> None:
    """Early versions of polars infer none, and give it once the value has been stored in any way."""
    numbers = [Decimal("1.10"), None]
    assert digest(pl.Series(numbers, dtype=pl.Decimal(None, 2))) == digest(
        pl.Series(numbers, dtype=pl.Decimal(38, 2))
    )


def test_a_polars_frame_can_be_written_into(trip: Trip) -> None:
    _, again = trip(pl.DataFrame({"a": [1, 2], "s": ["x", "y"]}))
    again[0, "a"] = 5
    assert again["a"].to_list() == [5, 2]


@pytest.mark.parametrize("make", [lambda a: pl.DataFrame({"a": a}), lambda a: pa.table({"a": a})])
def test_columns_are_written_without_a_copy(make: Callable[[Any], Any]) -> None:
    value = make(np.arange(100_000.0))
    column = value["a"].to_numpy()
    (large,) = [one for one in ArrowTables().dump(value) if len(one) > 100_000]
    assert np.shares_memory(np.frombuffer(large, "u1"), column)


def test_other_tools_can_read_the_file() -> None:
    value = pl.DataFrame({"a": [1, 2], "when": [datetime(2024, 1, 1), None], "s": ["x", None]})  # noqa: DTZ001 - naive
    stored = bytes(joined(ArrowTables().dump(value)))
    assert pl.read_ipc(io.BytesIO(stored))["when"].to_list() == [datetime(2024, 1, 1), None]  # noqa: DTZ001 - naive
    assert pa.ipc.open_file(stored).read_all().column_names == ["a", "when", "s"]


@pytest.mark.parametrize("stored", [b"", b"ARROW1 and no more", b"x" * 1000])
def test_damaged_bytes_are_named(stored: bytes) -> None:
    with pytest.raises(DamagedArtifact, match="not an Arrow file"):
        ArrowTables().load(stored, {})


@pytest.mark.parametrize("nested", [False, True])
def test_a_column_whose_name_is_no_text_is_named(nested: bool) -> None:
    frame = pl.DataFrame({"s": [{"columnname": 1}]}) if nested else pl.DataFrame({"columnname": [1]})
    stored = bytes(joined(ArrowTables().dump(frame)))
    forged = stored.replace(b"columnname", b"\xff\xfe\xfdumnname")
    assert forged != stored
    with pytest.raises(DamagedArtifact, match="not an Arrow file"):
        ArrowTables().load(forged, {})


def test_a_panic_of_polars_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = bytes(joined(ArrowTables().dump(pl.DataFrame({"a": [1]}))))

    def panic(*_args: object, **_named: object) -> None:
        raise pl.exceptions.PanicException("unwrap")

    monkeypatch.setattr(pl, "from_arrow", panic)
    with pytest.raises(DamagedArtifact, match="not an Arrow file"):
        ArrowTables().load(stored, {})


def test_an_arrow_file_of_somebody_else_is_refused() -> None:
    sink = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_ipc(sink)
    with pytest.raises(DamagedArtifact, match="not an Arrow file of zennb"):
        ArrowTables().load(sink.getvalue(), {})


def test_a_table_of_another_kind_is_not_taken_for_one_of_polars() -> None:
    """Early versions stored frames and series of pandas in this way."""
    stored = bytes(joined(ArrowTables().dump(pl.Series("s", [1, 2]))))
    forged = stored.replace(b"polars.Series", b"pandas.Series")
    assert forged != stored
    with pytest.raises(DamagedArtifact, match=r"it is a pandas\.Series"):
        ArrowTables().load(forged, {})


def test_a_missing_library_is_named_with_what_to_install(
    materializers: Materializers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = bytes(joined(ArrowTables().dump(pl.DataFrame({"a": [1]}))))
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(MissingExtra, match=r'polars.*pip install "zennb\[frames\]"'):
        materializers.load("arrow_table", stored, name="table")


def test_a_frame_kept_by_arrow_names_pyarrow_where_it_is_missing(
    materializers: Materializers, monkeypatch: pytest.MonkeyPatch
) -> None:
    column: Any = [1, None]
    value = pd.DataFrame({"a": pd.array(column, dtype=pd.ArrowDtype(pa.int16()))})
    stored = joined(Frames().dump(value))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r'pyarrow.*pip install "zennb\[frames\]"'):
        materializers.load("frame", stored, name="v")


def test_a_slice_of_text_stores_no_more_than_the_slice() -> None:
    value = pd.DataFrame({"a": pd.array(["x" * 1000] * 1000, dtype=pd.StringDtype("pyarrow"))}).iloc[10:12]
    assert size(Frames().dump(value)) < 10_000
