"""A notebook edited and run at random shows and holds, with zennb, what it shows and holds without it. Always.

`make soak` does thousands of rounds; here a few show that the machine works.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reuse.machine import Counts, Machine
from tests.reuse.pair import Action, Difference, Pair, minimal

if TYPE_CHECKING:
    from tests.reuse.pair import Warm

ROUNDS = int(os.environ.get("ZENNB_REUSE_ROUNDS", "0"))
"""Cells to run at least; 0 for the few of a quick look, which are always the same."""


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the kernel", "in another process"])
def test_reuse_is_never_wrong_and_rarely_missed(warm: Warm, elsewhere: bool) -> None:
    Machine.warm, Machine.counts, Machine.elsewhere = warm, Counts(), elsewhere
    profile = settings(
        max_examples=10 if ROUNDS else 3,
        stateful_step_count=20 if ROUNDS else 8,
        deadline=None,
        derandomize=not ROUNDS,
        database=None,
        phases=[Phase.generate],  # the machine shortens its own story, and faster
        suppress_health_check=list(HealthCheck),
    )
    while Machine.counts.rounds == 0 or Machine.counts.rounds < ROUNDS:
        run_state_machine_as_test(Machine, settings=profile)
    print(Machine.counts)
    if Machine.counts.unchanged > 300:
        assert Machine.counts.share < 0.02, str(Machine.counts)


def test_a_difference_is_seen_and_told_with_the_shortest_story(warm: Warm) -> None:
    """A folder's name is all that differs between the two kernels: a cell that shows it must be found out."""
    story = [
        Action("cell", "one", "x = 1"),
        Action("step", "two", "y = x + 1"),
        Action("cell", "three", "import os\nwhere = os.getcwd()"),
    ]
    pair = Pair(warm)
    try:
        for action in story[:2]:
            pair.do(action)
        with pytest.raises(Difference) as caught:
            pair.do(story[2])
    finally:
        pair.close()
    assert caught.value.parts == {"where"}
    told = minimal(warm, story, caught.value)
    assert told.startswith("[three]\nimport os")
    assert "x = 1" not in told


def test_a_step_that_runs_although_nothing_changed_is_counted(warm: Warm) -> None:
    counts, known = Counts(), set[str]()
    pair = Pair(warm)
    try:
        for name in ("s", "s --rerun"):
            ran = pair.do(Action("step", name, "x = 1"))
            assert ran is not None
            counts.note(name, ran, known=known)
    finally:
        pair.close()
    assert (counts.unchanged, counts.needless.total(), counts.share) == (1, 1, 1.0)


def test_what_a_failed_step_changed_and_zennb_put_back_is_no_difference(warm: Warm) -> None:
    pair = Pair(warm)
    try:
        pair.do(Action("cell", "xs", "xs = [1]"))
        ran = pair.do(Action("step", "s", "xs.append(2)\n1 / 0"))
        assert ran is not None
        assert (ran.facts["status"], ran.error) == ("failed", "ZeroDivisionError: division by zero")
        pair.do(Action("cell", "xs", "xs = [1]"))
        pair.do(Action("cell", "show", "print(xs)"))
    finally:
        pair.close()
