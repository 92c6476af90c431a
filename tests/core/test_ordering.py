"""The order that files, random state and settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.core.observed import Carried, Observed
from zennb.core.ordering import ordering
from zennb.core.records import Status, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


def step(
    *,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    sets: tuple[str, ...] = (),
) -> Step:
    observed = Observed(
        files=dict.fromkeys(reads, "x"),
        written=dict.fromkeys(writes, "x"),
        settings=dict.fromkeys(needs, "x"),
    )
    carried = Carried(blob="b", materializer="plain", names=sets) if sets else None
    return Step(name="s", status=Status.COMPLETED, observed=observed, carried=carried)


def order(latest: Mapping[str, Step], *, all_of_it: bool = True) -> dict[str, tuple[str, ...]]:
    return ordering(list(latest), latest, all_of_it=all_of_it)


def test_a_reader_waits_for_the_last_writer_before_it() -> None:
    write = step(writes=("f",))
    found = order({"a": write, "b": write, "c": step(reads=("f",)), "d": step(reads=("g",))})
    assert found["c"] == ("b",)
    assert "d" not in found


@pytest.mark.parametrize(
    ("written", "read", "waits"),
    [
        ("out/x.csv", "out", True),
        ("x.csv", ".", True),
        ("out", "out/x.csv", True),
        ("output", "out", False),
    ],
)
def test_a_folder_that_is_listed_and_the_files_in_it_belong_together(
    written: str, read: str, waits: bool
) -> None:
    found = order({"a": step(writes=(written,)), "b": step(reads=(read,))})
    assert found == ({"b": ("a",)} if waits else {})


def test_what_is_overwritten_was_read_first() -> None:
    steps = {"a": step(reads=("f",)), "b": step(writes=("f",)), "c": step(writes=("f",))}
    assert order(steps) == {"b": ("a",), "c": ("b",)}
    assert order(steps, all_of_it=False) == {}


def test_who_draws_random_numbers_waits_for_who_drew_before() -> None:
    random = ("random state of numpy",)
    draws = step(needs=random, sets=random)
    found = order({"a": step(sets=random), "b": draws, "c": step(needs=random), "d": step()})
    assert found == {"b": ("a",), "c": ("b",)}


def test_steps_that_never_ran_wait_for_nobody() -> None:
    assert ordering(["a", "b"], {"a": step(writes=("f",))}) == {}
