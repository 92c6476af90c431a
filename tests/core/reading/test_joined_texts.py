"""Names that can come of texts with holes: all that may be meant, found without trying every way to fill the holes."""

from __future__ import annotations

import ast

import pytest

from zennb.core.reading.joined_texts import HOLE, completed, joined, with_holes

H = HOLE
NAMES = ["limit_1", "limit_2", "limit", "part_a", "part_b", "x1", "x_low", "max_x_1", "total"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (f"limit_{H}", ["limit_1", "limit_2"]),
        (f"limit_{H}{H}{H}", ["limit_1", "limit_2"]),
        (f"{H}_a", ["part_a"]),
        (f"pa{H}_{H}", ["part_a", "part_b"]),
        (f"x{H}", ["x1", "x_low"]),
        (f"{H}x{H}", ["x1", "x_low", "max_x_1"]),
        (f"{H}_{H}", ["limit_1", "limit_2", "x_low"]),
        (f"limit_1{H}2", []),
        (f"limit{H}limit", []),
    ],
)
def test_names_that_words_with_holes_may_become(pattern: str, expected: list[str]) -> None:
    found = list(completed([pattern], NAMES, {"low", "limit", "max", "part", "x"}))
    assert [name for name in expected if name not in found] == []
    assert set(found) - set(expected) <= {"x1", "max_x_1", "limit"}  # a few too many are no fault


@pytest.mark.parametrize("between", ["", "a", "_", "e_", "ra"])
def test_many_holes_take_no_time(between: str) -> None:
    """A regular expression would try all ways to fill them, and never end."""
    names = ["a_rather_long_name_of_a_variable_that_everybody_reads", "e" * 60, "_a" * 40]
    assert list(completed([f"a{between.join(H * 60)}_end"], names, set())) == []


@pytest.mark.parametrize(
    "code", ["'aaa'.replace('a', 'b', 10**30)", f"'aaa'.replace('a', 'b', {10**30})", "'x' + f\"{'a'!r}\""]
)
def test_odd_texts_have_holes(code: str) -> None:
    assert HOLE in joined(ast.parse(code, mode="eval").body)


def test_a_text_does_not_grow_without_limit() -> None:
    assert joined(ast.parse(f"'{'a' * 9_000}'.replace('a', '{'b' * 9_000}')", mode="eval").body) == HOLE


def test_a_percentage_is_no_field() -> None:
    assert with_holes("costs 5% more") == ""
    assert with_holes("% d of it") == f"{H} of it"
    assert with_holes("%" + "0" * 100_000) == ""
