"""In a kernel, what `%pipeline status` says is what `%pipeline run` then does, whatever was edited and run before.

`make soak` makes thousands of edits; here a few show that the machine works.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.status.machine import play

if TYPE_CHECKING:
    from tests.reuse.pair import Warm

EDITS = int(os.environ.get("ZENNB_STATUS_EDITS", "0"))
"""Edits to make; 0 for the few of a quick look, which are always the same."""


def test_the_plan_of_a_kernel_is_what_its_run_does(warm: Warm) -> None:
    counts = play(warm, edits=EDITS or 30, seed=int(os.environ.get("ZENNB_STATUS_SEED", "0")))
    print(counts)
    assert counts.false_stale.total() <= counts.states.total() / 1000, str(counts)
