"""The `pandera` data validator: its contract, schemas given and inferred, and what a failed check says."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pandera")

import pandas as pd
import pandera.pandas as pa
import pandera.polars as pp
import polars as pl

from zennb.components.data_validators.pandera import PanderaDataValidator
from zennb.errors import UsageError
from zennb.testing.data_validator import DataValidatorContract

VALIDATOR = PanderaDataValidator.from_config("checks", {})
GOOD = pd.DataFrame({"age": [31, 17], "name": ["ada", "bob"]})
BAD = pd.DataFrame({"age": [31, 152, -17], "name": ["ada", "ada", None]})


class Person(pa.DataFrameModel):  # type: ignore[misc]  # pandera need not be installed
    age: int = pa.Field(ge=0, le=120)


SCHEMA = pa.DataFrameSchema(
    {"age": pa.Column(int, pa.Check.in_range(0, 120)), "name": pa.Column(str, unique=True, nullable=False)}
)


class TestContract(DataValidatorContract):
    @pytest.fixture
    def validator(self) -> PanderaDataValidator:
        return VALIDATOR

    @pytest.fixture
    def own(self) -> tuple[Any, Any, Any]:
        return SCHEMA, GOOD, BAD


def _failures(schema: object, value: object, before: object = None) -> list[str]:
    return sorted(VALIDATOR.check_for(schema)(value, lambda: before).failures)


def test_each_rule_that_does_not_hold_names_its_rows() -> None:
    assert _failures(SCHEMA, BAD) == [
        "column 'age' does not hold in_range(0, 120), 2 rows: row 1 (152), row 2 (-17)",
        "column 'name' does not hold field_uniqueness, 2 rows: row 0 ('ada'), row 1 ('ada')",
        "column 'name' does not hold not_nullable, 1 rows: row 2 (nan)",
    ]


def test_models_and_missing_columns() -> None:
    assert _failures(Person, GOOD) == []
    assert _failures(Person, BAD[["name"]]) == ["column 'age' is missing"]


def test_frames_of_polars() -> None:
    schema = pp.DataFrameSchema({"age": pp.Column(int, pp.Check.ge(0))})
    assert _failures(schema, pl.DataFrame({"age": [1]})) == []
    (said,) = _failures(schema, pl.DataFrame({"age": [1, -2]}))
    assert said.startswith("column 'age' does not hold greater_than_or_equal_to(0), 1 rows: row 1 (")


def test_a_schema_is_inferred_from_the_version_before() -> None:
    assert _failures("inferred", BAD) == []  # the first version
    assert _failures("inferred", GOOD, before=GOOD) == []
    assert _failures("inferred", GOOD.astype({"age": float}), before=GOOD) == [
        "column 'age' does not hold dtype('int64')"
    ]
    assert _failures("inferred", GOOD[["age"]], before=GOOD) == ["column 'name' is missing"]


def test_a_value_that_is_no_frame_is_said() -> None:
    assert _failures(SCHEMA, 3) == ["an int is not a data frame that the schema is for"]


def test_the_values_of_a_column_that_looks_secret_are_not_shown() -> None:
    schema = pa.DataFrameSchema({"password": pa.Column(str, pa.Check.str_length(9))})
    (said,) = _failures(schema, pd.DataFrame({"password": ["hunter2"]}))
    assert "hunter2" not in said


@pytest.mark.parametrize("schema", ["guessed", 3, GOOD])
def test_what_is_no_schema_is_refused(schema: object) -> None:
    with pytest.raises(UsageError, match="a schema is a DataFrameSchema or DataFrameModel of pandera"):
        VALIDATOR.check_for(schema)
