"""Results of kernels that did not know their notebook (papermill, `jupyter execute`), found by one that does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.commands.file_pipeline import NotebookFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

CELLS = {"a": "%%step load\nrows = [1, k]", "b": "%%step total\ntotal = sum(rows)"}


@pytest.fixture
def path(notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run a study in a kernel that does not know its notebook, and return the notebook for a kernel that does."""
    notebook.run("k = 2", *CELLS.values())
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": at,
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for at, text in {"k": "k = 2", **CELLS}.items()
    ]
    found = tmp_path / "study.ipynb"
    found.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    notebook.restart()
    monkeypatch.setenv("ZENNB_NOTEBOOK", str(found))
    return found


def steps(notebook: Notebook) -> dict[str, Any]:
    (ran,) = notebook.run("%pipeline status --json")
    return {step["name"]: step for step in json.loads(ran.displays[0]["data"]["text/plain"])["data"]["steps"]}


def test_the_file_knows_the_results(notebook: Notebook, path: Path) -> None:
    found = NotebookFile(path)
    assert {name: step.run for name, step in found.records(api.workspace()).items()} == {
        "load": 1,
        "total": 1,
    }


def test_the_kernel_gives_reasons_that_compare_with_the_results(notebook: Notebook, path: Path) -> None:
    notebook.run("k = 3")
    ran = notebook.cell(CELLS["a"], "a")
    assert (ran.status, ran.reason) == ("completed", "input `k` changed")


def test_the_status_names_the_latest_run_of_a_step_that_is_reused(notebook: Notebook, path: Path) -> None:
    notebook.run("k = 2")
    assert notebook.cell(CELLS["a"], "a").status == "cached"
    assert notebook.cell(CELLS["b"], "b").status == "cached"
    assert {name: (step["state"], step["run"]) for name, step in steps(notebook).items()} == {
        "load": ("fresh", 2),
        "total": ("fresh", 2),
    }


def test_status_and_explain_compare_with_results_of_no_notebook(
    notebook: Notebook, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZENNB_NOTEBOOK")
    notebook.run("k = 2", *CELLS.values())
    monkeypatch.setenv(
        "ZENNB_NOTEBOOK", str(path)
    )  # this kernel has seen the steps, its notebook has no record
    assert {name: (step["state"], step["run"]) for name, step in steps(notebook).items()} == {
        "load": ("fresh", 2),
        "total": ("fresh", 2),
    }
    notebook.run("k = 5")
    found = steps(notebook)
    assert (found["load"]["run"], found["load"]["reason"]) == (2, "input `k` changed")
    (ran,) = notebook.run("%pipeline explain load")
    text = ran.displays[0]["data"]["text/plain"]
    assert "- input `k` changed" in text
    assert "compared with run 2" in text


def test_another_notebooks_step_of_the_same_name_is_not_taken_for_it(notebook: Notebook, path: Path) -> None:
    ran = notebook.cell("%%step load\nrows = ['something else']", "a")
    assert ran.reason == "first run"
