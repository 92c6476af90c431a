"""`zennb run NOTEBOOK --notify`: who is told how a run of a file ends, also in the background."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import zennb
from zennb import api
from zennb.commands.dispatch import run as run_command
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context
from zennb.errors import RunFailed, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

GOOD = ("%load_ext zennb", "%%step load\nrows = [1]", "%%step train --notify default\nmodel = len(rows)")
BAD = ("%load_ext zennb", "%%step train\n1 / 0")
DONE = [
    "SUCCESS step 'train' of study.ipynb completed: _, → model _",
    "SUCCESS study.ipynb completed: _; 2 steps",
]
FAILED = ["FAILURE study.ipynb failed: _, in cell [2] (step 'train'): ZeroDivisionError: division by zero"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    yield
    api.close()


def _write(cells: tuple[str, ...]) -> None:
    found = [nbformat.v4.new_code_cell(each) for each in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=found), "study.ipynb")


def _typed(*words: str) -> Any:
    return run_command(words, Context(interface=Interface.TERMINAL))


def _log() -> list[str]:
    path = Path("home/alerts.log")
    lines = path.read_text().splitlines() if path.exists() else []
    return [re.sub(r"after [\d.]+s|\(run \d+\)", "_", line[20:]) for line in lines]


@pytest.mark.parametrize(("cells", "expected"), [(GOOD, DONE), (BAD, FAILED)])
def test_the_end_of_a_run_is_told(cells: tuple[str, ...], expected: list[str]) -> None:
    _write(cells)
    _typed("run", "study.ipynb", "--notify", "default")
    assert _log() == expected


def test_only_the_event_that_was_asked_for_is_told() -> None:
    _write(GOOD[:2])
    _typed("run", "study.ipynb", "--notify", "default:failure")
    assert _log() == []


def test_a_run_in_the_background_tells_too() -> None:
    _write(BAD)
    _typed("run", "study.ipynb", "--background", "--notify", "default:failure")
    until = time.monotonic() + 60
    while not _log() and time.monotonic() < until:
        time.sleep(0.1)
    assert _log() == FAILED


def test_a_run_started_from_python_tells_too() -> None:
    _write(BAD)
    with pytest.raises(RunFailed):
        zennb.run("study.ipynb", notify="default")
    assert _log() == FAILED


def test_an_unknown_alerter_is_refused_before_anything_runs() -> None:
    _write(GOOD)
    with pytest.raises(UnknownName, match="no alerter 'nobody'"):
        _typed("run", "study.ipynb", "--notify", "nobody")
    assert list(zennb.runs()) == []
