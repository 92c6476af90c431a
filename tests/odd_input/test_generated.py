"""What hypothesis makes of honest input, each reader reads or refuses in one sentence, within limits of time and memory.

`make soak` gives each reader ten thousand inputs; here some show that the machinery works.
"""

from __future__ import annotations

import secrets

import pytest

from tests.odd_input.generated import STRATEGIES, fault_of
from tests.odd_input.limits import ROUNDS


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_reader_gives_one_sentence_for_generated_input(name: str) -> None:
    assert fault_of(name, rounds=ROUNDS or 20, start=secrets.randbelow(2**32)) == ""
