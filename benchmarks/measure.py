"""Owns what one process measures of itself: a clock, and how much memory it took."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Watch", "wait_until", "watched"]

_TICK = 0.004  # seconds between two looks at the memory


class Watch:
    """Seconds and memory of one part of the work."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.memory = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - began


@contextmanager
def watched(*, memory: bool) -> Iterator[Watch]:
    """Measure the block; with `memory`, how many bytes it took at most beyond what was there before.

    Only memory of the process's own counts: pages of a mapped file belong to the file, and can be dropped.
    """
    watch = Watch()
    if not memory:
        with watch.running():
            yield watch
        return
    before, stop, most = _own(), threading.Event(), [0]

    def look() -> None:
        while not stop.wait(_TICK):
            most[0] = max(most[0], _own())

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    try:
        with watch.running():
            yield watch
    finally:
        stop.set()
        looker.join()
        watch.memory = float(max(most[0], _own()) - before)


def wait_until(moment: str) -> None:
    """Sleep until a time, given in seconds since the epoch; not at all for ""."""
    if moment:
        time.sleep(max(0.0, float(moment) - time.time()))


def _own() -> int:
    """Return the bytes of this process's own memory, 0 where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next((each for each in status.read_text().splitlines() if each.startswith("RssAnon")), "RssAnon 0")
    return int(line.split()[1]) * 1024
