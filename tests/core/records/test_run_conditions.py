from __future__ import annotations

import math

import pytest

from zennb.core.records.run_conditions import RunCondition, parse_where
from zennb.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, []),
        ("accuracy > 0.9", ["accuracy > 0.9"]),
        ("accuracy>=.9 and depth=3", ["accuracy >= .9", "depth = 3"]),
        ("loss/train < 1e-3 AND train.accuracy != 1", ["loss/train < 1e-3", "train.accuracy != 1"]),
        ("model = 'a tree'", ["model = a tree"]),
        ("brand and model = x", None),
        ("band = x and y = 2", ["band = x", "y = 2"]),
        ("", None),
        ("accuracy", None),
        ("accuracy >", None),
        ("> 3", None),
        ("a > 1 and", None),
        ("a > b > c", None),
    ],
)
def test_conditions_are_read_as_typed(text: str | None, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(UsageError, match="is no condition; write"):
            parse_where(text)
    else:
        assert [each.text for each in parse_where(text)] == expected


@pytest.mark.parametrize(
    ("sign", "value", "values", "holds"),
    [
        (">", "0.9", [0.91], True),
        (">", "0.9", [0.9], False),
        (">=", "0.9", [0.9], True),
        ("<", "1e-3", [5e-4], True),
        ("=", "3", [3.0], True),
        ("==", "3.0", [3.0], True),
        ("!=", "3", [3.0], False),
        ("!=", "3", [4.0], True),
        ("=", "tree", ["tree"], True),
        ("!=", "tree", ["forest"], True),
        (">", "tree", ["zebra"], False),
        (">", "3", ["tree"], False),
        ("=", "3", ["tree"], False),
        (">", "0.9", [0.1, 0.95], True),
        ("!=", "3", [], False),
        (">", "0.9", [math.nan], False),
        ("<", "inf", [5.0], True),
    ],
)
def test_numbers_are_compared_as_numbers(
    sign: str, value: str, values: list[float | str], holds: bool
) -> None:
    assert RunCondition("x", sign, value).holds(values) is holds
