"""Processes of background runs: they say that they run, or why they do not; and they end when they are told to."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zennb.engine.background.process import launch, stop
from zennb.errors import StepRefused, UsageError
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.core.records.records import Run

PROGRAM = """
import sys, time
from pathlib import Path
from zennb.core.records.records import Run
from zennb.engine.background.process import announce, prepare_process, refuse_start
from zennb.engine.background.run_files import RunFiles
from zennb.registry.workspace import Workspace
import os, socket

how, _, home = prepare_process().decode().partition(" ")
print("a module prints this")
if how == "refuses":
    refuse_start("it does not fit.")
    sys.exit(1)
if how == "crashes":
    raise RuntimeError("out of luck")
workspace = Workspace(Path(home))
host, stack = socket.gethostname(), workspace.snapshot()
run = Run(kind="pipeline", stack=stack, started=time.time(), host=host, process=os.getpid())
run = workspace.metadata.begin_run(run)
files = RunFiles(workspace.home, run.id)
files.output.parent.mkdir(exist_ok=True)
announce(files)
print("past the steps", flush=True)
if how == "fails":
    refuse_start("the disk is full.")
    sys.exit(1)
while True:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        if how != "deaf":
            raise
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    (tmp_path / "program_of_a_test.py").write_text(PROGRAM)
    paths = [str(tmp_path), *sys.path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))
    found = Workspace(tmp_path / "home")
    yield found
    for run in found.metadata.runs(status="running"):
        os.kill(run.process, signal.SIGKILL)
    found.close()


def started(workspace: Workspace, how: str) -> Run:
    number = launch("program_of_a_test", f"{how} {workspace.home}".encode())
    found = workspace.metadata.run(number)
    assert found is not None
    return found


def test_why_a_run_ends_that_has_begun_is_said_in_plain_words(workspace: Workspace) -> None:
    streams = workspace.home / "background" / f"run-{started(workspace, 'fails').id}.txt"
    deadline = time.monotonic() + 60
    while "disk" not in streams.read_text():
        assert time.monotonic() < deadline, streams.read_text()
        time.sleep(0.05)
    assert streams.read_text() == "past the steps\nthe disk is full.\n"


def test_a_run_is_announced_when_it_is_recorded_and_ends_when_it_is_stopped(workspace: Workspace) -> None:
    run = started(workspace, "runs")
    assert run.status.value == "running"
    assert run.process != os.getpid()
    streams = workspace.home / "background" / f"run-{run.id}.txt"
    deadline = time.monotonic() + 60
    while "past the steps" not in streams.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert stop(workspace.metadata, run).status.value == "interrupted"
    assert "KeyboardInterrupt" in streams.read_text()


def test_a_run_that_takes_no_interrupt_is_killed(workspace: Workspace) -> None:
    run = started(workspace, "deaf")
    assert stop(workspace.metadata, run, grace=0.3).status.value == "interrupted"


@pytest.mark.parametrize(("how", "sentence"), [("refuses", "it does not fit"), ("crashes", "out of luck")])
def test_what_keeps_a_run_from_beginning_is_an_error_of_the_start(
    workspace: Workspace, how: str, sentence: str
) -> None:
    with pytest.raises(StepRefused, match=sentence):
        started(workspace, how)
    assert workspace.metadata.runs() == []


def test_a_run_of_another_machine_is_not_stopped_here(workspace: Workspace) -> None:
    run = replace(started(workspace, "runs"), host="elsewhere")
    with pytest.raises(UsageError, match="runs on elsewhere"):
        stop(workspace.metadata, run)
