from __future__ import annotations

import ast
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.planning.run_plan import Edge, Freshness, PlannedStep, RunPlan
from zennb.core.reading.normal_form import normal_digest
from zennb.core.records.records import CacheKeyParts, Run, Status, Step
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Commands = Any
Record = Any

PLAN = RunPlan(
    steps=(
        PlannedStep(name="load", status="completed", reason="same code and inputs as run 1", binds=("rows",)),
        PlannedStep(
            name="train", state=Freshness.STALE, reason="first run", reads=("rows",), binds=("model",)
        ),
    ),
    edges=(Edge(start="load", end="train", names=("rows",)),),
)


@dataclass
class FakeSession:
    notebook: str = "study.ipynb"
    steps: tuple[PlannedStep, ...] = PLAN.steps
    autostep: bool = False
    run: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, Step] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def step_names(self) -> list[str]:
        return [step.name for step in PLAN.steps]

    def plan(self) -> RunPlan:
        return RunPlan(steps=self.steps, edges=PLAN.edges)

    def run_pipeline(
        self,
        *,
        parameters: Mapping[str, str],
        stack: str | None,
        start: str | None,
        only: str | None,
        rerun: bool,
        background: bool,
        notify: Sequence[str],
    ) -> Run:
        assert not notify
        asked = {"parameters": dict(parameters), "stack": stack, "start": start, "only": only, "rerun": rerun}
        self.asked.append(asked | ({"background": True} if background else {}))
        assert isinstance(self.run, Run)
        return self.run

    def latest(self) -> Mapping[str, Step]:
        return self.records

    def forget(self, step: str) -> None:
        self.forgotten.append(step)

    def explain(self, step: str) -> list[str]:
        return [f"nothing is known of {step}"]


@pytest.fixture
def kernel(command: Commands, workspace: Any) -> Commands:
    run = Run(id=7, stack=workspace.snapshot(), status=Status.COMPLETED)
    return type(command)(workspace, FakeSession(run=run))


def test_the_command_alone_draws_the_pipeline(kernel: Commands) -> None:
    assert "✔ load → ○ train" in kernel.text("pipeline")
    assert kernel.data("pipeline", "show")["edges"] == [
        {"from": "load", "to": "train", "names": ["rows"], "files": []}
    ]


def test_status_says_of_each_step_whether_it_would_run_and_why(kernel: Commands) -> None:
    text = kernel.text("pipeline", "status")
    assert "✔ fresh" in text
    assert "first run" in text
    assert [step["state"] for step in kernel.data("pipeline", "status")["steps"]] == ["fresh", "stale"]


def test_the_latest_run_of_each_step_is_named(kernel: Commands, record: Record) -> None:
    kernel.session.records["load"] = record("load", {"rows": 1})
    assert [step["run"] for step in kernel.data("pipeline", "status")["steps"]] == [1, None]


def test_explain_tells_what_differs(kernel: Commands) -> None:
    assert "nothing is known of train" in kernel.text("pipeline", "explain", "train")
    assert kernel.data("pipeline", "explain", "train")["differences"] == ["nothing is known of train"]


def test_a_fresh_step_is_explained_by_its_reason_alone(kernel: Commands) -> None:
    text = kernel.text("pipeline", "explain", "load")
    assert text == "✔ load  fresh: it would be reused\n  - same code and inputs as run 1"
    assert kernel.data("pipeline", "explain", "load")["differences"] == []


def test_explain_repeats_what_status_remarks_on_what_a_step_reads(kernel: Commands) -> None:
    remark = "`rows` was changed by a plain cell [3] after step 'load' made it"
    load, train = PLAN.steps
    kernel.session.steps = (replace(load, remark=remark), train)
    assert remark in kernel.text("pipeline", "show")
    assert kernel.data("pipeline", "status")["steps"][0]["remark"] == remark
    for step in ("load", "train"):
        assert f"  - {remark}" in kernel.text("pipeline", "explain", step).splitlines()
        assert kernel.data("pipeline", "explain", step)["remarks"] == [remark]
    kernel.session.steps = (replace(load, remark=remark.replace("rows", "others")), train)
    assert kernel.data("pipeline", "explain", "train")["remarks"] == []


def test_a_step_is_forgotten_by_its_name(kernel: Commands) -> None:
    said = kernel.text("pipeline", "forget", "train")
    assert said == (
        "step 'train' has left the pipeline; its records and artifacts stay, and running its cell brings it back."
    )
    assert kernel.session.forgotten == ["train"]


def test_an_unknown_step_is_answered_with_the_nearest(kernel: Commands) -> None:
    with pytest.raises(UnknownName, match="no step 'trian'; did you mean 'train'"):
        kernel("pipeline", "explain", "trian")


def test_a_run_is_asked_of_the_session_and_shows_nothing_twice(kernel: Commands) -> None:
    outcome = kernel(
        "pipeline", "run", "-p", "a=1", "-p", "b=x=y", "--stack", "s", "--from", "train", "--rerun"
    )
    assert kernel.session.asked == [
        {"parameters": {"a": "1", "b": "x=y"}, "stack": "s", "start": "train", "only": None, "rerun": True}
    ]
    assert (outcome.view, outcome.data["id"], outcome.code) == (None, 7, 0)


def test_a_run_in_the_background_is_started_and_said(workspace: Any, command: Commands) -> None:
    run = Run(id=7, stack=workspace.snapshot(), status=Status.RUNNING)
    kernel = type(command)(workspace, FakeSession(run=run))
    outcome = kernel("pipeline", "run", "--background")
    assert kernel.session.asked[0]["background"] is True
    assert (outcome.view.text.startswith("◌ run 7 began in the background"), outcome.code) == (True, 0)
    assert (outcome.data["id"], outcome.data["status"]) == (7, "running")


def test_without_a_session_the_extension_is_asked_for(command: Commands) -> None:
    for words in (["show"], ["run"], ["status"]):
        with pytest.raises(UsageError, match="type `%load_ext zennb`"):
            command("pipeline", *words)


@pytest.mark.parametrize("words", ["show", "status", "explain train"])
def test_json_shows_exactly_the_data(kernel: Commands, words: str) -> None:
    outcome = kernel("pipeline", *words.split(), "--json")
    assert json.loads(outcome.view.text)["data"] == json.loads(json.dumps(outcome.data))


@pytest.fixture
def file(tmp_path: Path) -> str:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{at}",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for at, text in enumerate(["%%step load\nrows = [1]", "%%step train\nmodel = rows"])
    ]
    path = tmp_path / "study.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    return str(path)


def test_the_terminal_reads_the_notebook_file(command: Commands, record: Record, file: str) -> None:
    code = normal_digest(ast.parse("rows = [1]"))
    record("load", {"rows": [1]}, source="%%step load\nrows = [1]", parts=CacheKeyParts(code=code))
    assert "pipeline study.ipynb" in command.text("pipeline", "show", file, interface=Interface.TERMINAL)
    steps = command.data("pipeline", "status", file, interface=Interface.TERMINAL)["steps"]
    assert [(step["name"], step["run"], step["state"]) for step in steps] == [
        ("load", 1, "fresh"),
        ("train", None, "stale"),
    ]
    explained = command.text("pipeline", "explain", file, "train", interface=Interface.TERMINAL)
    assert "first run" in explained


def test_the_terminal_asks_for_the_notebook(command: Commands) -> None:
    with pytest.raises(UsageError) as caught:
        command("pipeline", "show", interface=Interface.TERMINAL)
    assert str(caught.value) == (
        "zennb pipeline show: NOTEBOOK is missing; type `zennb pipeline show NOTEBOOK [--json]`."
    )
