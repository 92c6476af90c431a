"""What `zennb run` shows while it runs: in a terminal, in a log, and as JSON."""

from __future__ import annotations

import io
import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from zennb.commands import run_progress
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context
from zennb.commands.run_progress import RunProgress
from zennb.core.records.records import Status
from zennb.headless.execute import CellStart
from zennb.headless.step_line import StepLine

if TYPE_CHECKING:
    from collections.abc import Callable


class Screen(io.StringIO):
    """Standard error that is, or is not, a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


def _cell(number: int, step: str | None) -> CellStart:
    return CellStart(number=number, total=12, id="", step=step, source="")


def _wait(is_there: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_there():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def said() -> list[str]:
    return []


def _context(said: list[str]) -> Context:
    return Context(interface=Interface.TERMINAL, say=said.append)


def test_in_a_terminal_the_running_cell_is_shown_at_once_and_until_its_step_has_ended(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(run_progress, "_PAUSE", 0.01)
    with RunProgress(_context(said), {"fit": 90.0}) as progress:
        progress.cell(_cell(3, "fit"))
        assert screen.getvalue() == "\r\x1b[K[ 3/12] ◌ fit  running  (≈ 1 min 30 s left)"
        _wait(lambda: screen.getvalue().count("\r") > 3)
        progress.step(StepLine(step="fit", status=Status.RUNNING))
        assert said == []
        progress.step(StepLine(step="fit", status=Status.COMPLETED, seconds=2.0))
        after = screen.getvalue()
        time.sleep(0.1)
        assert screen.getvalue() == after  # nothing is shown between two cells
        progress.cell(_cell(4, None))
        assert "◌  running" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")
    assert said == ["[ 3/12] ✔ fit  completed  2.0 s"]


def test_a_log_gets_one_line_about_a_cell_that_takes_long(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(is_terminal=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(run_progress, "_PAUSE", 0.01)
    monkeypatch.setattr(run_progress, "_PATIENCE", 0.05)
    with RunProgress(_context(said), {}) as progress:
        progress.cell(_cell(3, "fit"))
        _wait(lambda: bool(said))
        time.sleep(0.1)
        progress.step(StepLine(step="fit", status=Status.CACHED, saved=9.2, made=1_773_063_900.0, run=3))
    assert said[0].startswith("[ 3/12] ◌ fit  running")
    assert said[1].startswith("[ 3/12] ● fit  cached  saved 9.2 s")
    assert len(said) == 2
    assert screen.getvalue() == ""


def test_with_json_every_event_is_a_line_on_standard_error(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    with RunProgress(_context(said).quiet(), {"fit": 90.0}) as progress:
        progress.cell(_cell(3, "fit"))
        progress.step(StepLine(step="fit", status=Status.COMPLETED, seconds=2.0, run=7))
    first, second = map(json.loads, screen.getvalue().splitlines())
    assert first == {"event": "cell", "cell": 3, "total": 12, "step": "fit"}
    assert (second["event"], second["step"], second["status"], second["run"]) == (
        "step",
        "fit",
        "completed",
        7,
    )
    assert said == []
