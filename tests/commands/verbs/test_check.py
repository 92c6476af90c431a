from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.records.check_findings import Check, CheckedCell

Commands = Any


class FakeCheck:
    """Stands in for a check: says what it does, remembers what it was asked, and finds what it was told."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.cells = (CheckedCell(number=1, code="x", cold=True, reused=True, cached=True),)
        self.notes: tuple[str, ...] = ()

    def __call__(self, path: str, **asked: Any) -> Check:
        self.asked = {"path": path, **asked}
        if asked["on_run"] is not None:
            asked["on_run"]("plain")
        return Check(name="study.ipynb", cells=self.cells, notes=self.notes)


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


def test_a_difference_with_an_exception_is_told_but_no_failure(command: Commands, fake: FakeCheck) -> None:
    fake.cells = (CheckedCell(number=1, code="x", cold=False, loud=True),)
    assert command("check", "study.ipynb", interface=Interface.TERMINAL).code == 0


def test_a_run_that_did_not_end_is_no_success(command: Commands, fake: FakeCheck) -> None:
    fake.notes = ("as steps: the kernel died.",)
    assert command("check", "study.ipynb", interface=Interface.TERMINAL).code == 1


def test_json_has_all_cells_and_figures_and_says_nothing_else(command: Commands, fake: FakeCheck) -> None:
    outcome = command("check", "study.ipynb", "--json", interface=Interface.TERMINAL)
    assert command.said == []
    data = json.loads(outcome.view.text)["data"]
    assert data["figures"]["cached"] == {"part": 1, "whole": 1, "percent": 100.0}
    assert (data["cells"][0]["number"], data["cells"][0]["silent"]) == (1, False)
