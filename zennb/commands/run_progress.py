"""Owns `RunProgress`: what `zennb run` shows while a notebook runs."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.run_lines import step_record
from zennb.core.records.records import Status
from zennb.views.mark import mark
from zennb.views.step import status_line
from zennb.views.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from zennb.commands.outcome import Context
    from zennb.headless.execute import CellStart
    from zennb.headless.step_line import StepLine

__all__ = ["RunProgress"]

_PAUSE = 0.5
"""Seconds between two updates of the line of a running cell."""

_PATIENCE = 10.0
"""Seconds after which a log gets a line about the cell that runs."""

_WORTH_SAYING = 2.0
"""Seconds that a step is expected to take at least, for a word on how many are left."""


class RunProgress:
    """Shows each step when it has ended, with the number of its cell, and until then that its cell is running.

    In a terminal, a running cell has a line that is updated in place. A log gets one line about it if it takes long.
    With `--json`, each beginning of a cell and each end of a step is a line of JSON on standard error.

    Args:
        context: where the command was typed.
        known: step name → seconds that it took when it ran last.
    """

    def __init__(self, context: Context, known: Mapping[str, float]) -> None:
        self._context, self._known = context, known
        self._is_live = (
            context.interface is Interface.TERMINAL and not context.is_json and sys.stderr.isatty()
        )
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._cell: CellStart | None = None
        self._began, self._is_told, self._is_drawn = 0.0, False, False
        self._thread = threading.Thread(target=self._tick, name="zennb-progress", daemon=True)

    def __enter__(self) -> Self:
        if not self._context.is_json:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            self._clear()

    def cell(self, start: CellStart) -> None:
        """Note that a cell is about to run."""
        if self._context.is_json:
            _write_event({"event": "cell", "cell": start.number, "total": start.total, "step": start.step})
            return
        with self._lock:
            self._cell, self._began, self._is_told = start, time.monotonic(), False
            self._draw()

    def step(self, line: StepLine) -> None:
        """Show a step that has ended."""
        if not line.status.is_final:
            return
        if self._context.is_json:
            _write_event(
                {"event": "step", **{key: value for key, value in plain(line).items() if value is not None}}
            )
            return
        with self._lock:
            self._clear()
            self._context.say(f"{self._place()} {status_line(step_record(line)).text}".lstrip())
            if self._cell is not None and self._cell.step is not None:
                self._cell = None  # what its step has said is all that it does

    def _place(self) -> str:
        cell = self._cell
        return "" if cell is None else f"[{cell.number:{len(str(cell.total))}}/{cell.total}]"

    def _tick(self) -> None:
        while not self._ended.wait(_PAUSE):
            with self._lock:
                if self._is_live:
                    self._draw()
                elif self._cell is not None and not self._is_told and self._elapsed() > _PATIENCE:
                    self._is_told = True
                    self._context.say(self._running())

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _running(self) -> str:
        name = "" if self._cell is None else clean(self._cell.step or "")
        elapsed, whole = self._elapsed(), self._known.get(name, 0.0)
        left = round(whole - elapsed)
        words = " ".join(part for part in (self._place(), mark(Status.RUNNING).symbol, name) if part)
        parts = [
            words,
            "running",
            duration(elapsed) if elapsed >= 1 else "",
            f"(≈ {duration(left)} left)" if whole >= _WORTH_SAYING and left >= 1 else "",
        ]
        return "  ".join(part for part in parts if part)

    def _draw(self) -> None:
        if self._is_live and self._cell is not None:
            sys.stderr.write(f"\r\x1b[K{self._running()}")
            sys.stderr.flush()
            self._is_drawn = True

    def _clear(self) -> None:
        if self._is_drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_drawn = False


def _write_event(event: Mapping[str, Any]) -> None:
    sys.stderr.write(f"{json.dumps(event)}\n")
    sys.stderr.flush()
