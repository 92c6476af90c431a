"""Pairs of values that must not be confused, and pairs that are the same: alone, inside others, in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.digests.pairs import DIFFER
from tests.digests.parts import Plain
from tests.digests.twins import AGREE
from zennb.digests.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable

INSIDE: dict[str, Callable[[Any], Any]] = {
    "alone": lambda value: value,
    "in a list": lambda value: [value],
    "in a tuple": lambda value: (0, value),
    "in a dictionary": lambda value: {"k": value, "l": 1},
    "in an object": lambda value: Plain(part=value),
    "in a closure": lambda value: lambda: value,
    "twice": lambda value: [value, value],
}


def test_there_are_enough_pairs() -> None:
    assert len(DIFFER) >= 120
    assert len(AGREE) >= 50


@pytest.mark.parametrize("place", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("make", DIFFER.values(), ids=DIFFER)
def test_values_that_differ_are_told_apart(
    make: Callable[[], tuple[Any, Any]], place: Callable[[Any], Any]
) -> None:
    one, other = make()
    assert digest(place(one)) != digest(place(other))


@pytest.mark.parametrize("make", DIFFER.values(), ids=DIFFER)
def test_each_half_of_a_pair_agrees_with_itself_made_anew(make: Callable[[], tuple[Any, Any]]) -> None:
    assert list(map(digest, make())) == list(map(digest, make()))


@pytest.mark.parametrize("place", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("make", AGREE.values(), ids=AGREE)
def test_values_that_are_the_same_agree(
    make: Callable[[], tuple[Any, Any]], place: Callable[[Any], Any]
) -> None:
    one, other = make()
    assert digest(place(one)) == digest(place(other))


@pytest.mark.parametrize("make", (DIFFER | AGREE).values(), ids=DIFFER | AGREE)
def test_looking_at_a_value_does_not_change_it(make: Callable[[], tuple[Any, Any]]) -> None:
    for value in make():
        assert digest(value) == digest(value)


def test_nearly_all_values_have_a_digest_of_their_own() -> None:
    halves = {digest(value) for make in DIFFER.values() for value in make()}
    assert len(halves) > 1.5 * len(DIFFER)


def in_process(seed: str) -> dict[str, list[str]]:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, str(root / "tests/digests/pairs.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: digests for name, *digests in map(str.split, run.stdout.splitlines())}


def test_processes_with_other_hash_seeds_agree() -> None:
    one, other = in_process("1"), in_process("4711")
    assert len(one) == len(DIFFER) + len(AGREE)
    assert {name: (one[name], other[name]) for name in one if one[name] != other[name]} == {}
