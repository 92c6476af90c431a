"""Homes that are repaired from a notebook: the index of the store was cut short under the kernel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_homes import MADE, home, line
from zennb.errors import StepRefused, StoreGone
from zennb.recovery.examination import examine_home

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize("name", ["cache.db", "cache.db-wal"])
def test_an_index_that_is_cut_short_is_said_and_no_value_is_told_as_stored(
    notebook: Notebook, name: str
) -> None:
    notebook.run(MADE, "%%step big\nbig = list(range(50_000))")
    notebook.ns["cut"] = lambda: os.truncate(home() / "artifacts" / name, 0)
    (ran,) = notebook.run("%%step other\ncut()\nb = [1]")
    assert notebook.ns["b"] == [1]
    assert f"{name} was cut short; `%zennb reopen` opens the home again" in line(ran)
    (third,) = notebook.run("%%step third\nc = [3]")
    assert f"not stored: {home() / 'artifacts' / name} was cut short" in line(third)
    assert isinstance(notebook.cell(MADE).error, StoreGone)
    notebook.run("%zennb reopen")
    assert [ran.status for ran in notebook.run("%%step third\nc = [3]", MADE)] == ["completed", "completed"]
    assert examine_home(home()).is_well
    notebook.restart()
    again = notebook.run(MADE, "%%step big\nbig = list(range(50_000))", "%%step third\nc = [3]")
    assert [ran.status for ran in again] == ["cached", "cached", "cached"]


@pytest.mark.parametrize("command", ["doctor --repair", "reopen"])
def test_a_step_cannot_close_the_records_that_it_needs(notebook: Notebook, command: str) -> None:
    notebook.run(MADE)
    ran = notebook.cell(f"%%step other\n%zennb {command}\nb = [1]")
    assert isinstance(ran.error, StepRefused)
    assert "in a cell of its own" in str(ran.error)
    assert "not recorded" not in line(ran)
    notebook.run(f"%zennb {command}")
