from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.records.check_findings import Check, CheckedCell, EditTrial, Share
from zennb.errors import UsageError

Commands = Any


class FakeCheck:
    """Stands in for a check: says what it does, remembers what it was asked, and finds what it was told."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.cells: tuple[CheckedCell, ...] = (
            CheckedCell(number=1, code="x", cold=True, reused=True, cached=True),
        )
        self.notes: tuple[str, ...] = ()
        self.trials: tuple[EditTrial, ...] = ()

    def __call__(self, path: str, **asked: Any) -> Check:
        self.asked = {"path": path, **asked}
        if asked["on_run"] is not None:
            asked["on_run"]("plain")
        return Check(name="study.ipynb", cells=self.cells, notes=self.notes, trials=self.trials, seed=7)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCheck:
    fake = FakeCheck()
    monkeypatch.setattr(importlib.import_module("zennb.headless.check"), "check", fake)
    return fake


def test_a_faithful_notebook_is_a_success_and_each_run_is_told(command: Commands, fake: FakeCheck) -> None:
    outcome = command("check", "study.ipynb", interface=Interface.TERMINAL)
    assert outcome.code == 0
    assert command.said == ["running study.ipynb plain ..."]
    assert outcome.view.text.endswith("reused in a new kernel     100.0% (1 of 1)")
    assert (fake.asked["once"], fake.asked["timeout"], fake.asked["limit"]) == (False, None, 500.0)


def test_everything_given_reaches_the_check(command: Commands, fake: FakeCheck) -> None:
    words = "check study.ipynb --once --timeout 60 --limit 2000"
    command(*words.split(), interface=Interface.TERMINAL)
    assert (fake.asked["path"], fake.asked["once"]) == ("study.ipynb", True)
    assert (fake.asked["timeout"], fake.asked["limit"]) == (60.0, 2000.0)


def test_a_silent_difference_is_no_success(command: Commands, fake: FakeCheck) -> None:
    fake.cells = (CheckedCell(number=1, code="x", cold=True, reused=False, cached=True),)
    assert command("check", "study.ipynb", interface=Interface.TERMINAL).code == 1


def test_cells_that_fail_only_as_steps_have_an_exit_code_of_their_own(
    command: Commands, fake: FakeCheck
) -> None:
    fails = CheckedCell(number=1, code="x", cold=False, loud=True, failure="NameError: y")
    fake.cells = (fails,)
    outcome = command("check", "study.ipynb", interface=Interface.TERMINAL)
    assert outcome.code == 3
    assert str(outcome.error) == "study.ipynb: 1 cell failing only with steps."
    fake.cells = (fails, CheckedCell(number=2, code="y", cold=True, reused=False))
    outcome = command("check", "study.ipynb", interface=Interface.TERMINAL)
    assert outcome.code == 1
    assert str(outcome.error).startswith("study.ipynb: 1 cell silently different with steps; 1 cell failing")


def edited(*, different: tuple[str, ...] = (), cells: tuple[CheckedCell, ...] = ()) -> EditTrial:
    return EditTrial(
        number=1,
        code="x",
        kind="constant",
        line=1,
        before="1",
        after="2",
        cells=cells,
        variables=Share(part=1, whole=1 + len(different)),
        different=different,
    )


def test_an_edit_that_differs_counts_like_a_cell(command: Commands, fake: FakeCheck) -> None:
    words = ["check", "study.ipynb", "--edits", "2", "--seed", "7"]
    fake.trials = (edited(), edited())
    assert command(*words, interface=Interface.TERMINAL).code == 0
    assert (fake.asked["edits"], fake.asked["seed"]) == (2, 7)
    fake.trials = (edited(), edited(different=("total",)))
    outcome = command(*words, interface=Interface.TERMINAL)
    assert outcome.code == 1
    assert str(outcome.error) == "study.ipynb: 1 edit silently different with steps."
    fake.trials = (edited(cells=(CheckedCell(number=1, code="x", reused=False, loud=True),)),)
    outcome = command(*words, interface=Interface.TERMINAL)
    assert outcome.code == 3
    assert str(outcome.error) == "study.ipynb: 1 edit failing only with steps."


def test_no_edits_are_refused_as_a_typing_mistake(command: Commands, fake: FakeCheck) -> None:
    with pytest.raises(UsageError, match="--edits takes a number of edits from 1, not 0"):
        command("check", "study.ipynb", "--edits", "0", interface=Interface.TERMINAL)


def test_json_has_the_edits_with_the_cells_that_differ(command: Commands, fake: FakeCheck) -> None:
    cells = (
        CheckedCell(number=1, code="x", reused=True, cached=False),
        CheckedCell(number=2, code="y", reused=False, cached=True),
    )
    fake.trials = (edited(different=("y",), cells=cells),)
    outcome = command("check", "study.ipynb", "--json", "--edits", "1", interface=Interface.TERMINAL)
    found = json.loads(outcome.view.text)
    assert found["error"]["exit_code"] == outcome.code == 1
    assert found["data"]["seed"] == 7
    (edit,) = found["data"]["edits"]
    assert (edit["before"], edit["after"], edit["kind"], edit["silent"]) == ("1", "2", "constant", True)
    assert [cell["number"] for cell in edit["cells"]] == [2]
    assert edit["different"] == ["y"]
    assert edit["variables"] == {"part": 1, "whole": 2, "percent": 50.0}
    assert edit["figures"]["cached"] == {"part": 1, "whole": 2, "percent": 50.0}


def test_a_run_that_did_not_end_is_no_success(command: Commands, fake: FakeCheck) -> None:
    fake.notes = ("as steps: the kernel died.",)
    assert command("check", "study.ipynb", interface=Interface.TERMINAL).code == 1


def test_json_has_all_cells_and_figures_and_says_nothing_else(command: Commands, fake: FakeCheck) -> None:
    outcome = command("check", "study.ipynb", "--json", interface=Interface.TERMINAL)
    assert command.said == []
    data = json.loads(outcome.view.text)["data"]
    assert data["figures"]["cached"] == {"part": 1, "whole": 1, "percent": 100.0}
    assert (data["cells"][0]["number"], data["cells"][0]["silent"]) == (1, False)
