"""The monitor of runs: an interrupt of the thread that reports leaves no other thread waiting."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from tests.interrupted import InterruptedAtEnd
from zennb.jupyter.kernel.run_monitor import RunMonitor


@pytest.mark.parametrize("begins", [False, True], ids=["on the way out", "on the way in"])
def test_an_interrupt_leaves_the_lock_free(begins: bool) -> None:
    for moment in range(1, 5):
        monitor, seen = RunMonitor(), threading.Event()
        with suppress(KeyboardInterrupt), InterruptedAtEnd(moment, begins=begins):
            monitor.notify()
            stop = monitor.subscribe(seen.set)
            stop()
        other = threading.Thread(target=lambda monitor=monitor: monitor.runs, daemon=True)
        other.start()
        other.join(timeout=20)
        assert not other.is_alive(), moment
        monitor.close()
