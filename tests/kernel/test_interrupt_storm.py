"""Interrupts at random moments: no kernel crashes, and no cell leaves a half of what it binds.

The short form takes half a minute. ZENNB_INTERRUPTS=2500 (`make soak`) makes it a storm, beside a control kernel
without zennb whose cells do the same, so that the time to the prompt can be compared on however busy a machine.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.conftest import Kernel
from tests.kernel.storm import Storm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.kernel

INTERRUPTS = int(os.environ.get("ZENNB_INTERRUPTS", "30"))
SEED = int(os.environ.get("ZENNB_SEED", str(time.time_ns() % 100_000)))
PER_KERNEL = 125


@pytest.fixture
def controls(environment: dict[str, str], tmp_path: Path) -> Callable[[], Kernel] | None:
    """Start kernels without zennb, for the long form."""
    return (lambda: Kernel(environment, tmp_path)) if INTERRUPTS > 60 else None


def test_a_storm_of_interrupts_leaves_every_cell_done_or_undone(
    kernels: Callable[[], Kernel], controls: Callable[[], Kernel] | None
) -> None:
    storm = Storm(kernels, controls, SEED)
    for shot in range(INTERRUPTS):
        if shot % PER_KERNEL == 0:
            print(f"{shot} interrupts, seed {SEED}: {dict(storm.ends)}; {dict(storm.kinds)}", flush=True)
            storm.begin()
        storm.shoot()
    storm.end()
    print(f"\n{INTERRUPTS} interrupts, seed {SEED}: {dict(storm.ends)}; {dict(storm.kinds)}")
    print(f"from the interrupt to the prompt: {storm.latencies}; without zennb: {storm.control_latencies}")
    print(f"without zennb: {dict(storm.control_ends)}")
    print("slowest: " + "; ".join(f"{seconds * 1e3:.0f} ms {cell}" for seconds, cell in storm.slowest))
    print("\n".join(storm.violations))
    assert storm.violations == [], f"seed {SEED}"
