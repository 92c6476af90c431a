"""Owns the contract of data validators, as tests: inherit `DataValidatorContract` and define its fixtures."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.data_validators.rules import check_of_dict
from zennb.errors import UsageError
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from zennb.components.data_validator import DataValidator

__all__ = ["DataValidatorContract"]

ROWS = {"age": [31, 152, None], "name": ["ada", "bob", "ada"]}
SCHEMA = {"age": {"type": "int", "max": 120, "nulls": False}, "name": {"unique": True}, "rows": (1, 3)}


class DataValidatorContract(ComponentContract):
    """The contract of every data validator.

    Fixtures to define:
        validator: a configured data validator.
        own: (schema, a value that passes, a value that does not), for a schema of its own kind; by default a dict.
    """

    @pytest.fixture
    def validator(self) -> DataValidator:
        """Return the data validator to test."""
        pytest.fail("Give a fixture `validator` that returns a configured data validator.")

    @pytest.fixture
    def own(self) -> tuple[Any, Any, Any]:
        """Return a schema, a value that passes it, and one that does not."""
        return SCHEMA, {"age": [31], "name": ["ada"]}, ROWS

    @pytest.fixture
    def component(self, validator: DataValidator) -> DataValidator:
        """Apply the tests of every component to the validator."""
        return validator

    def test_a_plain_dict_means_the_same_with_every_validator(self, validator: DataValidator) -> None:
        assert validator.check_for(SCHEMA)(ROWS, _nothing) == check_of_dict(SCHEMA)(ROWS, _nothing)

    def test_what_passes_has_no_failures_and_counts_what_held(
        self, validator: DataValidator, own: tuple[Any, Any, Any]
    ) -> None:
        schema, good, _ = own
        found = validator.check_for(schema)(good, _nothing)
        assert found.failures == ()
        assert found.passed > 0

    def test_what_does_not_pass_is_said_in_one_line_each(
        self, validator: DataValidator, own: tuple[Any, Any, Any]
    ) -> None:
        schema, _, bad = own
        found = validator.check_for(schema)(bad, _nothing)
        assert found.failures
        assert all(each and "\n" not in each for each in found.failures)

    def test_a_check_changes_neither_value_nor_schema(
        self, validator: DataValidator, own: tuple[Any, Any, Any]
    ) -> None:
        schema, good, bad = own
        before = [repr(each) for each in (schema, good, bad)]
        check = validator.check_for(schema)
        check(good, _nothing)
        check(bad, _nothing)
        assert [repr(each) for each in (schema, good, bad)] == before

    def test_a_check_can_be_made_twice_and_says_the_same(
        self, validator: DataValidator, own: tuple[Any, Any, Any]
    ) -> None:
        schema, _, bad = own
        check = validator.check_for(schema)
        assert check(bad, _nothing) == check(copy.deepcopy(bad), _nothing)

    def test_a_pickled_validator_checks_the_same(
        self, validator: DataValidator, own: tuple[Any, Any, Any]
    ) -> None:
        schema, _, bad = own
        twin: DataValidator = pickle.loads(pickle.dumps(validator))
        assert twin.check_for(schema)(bad, _nothing) == validator.check_for(schema)(bad, _nothing)

    @pytest.mark.parametrize("schema", [None, 3, {}, {"age": {"no such rule": 1}}])
    def test_what_is_no_schema_is_refused_with_one_sentence(
        self, validator: DataValidator, schema: object
    ) -> None:
        with pytest.raises(UsageError) as caught:
            validator.check_for(schema)
        assert "\n" not in caught.value.message


def _nothing() -> None:
    return None
