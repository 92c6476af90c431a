"""Plain cells that change what a step made: named by `%pipeline status`, `show` and `explain`, before anything runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MAKERS = ("%%step load\nrows = [1, 2]", "%%step train\nmodel = sum(rows)")


def status(notebook: Notebook) -> dict[str, Any]:
    (ran,) = notebook.run("%pipeline status --json")
    found = json.loads(ran.displays[0]["data"]["text/plain"])["data"]
    return {step["name"]: step for step in found["steps"]}


def text(notebook: Notebook, command: str) -> str:
    (ran,) = notebook.run(command)
    return str(ran.displays[0]["data"]["text/plain"])


def test_stale_steps_are_told_with_the_reason_before_anything_runs(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "%%step report\nprint(model)", "%%step load\nrows = [5]")
    assert text(notebook, "%pipeline").splitlines()[-2:] == [
        "△ train  stale: input `rows` changed",
        "◇ report  may run: needs step 'train', which would run again",
    ]
    assert notebook.ns["model"] == 3


DEEDS = {
    "rows.append(3)": "changed",
    "rows[0] = 9": "changed",
    "rows += [3]": "changed",
    "rows = [5]": "changed",
    "for rows in [[5]]: pass": "changed",
    "def rows(): ...": "changed",
    "rows = (n for n in range(3))": "changed",
    "del rows": "deleted",
    "%%time\nrows.append(3)": "changed",
    "#| step: off\nrows.append(3)": "changed",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_the_plain_cell_that_changed_an_output_is_named(notebook: Notebook, deed: str) -> None:
    notebook.run("w = 1", *MAKERS, "len(rows)", deed, "x = 1", "%pipeline")
    found = status(notebook)
    assert (
        found["load"]["remark"] == f"`rows` was {DEEDS[deed]} by a plain cell [5] after step 'load' made it"
    )
    assert found["load"]["state"] == "fresh"
    # A run gives it what `load` made; a function of that name is code, whoever is asked.
    assert found["train"]["state"] == ("stale" if deed.startswith("def") else "fresh")
    if found["train"]["state"] == "stale":
        return
    assert (
        found["train"]["remark"] == f"run as a cell it would read `rows` as {DEEDS[deed]} by a plain cell [5]"
    )


def test_a_change_inside_a_function_is_found(notebook: Notebook) -> None:
    notebook.run("def helper(): rows.append(3)", *MAKERS, "x = 1", "helper()", "y = 2")
    assert "by a plain cell [5] after" in status(notebook)["load"]["remark"]


def test_it_stands_in_every_view(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "rows.append(3)")
    sentence = "`rows` was changed by a plain cell [3] after step 'load' made it"
    assert "plain cell [3] after step" in text(notebook, "%pipeline status")
    assert f"load  fresh: {sentence}" in text(notebook, "%pipeline show")
    assert f"- {sentence}" in text(notebook, "%pipeline explain train")


def test_a_value_with_another_name_is_followed(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "alias = rows", "x = 1", "alias.append(3)")
    assert "by a plain cell [5] after" in status(notebook)["load"]["remark"]


def test_cells_that_cannot_be_told_apart_are_all_named(notebook: Notebook) -> None:
    notebook.run("def edit(v): v.insert(0, 0)\ndef see(v): ...", *MAKERS, "see(rows)", "edit(rows)", "y = 1")
    assert "by plain cells [4] or [5] after" in status(notebook)["load"]["remark"]


def test_all_that_plainly_changed_it_are_named(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "rows.append(3)", "print(rows)", "rows.append(4)")
    assert "by plain cells [3] and [5] after" in status(notebook)["load"]["remark"]


HARMLESS = ("rows", "rows.count(1)", "rows = list(rows)", "rows.append(3)\nrows.pop()", "other = [1]")


@pytest.mark.parametrize("cell", HARMLESS)
def test_a_cell_that_leaves_the_value_is_not_named(notebook: Notebook, cell: str) -> None:
    notebook.run(*MAKERS, cell)
    assert [step["remark"] for step in status(notebook).values()] == ["", ""]


def test_a_step_that_changes_it_is_no_plain_cell(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "%%step grow\nrows.append(3)", "x = 1")
    assert [step["remark"] for step in status(notebook).values()] == ["", "", ""]
    notebook.run("rows.append(4)")
    assert "after step 'grow' made it" in status(notebook)["grow"]["remark"]


def test_running_the_step_again_settles_it(notebook: Notebook) -> None:
    notebook.run(*MAKERS, "rows.append(3)", MAKERS[0])
    assert [(step["remark"], step["state"]) for step in status(notebook).values()] == [("", "fresh")] * 2


def test_the_value_that_a_plain_cell_replaced_is_let_go_of(notebook: Notebook) -> None:
    import gc
    import weakref

    notebook.run("%%step load\nimport numpy as np\nrows = np.arange(10)")
    held = weakref.ref(notebook.ns["rows"])
    notebook.run("rows = None")
    gc.collect()
    assert held() is None
    assert "[2]" in status(notebook)["load"]["remark"]


def test_a_large_output_of_a_run_that_waits_to_be_named_is_not_deleted(notebook: Notebook) -> None:
    notebook.run(
        "import numpy as np",
        "%orchestrator register t --flavor=threads\n%stack register s -o t -a default --set",
        "%%step make\nlarge = np.zeros(3_000_000)",
        "%%step add\nlarge[0] += 1",
        "%pipeline run --rerun",
    )
    assert "large" not in notebook.ns
    assert "plain cell" not in text(notebook, "%pipeline status")
    notebook.run("del large")
    assert "deleted by a plain cell" in " ".join(text(notebook, "%pipeline status").split())
