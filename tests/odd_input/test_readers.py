"""Whatever a file holds, its reader returns or raises one sentence, within limits of time and memory.

`make soak` gives most readers ten thousand inputs; here some show that the machinery works.
"""

from __future__ import annotations

import pytest

from tests.odd_input.limits import ROUNDS, trial
from tests.odd_input.readers import READERS, WEIGHTS


@pytest.mark.parametrize("name", READERS)
def test_a_reader_gives_one_sentence_for_odd_input(name: str) -> None:
    found = trial(name, rounds=max(12, round((ROUNDS or 60) * WEIGHTS.get(name, 1.0))))
    print(name, found)
    assert not found.wrong, str(found)


@pytest.mark.parametrize(
    ("name", "seed"),
    [("records", 88), ("records", 694), ("records", 931), ("blobs", 19_340)],
    ids=["a text of 10 MB as JSON", "a step's number is bytes", "many texts of 10 MB", "a name is no UTF-8"],
)
def test_what_long_runs_have_found_is_one_sentence(name: str, seed: int) -> None:
    found = trial(name, rounds=1, seed=seed)
    assert not found.wrong, str(found)


def test_a_reader_that_crashes_or_raises_is_told() -> None:
    found = trial("a reader that fails", rounds=4)
    assert (found.read, found.refused, len(found.wrong)) == (0, 1, 3)
    assert any("a crash" in text for text in found.wrong)
    assert any("MemoryError" in text for text in found.wrong)
    assert any("ValueError: odd" in text for text in found.wrong)
