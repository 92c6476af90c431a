"""The `local` data validator: its contract, and its rules on every kind of table, array and value."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from zennb.components.data_validators.local import LocalDataValidator
from zennb.components.data_validators.rules import check_of_dict
from zennb.testing.data_validator import DataValidatorContract

if TYPE_CHECKING:
    from collections.abc import Callable

AGES = {"age": [31, -5, 152], "name": ["ada", "bob", None]}
ROWS = [dict(zip(AGES, row, strict=True)) for row in zip(*AGES.values(), strict=True)]
ARRAY = np.array([(31, "ada"), (-5, "bob"), (152, "")], dtype=[("age", "i8"), ("name", "U8")])


class TestContract(DataValidatorContract):
    @pytest.fixture
    def validator(self) -> LocalDataValidator:
        return LocalDataValidator.from_config("checks", {})


def _failures(schema: object, value: object, before: object = None) -> list[str]:
    return list(check_of_dict(schema)(value, lambda: before).failures)


@pytest.mark.parametrize(
    "make", [dict, lambda _: ROWS, pd.DataFrame, pl.DataFrame, lambda c: pl.DataFrame(c).lazy(), pa.table]
)
def test_tables_of_every_kind_are_checked_alike(make: Callable[[Any], object]) -> None:
    schema = {
        "age": {"type": "int", "min": 0, "max": 120, "allowed": [31, -5]},
        "name": {"type": "str", "nulls": False, "pattern": "a.*", "unique": True},
        "rows": (1, 2),
        "size": {},
    }
    assert _failures(schema, make(AGES)) == [
        "3 rows, at most 2 expected",
        "column 'age': 1 of 3 rows below 0: row 1 (-5)",
        "column 'age': 1 of 3 rows above 120: row 2 (152)",
        "column 'age': 1 of 3 rows not among -5, 31: row 2 (152)",
        "column 'name': 1 of 3 rows null: row 2",
        "column 'name': 1 of 3 rows not like a.*: row 1 ('bob')",
        "column 'size' is missing",
    ]


@pytest.mark.parametrize("make", [pa.Table.from_arrays, None])
def test_a_column_that_is_there_twice_does_not_pass_unseen(make: Any) -> None:
    columns = [[200, 1], [5, 6], [7, 8]]
    names = ["age", "age", "size"]
    table = (
        pd.DataFrame(np.array(columns).T, columns=names)
        if make is None
        else make([*map(pa.array, columns)], names)
    )
    assert _failures({"age": {"max": 120}, "size": {"max": 10}}, table) == ["column 'age' is there 2 times"]


def test_what_is_of_a_wrong_type_is_not_said_to_be_out_of_range_too() -> None:
    rules = {"age": {"type": "int", "min": 0, "max": 9}}
    assert _failures(rules, {"age": [[1], 2, dt.date(2026, 1, 1), 10]}) == [
        "column 'age': 2 of 4 rows not of type int: row 0 ([1]), row 2 (datetime.date(2026, 1, 1))",
        "column 'age': 1 of 4 rows above 9: row 3 (10)",
    ]
    assert len(_failures(rules, {"age": np.array([0.5, -1])})) == 2


def test_a_structured_array_has_columns() -> None:
    assert _failures({"age": {"min": 0}}, ARRAY) == ["column 'age': 1 of 3 rows below 0: row 1 (-5)"]


def test_rows_of_a_frame_are_named_by_its_index() -> None:
    frame = pd.DataFrame({"age": [1, 200]}, index=["ada", "bob"])
    assert _failures({"age": {"max": 120}}, frame) == ["column 'age': 1 of 2 rows above 120: row 'bob' (200)"]


def test_the_place_of_a_row_is_that_in_the_whole_table() -> None:
    frame = pd.DataFrame({"age": [1.0, None, 200.0]})
    assert _failures({"age": {"max": 120}}, frame) == ["column 'age': 1 of 3 rows above 120: row 2 (200.0)"]


def test_many_rows_are_counted_and_five_are_named() -> None:
    assert _failures({"max": 0}, list(range(1, 2001))) == [
        "2,000 of 2,000 rows above 0: row 0 (1), row 1 (2), row 2 (3), row 3 (4), row 4 (5), ..."
    ]


STAMP = pd.Timestamp("2024-03-01")


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        ({"type": "int"}, [1, np.int8(2), 10**30], [1.0, True, "1", np.float64(1)]),
        ({"type": int}, pd.Series([1, 2]), pd.Series([1.5, 2])),
        ({"type": "int"}, pd.Series([1, None]), pd.Series([1.5, None])),
        ({"type": "int"}, pd.Series([1, None], dtype="Int64"), pd.Series(["a", None])),
        ({"type": "int"}, pl.Series([1, None]), pl.Series([1.5, None])),
        ({"type": "float"}, [1, 2.5, np.float32(1)], ["1.5", True, None]),
        ({"type": "bool"}, [True, np.bool_(False)], [0, 1]),
        ({"type": "bool"}, np.array([True, False]), np.array([0, 1])),
        ({"type": "str"}, pd.Series(["a", None]), pd.Series(["a", 1])),
        ({"type": "date"}, [dt.date(2024, 1, 1)], [STAMP]),
        ({"type": "datetime"}, pd.Series([STAMP, pd.NaT]), [dt.date(2024, 1, 1)]),
        ({"min": "2024-01-01"}, pd.Series([STAMP]), pd.Series([pd.Timestamp("2023-01-01")])),
        ({"min": dt.date(2024, 1, 1)}, [dt.date(2024, 1, 1)], [dt.date(2023, 1, 1)]),
        ({"min": "b"}, ["b", "c"], ["a", 3]),
        ({"min": 0}, np.zeros(3), np.array([-1.0, 0.0])),
        ({"min": 0}, [0], ["many"]),
        ({"nulls": False}, [0, "", False], [None]),
        ({"nulls": False}, np.zeros(2), np.array([np.nan])),
        ({"nulls": False}, pd.Series([STAMP]), pd.Series([pd.NaT])),
        ({"nulls": True}, [None], None),
        ({"allowed": ["a", "b"]}, pd.Series(["a", "b"], dtype="category"), pd.Series(["a", "z"])),
        ({"allowed": [[1], [2]]}, [[1]], [[3]]),
        ({"unique": True}, [1, 2, [3]], [1, [2], [2]]),
        ({"unique": False}, [1, 1], None),
        ({"max": 1}, 0.5, 1.5),
        ({"type": "dict"}, {"a": 1}, 3),
        ({"rows": 2}, [1, 2], [1]),
        ({"rows": (None, 2)}, np.zeros((2, 5)), np.zeros((3, 5))),
        ({"rows": (1, None)}, pd.DataFrame({"a": [1]}), 3),
    ],
)
def test_a_rule_takes_what_fits_and_names_what_does_not(
    rules: dict[str, Any], good: object, bad: object
) -> None:
    assert _failures(rules, good) == []
    if bad is not None:
        assert len(_failures(rules, bad)) == 1


def test_a_value_without_columns_is_said() -> None:
    assert _failures({"age": {"min": 0}}, 3) == ["an int has no columns"]


def test_a_column_may_be_missing_if_it_is_not_required() -> None:
    assert _failures({"age": {"min": 0, "required": False}}, {"size": [1]}) == []
    assert _failures({"agee": {"min": 0}}, AGES) == ["column 'agee' is missing, but there is 'age'"]


def test_a_schema_may_have_a_column_that_is_called_like_a_rule() -> None:
    assert _failures({"type": {"allowed": ["a"]}, "rows": {"min": 2}}, {"type": ["b"], "rows": [1]}) == [
        "column 'type': 1 of 1 rows not among 'a': row 0 ('b')",
        "column 'rows': 1 of 1 rows below 2: row 0 (1)",
    ]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (list(range(100)), list(range(100)), 0.0),
        (list(range(100)), list(range(50, 150)), 0.5),
        (np.arange(100), np.arange(100) + 1000, 1.0),
        ([1.0, 2.0, None, None], [1.0, 2.0, 1.0, 2.0], 0.5),
        (["a"] * 9 + ["b"], ["a"] * 6 + ["b"] * 4, 0.3),
        (["a", None], ["a", "a"], 0.5),
        ([True, False], [True, True], 0.5),
        (["a"], [1], 1.0),
        ([], [1], 1.0),
        ([], [], 0.0),
        ([None], [None], 0.0),
    ],
)
def test_drift_is_a_share_between_zero_and_one(before: object, now: object, expected: float) -> None:
    found = check_of_dict({"drift": 1})(now, lambda: before)
    assert found.measures["drift"] == pytest.approx(expected)


def test_the_first_version_has_no_drift() -> None:
    found = check_of_dict({"age": {"drift": 0}})(AGES, lambda: None)
    assert (found.failures, dict(found.measures)) == ((), {"rows": 3})
