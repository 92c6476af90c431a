"""What hypothesis makes of honest input, each reader reads or refuses in one sentence, within the limits.

`make soak` gives most readers ten thousand inputs; here some show that the machinery works, with new ones each time.
"""

from __future__ import annotations

import secrets

import pytest

from tests.odd_input.generated import STRATEGIES, fault_of
from tests.odd_input.limits import ROUNDS

# To start a process for each takes longer than a few inputs.
GROUPS = [[name] for name in STRATEGIES] if ROUNDS else [list(STRATEGIES)]


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0] if len(names) == 1 else "all")
def test_a_reader_gives_one_sentence_for_generated_input(names: list[str]) -> None:
    found = fault_of(names, rounds=ROUNDS or 10, start=secrets.randbelow(2**32))
    assert not found, found


def test_a_reader_that_fails_is_told_with_its_input() -> None:
    found = fault_of(["a reader that fails"], rounds=4, start=1)
    assert "ValueError: odd" in found
    assert "The last input: a reader that fails: " in found
