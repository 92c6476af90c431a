"""Owns the run that a step cell is: on record while it lasts, once it has taken more than a moment, and at its end."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.engine.ledger import BEARABLE
from zennb.engine.site import run_versions
from zennb.errors import StoreError

if TYPE_CHECKING:
    from zennb.core.records import Run, Status, Step
    from zennb.engine.site import Site
    from zennb.jupyter.live import LiveLine
    from zennb.serial import Later

__all__ = ["CellRun"]


class CellRun:
    """The run of one step cell, recorded where its stack says.

    Args:
        site: the stack it runs on.
        started: when the cell began, in seconds since the epoch.
    """

    def __init__(self, site: Site, *, started: float) -> None:
        self._site, self._started = site, started
        self._live: LiveLine | None = None
        self._run: Run | None = None
        self._begun: Later[Run] | None = None

    def begin(self, live: LiveLine) -> None:
        """Let the run be recorded, and shown by `live`, if it still goes on in a moment."""
        self._live, self._run = live, self._site.new_run("step")
        self._begun = self._site.metadata.begin_run_later(self._run, BEARABLE, live.begin)

    def end(self, step: Step, status: Status) -> Step:
        """Record how the run ended, with its step; the step is returned as recorded.

        Raises:
            StoreError: it cannot be recorded.
        """
        run = replace(
            self._so_far(),
            status=status,
            started=self._started,
            seconds=time.time() - self._started,
            versions=run_versions(step.parts.packages if step.parts is not None else {}),
        )
        if self._live is not None:
            self._live.close(run)
        return self._site.metadata.add(step, run=run)

    def _so_far(self) -> Run:
        """Return the run, with its id if it took long enough for one."""
        run = self._run or self._site.new_run("step")
        if self._begun is not None:
            with suppress(StoreError):  # it is recorded as a whole in a moment; if that fails too, it is told
                run = self._begun.take_back() or run
        self._run, self._begun = run, None
        return run
