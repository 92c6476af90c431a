"""Steps that leave the pipeline: their cell turned plain or was deleted, or somebody said so."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

LOAD, USE = "%%step load\nrows = [1, 2]", "%%step use\nn = len(rows)"


def steps(notebook: Notebook) -> list[str]:
    (ran,) = notebook.run("%pipeline status --json")
    return [step["name"] for step in json.loads(ran.displays[0]["data"]["text/plain"])["data"]["steps"]]


def study(notebook: Notebook) -> None:
    for cell_id, text in (("a", LOAD), ("b", USE)):
        assert notebook.cell(text, cell_id).error is None


@pytest.mark.parametrize(
    "text", ["rows = [1, 2]", "#| step: off\nrows = [1, 2]", "%%time\nrows = [1, 2]", "1 / 0", "", "  \n"]
)
def test_a_cell_that_turned_plain_takes_its_step_out_of_the_pipeline(notebook: Notebook, text: str) -> None:
    study(notebook)
    notebook.cell(text, "a")
    assert steps(notebook) == ["use"]


@pytest.mark.parametrize(
    "text",
    [
        "rows = [1,",
        "%%step load\nrows = (",
        "%%step load --retrys 3\nrows = [1]",
        "#| step load\nrows = [1]",
        "%%step 'load\nrows = [1]",
        "%%step load\n1 / 0",
        "%%time\n%%step load\nrows = [1]",
    ],
)
def test_a_mistake_in_a_step_cell_leaves_the_pipeline_as_it_is(notebook: Notebook, text: str) -> None:
    study(notebook)
    notebook.cell(text, "a")
    assert steps(notebook) == ["load", "use"]


def test_other_plain_cells_take_nothing_out(notebook: Notebook) -> None:
    study(notebook)
    notebook.cell("rows = [1]", "c")
    notebook.cell("", "")
    notebook.run("get_ipython().run_cell('x = 1')")
    notebook.cell("get_ipython().run_cell('y = 1')", "c")
    assert steps(notebook) == ["load", "use"]


def test_an_empty_cell_after_a_step_takes_only_its_own_step_out(notebook: Notebook) -> None:
    study(notebook)
    notebook.cell("", "c")
    assert steps(notebook) == ["load", "use"]


def test_a_step_comes_back_with_its_cell_and_finds_its_results(notebook: Notebook) -> None:
    study(notebook)
    notebook.cell("rows = [1, 2]", "a")
    assert steps(notebook) == ["use"]
    assert notebook.cell(LOAD, "a").status == "cached"
    assert sorted(steps(notebook)) == ["load", "use"]


def test_a_step_renamed_in_its_cell_replaces_the_old_name(notebook: Notebook) -> None:
    study(notebook)
    notebook.cell(LOAD.replace("load", "fetch"), "a")
    assert steps(notebook) == ["fetch", "use"]


def test_a_step_is_forgotten_on_request_and_keeps_its_records_and_artifacts(notebook: Notebook) -> None:
    study(notebook)
    (ran,) = notebook.run("%pipeline forget load")
    said: Any = ran.displays[0]["data"]["text/plain"]
    assert said == (
        "step 'load' has left the pipeline; its records and artifacts stay, and running its cell brings it back."
    )
    assert steps(notebook) == ["use"]
    assert notebook.cell("%artifacts load rows").result == [1, 2]
    assert notebook.cell(LOAD, "a").status == "cached"


def test_an_unknown_step_cannot_be_forgotten(notebook: Notebook) -> None:
    study(notebook)
    assert "no step 'laod'; did you mean 'load'" in str(notebook.cell("%pipeline forget laod").error)


def save(path: Path, *cells: str, later: float) -> None:
    found: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": each,
            "source": "",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for each in cells
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found}))
    moment = path.stat().st_mtime + later
    os.utime(path, (moment, moment))


def test_the_steps_of_deleted_cells_leave_once_the_notebook_is_saved(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.ipynb"
    monkeypatch.setenv("ZENNB_NOTEBOOK", str(path))
    save(path, "a", "b", later=-100)
    study(notebook)
    assert steps(notebook) == ["load", "use"]
    save(path, "b", later=-100)
    assert steps(notebook) == ["load", "use"], "saved before it ran: the file knows nothing of it yet"
    save(path, "b", later=100)
    assert steps(notebook) == ["use"]
    save(path, "b", "a", later=100)
    assert steps(notebook) == ["load", "use"], "the cell is back"
