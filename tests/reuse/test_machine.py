"""A notebook edited and run at random shows and holds, with zennb, what it shows and holds without it. Always."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reuse.machine import Counts, Machine
from tests.reuse.pair import Warm

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("ZENNB_REUSE_ROUNDS", "0"))


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


def test_reuse_is_never_wrong_and_rarely_missed(warm: Warm) -> None:
    Machine.warm, Machine.counts = warm, Counts()
    quick = settings(
        max_examples=10 if ROUNDS else 4,
        stateful_step_count=20 if ROUNDS else 12,
        deadline=None,
        derandomize=not ROUNDS,
        phases=[Phase.generate],  # the machine shortens its own story, and faster
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=quick)
    while Machine.counts.rounds < ROUNDS:
        run_state_machine_as_test(Machine, settings=quick)
    print(Machine.counts)
