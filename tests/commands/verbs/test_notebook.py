from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.records.records import Status
from zennb.errors import UnknownName, UsageError
from zennb.headless.execute import CellFailure, CellStart, Execution
from zennb.headless.step_line import StepLine

Commands = Any


class FakeExecute:
    """Stands in for running a notebook: tells what it was told to tell, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.status = Status.COMPLETED
        self.failures: tuple[CellFailure, ...] = ()

    def __call__(self, path: str, **asked: Any) -> Execution:
        self.asked = {"path": path, **asked}
        lines = (
            StepLine(
                step="load", status=Status.CACHED, reason="same code and inputs as run 1", outputs=("rows",)
            ),
            StepLine(
                step="train", status=Status.COMPLETED, reason="first run", seconds=1.5, outputs=("model",)
            ),
        )
        for number, line in enumerate(lines, start=9):
            asked["on_cell"](CellStart(number=number, total=10, id="", step=line.step, source=""))
            asked["on_step"](StepLine(step=line.step, status=Status.RUNNING))
            asked["on_step"](line)
        return Execution(
            path=Path(path),
            out=asked["out"],
            status=self.status,
            seconds=2.0,
            cells=10,
            total=10,
            steps=lines,
            failures=self.failures,
        )


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> FakeExecute:
    fake = FakeExecute()
    monkeypatch.setattr(importlib.import_module("zennb.headless.execute"), "execute", fake)
    return fake


def test_each_step_is_told_when_it_has_ended(command: Commands, execute: FakeExecute) -> None:
    outcome = command("run", "study.ipynb", interface=Interface.TERMINAL)
    assert [line.split("  ")[:2] for line in command.said] == [
        ["[ 9/10] ● load", "cached"],
        ["[10/10] ✔ train", "completed"],
    ]
    assert outcome.code == 0
    assert outcome.view.text == (
        "✔ study.ipynb completed in 2.0 s; 10 of 10 cells run; 2 steps (1 completed, 1 cached)"
    )


def test_everything_given_reaches_the_run(command: Commands, execute: FakeExecute) -> None:
    command("stack", "copy", "default", "other")
    words = "run study.ipynb --stack other -p depth=3 -p name=a=b -o out.ipynb --timeout 60"
    command(*words.split(), interface=Interface.TERMINAL)
    kept = {key: execute.asked[key] for key in ("path", "stack", "parameters", "out", "timeout")}
    assert kept == {
        "path": "study.ipynb",
        "stack": "other",
        "parameters": {"depth": "3", "name": "a=b"},
        "out": "out.ipynb",
        "timeout": 60.0,
    }


def test_running_a_pipeline_in_the_terminal_is_running_its_notebook(
    command: Commands, execute: FakeExecute
) -> None:
    command("pipeline", "run", "study.ipynb", "-p", "depth=3", interface=Interface.TERMINAL)
    assert (execute.asked["path"], execute.asked["parameters"]) == ("study.ipynb", {"depth": "3"})


def test_a_failure_names_cell_and_step_and_is_no_success(command: Commands, execute: FakeExecute) -> None:
    execute.status = Status.FAILED
    execute.failures = (
        CellFailure(
            number=7,
            id="x",
            step="train",
            type="ValueError",
            message="bad rows\nat 3",
            traceback="the frames",
        ),
    )
    outcome = command("run", "study.ipynb", interface=Interface.TERMINAL)
    assert outcome.code == 1
    assert outcome.view.text.startswith("the frames\n✘ study.ipynb failed in 2.0 s")
    assert outcome.view.text.endswith("\ncell [7] (step `train`) failed: ValueError: bad rows")


def test_an_interrupted_run_has_the_exit_code_of_one(command: Commands, execute: FakeExecute) -> None:
    execute.status = Status.INTERRUPTED
    assert command("run", "study.ipynb", interface=Interface.TERMINAL).code == 130


def test_json_is_all_there_is(command: Commands, execute: FakeExecute) -> None:
    outcome = command("run", "study.ipynb", "--json", interface=Interface.TERMINAL)
    assert command.said == []
    assert (outcome.data["status"], [step["step"] for step in outcome.data["steps"]]) == (
        "completed",
        ["load", "train"],
    )


def test_an_unknown_stack_is_refused_before_a_kernel_starts(command: Commands, execute: FakeExecute) -> None:
    with pytest.raises(UnknownName, match="no stack 'defualt'; did you mean 'default'"):
        command("run", "study.ipynb", "--stack", "defualt", interface=Interface.TERMINAL)
    assert execute.asked == {}


def test_notebooks_are_run_from_the_terminal_only(command: Commands) -> None:
    with pytest.raises(UsageError, match="%zennb run: works in a terminal only; type zennb run there"):
        command("run", "study.ipynb")
