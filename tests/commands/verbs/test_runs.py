from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.records.metrics import Metric
from zennb.core.records.records import Failure, Run, Status, Step
from zennb.engine.step.recording import Recording
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from pathlib import Path

Commands = Any
Record = Any


def test_nothing_has_run_in_a_new_home(command: Commands) -> None:
    assert command.text("runs") == "no runs yet"
    assert command.data("runs") == []


def test_runs_are_listed_newest_first(command: Commands, record: Record) -> None:
    record("load", {"x": 1})
    record("train", {"model": 2})
    assert [run["id"] for run in command.data("runs", "list")] == [2, 1]
    assert [run["id"] for run in command.data("runs", "--limit", "1")] == [2]
    assert command.data("runs", "list", "--limit=0") == []


def test_runs_are_found_by_stack_and_status(command: Commands, record: Record) -> None:
    record("load", {"x": 1})
    command("stack", "copy", "default", "other")
    command("stack", "set", "other")
    record("train", {}, status=Status.FAILED, failure=Failure(type="ValueError", message="no"))
    assert [run["stack"]["name"] for run in command.data("runs", "--stack", "other")] == ["other"]
    assert [run["id"] for run in command.data("runs", "--status=failed")] == [2]
    assert command.data("runs", "--stack", "nothing") == []


def test_a_run_shows_its_steps(command: Commands, record: Record) -> None:
    record("train", {"model": 2}, reason="function `clean` changed")
    assert "function `clean` changed" in command.text("runs", "show", "1")
    (step,) = command.data("runs", "show", "1")["steps"]
    assert (step["name"], list(step["outputs"]), step["status"]) == ("train", ["model"], "completed")


def test_two_runs_are_compared(command: Commands, record: Record) -> None:
    record("train", {"model": 2}, source="a")
    record("train", {"model": 3}, source="b")
    assert "run 1" in command.text("runs", "compare", "1", "2")
    assert [run["id"] for run in command.data("runs", "compare", "1", "2")] == [1, 2]


@pytest.mark.parametrize("words", ["list", "show 1", "compare 1 1"])
def test_json_shows_exactly_the_data(command: Commands, record: Record, words: str) -> None:
    record("train", {"model": 2})
    outcome = command("runs", *words.split(), "--json")
    assert json.loads(outcome.view.text)["data"] == outcome.data


@pytest.mark.parametrize("name", ["7", "seven", "-", "9" * 40])
def test_an_unknown_run_is_answered_with_those_that_exist(
    command: Commands, record: Record, name: str
) -> None:
    record("train", {"model": 2})
    with pytest.raises(UnknownName, match=f"no run '{name}'; known: 1."):
        command("runs", "show", name)


def test_an_unknown_status_is_answered_with_the_nearest(command: Commands) -> None:
    with pytest.raises(UsageError, match="--status cannot be 'complete'; did you mean 'completed'"):
        command("runs", "--status", "complete")


def recorded(command: Commands, *steps: Step, **fields: Any) -> int:
    stack = command.workspace.open()
    run = Run(
        **{
            "kind": "session",
            "stack": stack.spec,
            "status": Status.COMPLETED,
            "started": time.time(),
            **fields,
        }
    )
    added = command.workspace.metadata.add_all(steps, run=run)
    return added[0].run or 0


def step(name: str, **fields: Any) -> Step:
    return Step(name=name, **{"status": Status.COMPLETED, "seconds": 0.5, **fields})


def shown(command: Commands, text: str) -> str:
    recording = Recording()
    recording.stream("stdout", text)
    return str(command.workspace.open().store.put([recording.dump()]))


def test_runs_are_found_by_kind_and_notebook(command: Commands, tmp_path: Path) -> None:
    recorded(command, step("a"), notebook="study.ipynb")
    recorded(command, step("b"), kind="pipeline", notebook="deep/other.ipynb")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "other.ipynb").write_text("{}")
    assert [run["id"] for run in command.data("runs", "--kind", "session")] == [1]
    assert [run["id"] for run in command.data("runs", "--notebook", "study.ipynb")] == [1]
    assert [run["id"] for run in command.data("runs", "--notebook", "deep/other.ipynb")] == [2]
    assert [run["id"] for run in command.data("runs", "--notebook", str(tmp_path / "deep/other.ipynb"))] == [
        2
    ]
    assert command.data("runs", "--notebook", "nowhere.ipynb") == []
    with pytest.raises(UsageError, match="--kind cannot be 'sesion'; did you mean 'session'"):
        command("runs", "--kind", "sesion")


def test_a_list_names_steps_and_says_what_was_computed_and_saved(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    recorded(
        command,
        step("load"),
        step("train", seconds=3.0),
        *(step(f"s{number}", status=Status.CACHED, saved=2.0) for number in range(12)),
        notebook="study.ipynb",
    )
    text = command.text("runs", interface=Interface.TERMINAL)
    assert "load, train +12 cached" in text
    assert ("3.5 s" in text, "24.0 s" in text, "study.ipynb" in text, "session" in text) == (True,) * 4
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, command.text("runs", interface=Interface.TERMINAL).splitlines())) <= 80
    (data,) = command.data("runs")
    assert (data["computed"], data["saved"], len(data["names"])) == (3.5, 24.0, 14)


def test_a_run_of_an_old_database_is_listed_as_before(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    recorded(command, step("train"), kind="step")
    assert "step" in command.text("runs", interface=Interface.TERMINAL)
    assert [run["kind"] for run in command.data("runs", "--kind", "step")] == ["step"]


def test_a_run_shows_the_runs_it_started(command: Commands) -> None:
    recorded(command, step("a"), kind="notebook")
    recorded(command, step("b"), kind="pipeline", parent=1)
    assert "runs it started" in command.text("runs", "show", "1")
    assert [run["id"] for run in command.data("runs", "show", "1")["started_runs"]] == [2]
    assert "started by  run 1" in command.text("runs", "show", "2")


def test_a_list_says_that_runs_started_by_others_are_left_out(command: Commands) -> None:
    recorded(command, step("a"), kind="notebook")
    assert "not shown" not in command.text("runs")
    recorded(command, step("b"), kind="pipeline", parent=1)
    assert "1 run that run 1 started is not shown; `%runs --nested` shows them." in command.text("runs")
    recorded(command, step("b"), kind="pipeline", parent=1)
    assert "2 runs that run 1 started are not shown" in command.text("runs")
    assert "not shown" not in command.text("runs", "--nested")
    assert [run["id"] for run in command.data("runs")] == [1]


def test_the_latest_record_of_a_step_counts_when_sessions_are_compared(command: Commands) -> None:
    recorded(command, step("train", source="x = 1"), step("train", source="x = 2"))
    recorded(command, step("train", source="x = 3"), step("train", source="x = 2"))
    assert "1 step with equal code" in command.text("runs", "compare", "1", "2")


def test_logs_of_a_run_are_shown_in_full_in_a_terminal(command: Commands) -> None:
    long = "".join(f"line {number}\n" for number in range(50_000))
    recorded(command, step("talk", displays=shown(command, long)), step("quiet"))
    told = command.text("runs", "logs", "1", "talk", interface=Interface.TERMINAL)
    assert told.endswith("line 49999")
    assert "more characters" in command.text("runs", "logs", "1", "talk")
    everything = command.text("runs", "logs", "1", interface=Interface.TERMINAL)
    assert everything.splitlines()[-1] == "no output"
    data = command.data("runs", "logs", "1", "quiet")
    assert (data["run"], [each["step"] for each in data["steps"]]) == (1, ["quiet"])
    json.dumps(command.data("runs", "logs", "1"))


def test_logs_of_an_unknown_step_name_the_nearest(command: Commands) -> None:
    recorded(command, step("train"))
    with pytest.raises(UnknownName, match="no step of run 1 called 'trian'; did you mean 'train'"):
        command("runs", "logs", "1", "trian")
    with pytest.raises(UnknownName, match="no run '9'; known: 1"):
        command("runs", "logs", "9")


def _logged(value: float, *values: float) -> dict[str, Metric]:
    points = tuple(enumerate((value, *values)))
    return {"loss": Metric(last=points[-1][1], count=len(points), points=points)}


def test_several_runs_are_compared_by_their_metrics(command: Commands, record: Record) -> None:
    for value in (3.0, 2.0, 1.0):
        record("train", {"model": value}, metrics=_logged(value))
    text = command.text("runs", "compare", "1", "2", "3")
    assert "loss      3      2      1" in text
    assert [
        run["steps"][0]["metrics"]["loss"]["last"] for run in command.data("runs", "compare", "1", "2", "3")
    ] == [
        3.0,
        2.0,
        1.0,
    ]


def test_a_metric_is_drawn_over_the_executions_that_logged_it(command: Commands, record: Record) -> None:
    record("train", {}, metrics=_logged(3.0))
    record("other", {}, metrics=_logged(2.0))
    record("train", {}, metrics=_logged(1.0), notebook="b.ipynb")
    record("train", {}, metrics=_logged(0.0), status=Status.FAILED)
    assert [(row["run"], row["value"]) for row in command.data("runs", "chart", "loss")] == [
        (1, 3.0),
        (2, 2.0),
        (3, 1.0),
    ]
    assert [row["run"] for row in command.data("runs", "chart", "loss", "--step", "train")] == [1, 3]
    assert [row["run"] for row in command.data("runs", "chart", "loss", "--notebook", "b.ipynb")] == [3]
    assert [row["run"] for row in command.data("runs", "chart", "loss", "--limit", "1")] == [3]


def test_the_curve_of_a_metric_is_drawn_for_some_runs(command: Commands, record: Record) -> None:
    record("train", {}, metrics=_logged(3.0, 2.0, 1.0))
    record("load", {})
    (found,) = command.data("runs", "chart", "loss", "1", "2")
    assert found["metrics"]["loss"]["points"] == [[0, 3.0], [1, 2.0], [2, 1.0]]


def test_metrics_that_are_no_numbers_are_null_in_json(command: Commands, record: Record) -> None:
    record("train", {}, metrics=_logged(float("nan"), float("inf")))
    answer = json.loads(command.text("runs", "chart", "loss", "1", "--json"))
    (found,) = answer["data"]
    assert found["metrics"]["loss"]["points"] == [[0, None], [1, None]]


def test_what_nobody_logged_or_read_is_named(command: Commands, record: Record) -> None:
    record("train", {}, metrics=_logged(3.0))
    with pytest.raises(UnknownName, match="no metric 'los'; did you mean 'loss'"):
        command("runs", "chart", "los")
    with pytest.raises(UnknownName, match="no input of a step that logged 'loss', called 'alpha'"):
        command("runs", "chart", "loss", "--by", "alpha")
    with pytest.raises(UsageError, match="give either numbers of runs"):
        command("runs", "chart", "loss", "1", "--step", "train")
