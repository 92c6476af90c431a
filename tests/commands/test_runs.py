from __future__ import annotations

import json
from typing import Any

import pytest

from zennb.core.records import Failure, Status
from zennb.errors import UnknownName, UsageError

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
    assert json.loads(outcome.view.text) == outcome.data


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
