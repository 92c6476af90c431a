"""Steps that load artifacts and models by name depend on what the name stands for."""

from __future__ import annotations

from typing import Any

import pytest

import zennb

Notebook = Any

IMPORT = "import zennb"
USE = "%%step use\ny = zennb.load({name!r})"


def used(notebook: Notebook, name: str) -> tuple[str, object]:
    ran = notebook.cell(USE.format(name=name))
    assert ran.error is None
    return ran.status, notebook.ns["y"]


def states(notebook: Notebook) -> dict[str, str]:
    found = notebook.cell("%pipeline status --json").displays[-1]["data"]["application/vnd.zennb+json"]
    return {step["name"]: step["state"] for step in found["data"]["steps"]}


def test_a_step_runs_again_when_the_artifact_that_it_loads_is_another(notebook: Notebook) -> None:
    notebook.run(IMPORT, "%%step make\nx = [1]")
    assert used(notebook, "x") == ("completed", [1])
    assert used(notebook, "x") == ("cached", [1])
    notebook.cell("%%step make\nx = [2]")
    ran = notebook.cell(USE.format(name="x"))
    assert (ran.status, ran.reason) == ("completed", "zennb.load('x') changed")
    assert notebook.ns["y"] == [2]
    notebook.cell("%%step make\nx = [1]")
    assert used(notebook, "x") == ("cached", [1])


def test_a_step_runs_again_when_an_alias_moves(notebook: Notebook) -> None:
    notebook.cell(IMPORT)
    for number in (1, 2):
        notebook.run(f"%%step make\nx = [{number}]", "%model register pair --from x")
    notebook.cell("%model alias pair@1 best")
    assert used(notebook, "pair@best") == ("completed", [1])
    notebook.restart()
    notebook.cell(IMPORT)
    assert used(notebook, "pair@best") == ("cached", [1])
    notebook.cell("%model alias pair@2 best")
    assert used(notebook, "pair@best") == ("completed", [2])
    notebook.cell("%model alias pair@1 best")
    assert used(notebook, "pair@best") == ("cached", [1])


def test_the_newest_version_counts_for_a_model_without_alias(notebook: Notebook) -> None:
    notebook.run(IMPORT, "%%step make\nx = [1]", "%model register pair --from x")
    assert used(notebook, "pair") == ("completed", [1])
    assert used(notebook, "pair") == ("cached", [1])
    notebook.run("%%step make\nx = [2]", "%model register pair --from x")
    assert used(notebook, "pair") == ("completed", [2])


@pytest.mark.parametrize("name", ["x@1", "x@v1"])
def test_a_version_does_not_change(notebook: Notebook, name: str) -> None:
    notebook.run(IMPORT, "%%step make\nz = [1]", "%model register x --from z")
    assert used(notebook, name) == ("completed", [1])
    notebook.run("%%step make\nz = [2]", "%model register x --from z")
    assert used(notebook, name) == ("cached", [1])


def test_a_step_that_found_nothing_runs_again_when_there_is_something(notebook: Notebook) -> None:
    text = "%%step use\ntry:\n    y = zennb.load('x')\nexcept LookupError:\n    y = 'nothing'"
    notebook.cell(IMPORT)
    assert (notebook.cell(text).status, notebook.ns["y"]) == ("completed", "nothing")
    assert notebook.cell(text).status == "cached"
    notebook.cell("%%step make\nx = [1]")
    assert (notebook.cell(text).status, notebook.ns["y"]) == ("completed", [1])


def test_a_helper_that_loads_is_seen_too(notebook: Notebook) -> None:
    notebook.run(IMPORT, "def fetch():\n    return zennb.load('x')", "%%step make\nx = [1]")
    text = "%%step use\ny = fetch()"
    assert notebook.cell(text).status == "completed"
    assert notebook.cell(text).status == "cached"
    notebook.cell("%%step make\nx = [2]")
    assert (notebook.cell(text).status, notebook.ns["y"]) == ("completed", [2])


def test_the_status_of_a_pipeline_says_what_its_run_does(notebook: Notebook) -> None:
    notebook.run(IMPORT, "n = 1", "%%step make\nx = [n]")
    assert used(notebook, "x") == ("completed", [1])
    assert states(notebook) == {"make": "fresh", "use": "fresh"}
    notebook.cell("n = 2")
    assert states(notebook) == {"make": "stale", "use": "may run"}
    notebook.cell("%pipeline run")
    assert notebook.ns["y"] == [2]
    notebook.cell("n = 1")  # now `x` is [2], and the run reuses the step that makes [1]
    assert states(notebook) == {"make": "fresh", "use": "fresh"}
    notebook.cell("%pipeline run")
    assert notebook.ns["y"] == [1]


def test_a_step_that_loads_nothing_notes_nothing(notebook: Notebook) -> None:
    notebook.run("%%step make\nx = [1]")
    (run,) = zennb.runs()
    assert not any("zennb.load" in name for step in run.steps for name in step.observed.settings)


@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_a_run_loads_what_the_steps_before_have_just_made(notebook: Notebook, flavor: str) -> None:
    notebook.run(
        f"%orchestrator register mine --flavor={flavor}",
        "%stack register other -o mine -a default --set",
        IMPORT,
        "n = 1",
        "%%step make\nimport time\ntime.sleep(0.05)\nx = [n]",
        USE.format(name="x"),
    )
    for number in (2, 3):
        notebook.run(f"n = {number}", "%pipeline run")
        assert notebook.ns["y"] == [number]
