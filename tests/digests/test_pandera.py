"""A schema of pandera has the same digest before and after it is used, and another one when its rules differ."""

from __future__ import annotations

import pytest

pytest.importorskip("pandera")

import pandas as pd
import pandera.pandas as pa

from zennb.digests.digest import digest_value


def _digest(low: int, **more: object) -> str:
    schema = pa.DataFrameSchema({"age": pa.Column(int, [pa.Check.ge(low), *more.values()])})
    found = digest_value(schema, name="schema").digest
    schema.validate(pd.DataFrame({"age": [5]}))
    assert digest_value(schema, name="schema").digest == found
    return found


def test_using_a_schema_changes_nothing_and_its_rules_count() -> None:
    assert _digest(0) == _digest(0) != _digest(1)


def test_functions_of_the_user_count() -> None:
    first = _digest(0, own=pa.Check(lambda column: column < 10))
    second = _digest(0, own=pa.Check(lambda column: column < 11))
    assert first == _digest(0, own=pa.Check(lambda column: column < 10)) != second
