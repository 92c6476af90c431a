"""A notebook file edited at random: what its status says is what a run then does.

`make soak` does thousands of edits; here a few show that the machine works.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.file_status.machine import Counts, Project

if TYPE_CHECKING:
    from tests.reuse.pair import Warm

ROUNDS = int(os.environ.get("ZENNB_FILE_ROUNDS", "0"))
"""Edits to make at least; 0 for the few of a quick look."""

EDITS = 25 if ROUNDS else 6
"""Edits of one notebook, before another begins with an empty home."""


def test_status_says_what_a_run_then_does(warm: Warm) -> None:
    counts, seed = Counts(), int(os.environ.get("ZENNB_FILE_SEED", "1"))
    while counts.edits == 0 or counts.edits < ROUNDS:
        project = Project(warm, seed)
        try:
            project.run(project.sources())
            for _ in range(EDITS):
                project.edit()
                project.compare(counts)
        finally:
            project.close()
        seed += 1
    print(counts)
    assert not counts.false_fresh, str(counts)
    assert len(counts.false_stale) <= counts.answered // 1000, str(counts)
    if ROUNDS:
        assert counts.share("unknown") < 0.1, str(counts)
