"""Owns the live table of a pipeline run: one display that is updated, at most five times a second.

A table of many steps takes a while to draw; it is then drawn less often, so that showing never costs a
noticeable part of the run.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from zennb.views.pipeline import live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records import Run, Step
    from zennb.jupyter.tap import Tap

__all__ = ["LiveTable", "facts"]

_PAUSE = 0.2  # seconds between two updates, at least
_SHARE = 30  # and so many times what the last update took


def facts(step: Step) -> dict[str, Any]:
    """Return what the metadata of an output says of a step, so that tools can read a saved notebook."""
    return {
        "step": step.name,
        "status": step.status.value,
        "run": step.run,
        "reason": step.reason,
        "seconds": round(step.seconds, 6),
        "outputs": list(step.outputs),
    }


class LiveTable:
    """Shows the steps of a run as they go.

    Args:
        tap: where it is shown.
        order: names of the steps.
        updates: whether the frontend can replace what was shown; a terminal cannot, and gets the end only.
    """

    def __init__(self, tap: Tap, order: Sequence[str], *, updates: bool) -> None:
        self._tap, self._order, self._updates = tap, order, updates
        self._id = uuid4().hex
        self._shown = False
        self._next = 0.0

    def __call__(self, run: Run, steps: Mapping[str, Step]) -> None:
        """Show where the run stands, unless it was shown just now; the final state always."""
        now = time.time()
        if not run.status.is_final and (not self._updates or time.perf_counter() < self._next):
            return
        began = time.perf_counter()
        view = live(self._order, steps=steps, now=now, run=run)
        self._tap.publish(
            {"text/plain": view.text, "text/html": view.html},
            {
                "zennb": [
                    facts(steps[name])
                    for name in self._order
                    if name in steps and steps[name].status.is_final
                ]
            },
            transient={"display_id": self._id} if self._updates else {},
            update=self._shown and self._updates,
        )
        self._shown = True
        ended = time.perf_counter()
        self._next = ended + max(_PAUSE, _SHARE * (ended - began))
