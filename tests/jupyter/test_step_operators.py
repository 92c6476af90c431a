"""`%%step --on NAME`: one step on another orchestrator than the stack's, with the same artifact store."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import zennb
from zennb import api
from zennb.errors import InUse, StepRefused, UnfitStack, UnknownName

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.kernel  # workers are started

ROWS = "%%step load\nimport os\nrows = [1, 2, 3]\nhere = os.getpid()"
TRAIN = "%%step train --on big\nimport os\ntotal = sum(rows)\nthere = os.getpid()"
USE = "%%step use\ndoubled = 2 * total\nback = os.getpid()"


@pytest.fixture
def operated(notebook: Notebook) -> Notebook:
    """Return a notebook with the step operator `big`, whose steps run in other processes."""
    notebook.run("%step-operator register big --flavor=processes --workers=1")
    return notebook


def last(notebook: Notebook, name: str) -> Any:
    return api.workspace().metadata.previous(name, notebook.shell.zennb_step.notebook)


def plan_of(notebook: Notebook, line: str = "%pipeline status --json") -> dict[str, dict[str, Any]]:
    (ran,) = notebook.run(line)
    data = json.loads(ran.displays[0]["data"]["text/plain"])["data"]
    return {step["name"]: step for step in data["steps"]}


def test_one_step_runs_elsewhere_with_the_same_store_and_the_others_stay(operated: Notebook) -> None:
    load, train, use = operated.run(ROWS, TRAIN, USE)
    assert operated.ns["total"] == 6
    assert operated.ns["doubled"] == 12
    assert operated.ns["here"] == operated.ns["back"] == os.getpid() != operated.ns["there"]
    assert [ran.facts.get("ran_on") for ran in (load, train, use)] == [None, "big (processes)", None]
    assert "on big (processes)" in train.displays[-1]["data"]["text/plain"]
    assert [last(operated, name).ran_on for name in ("load", "train", "use")] == ["", "big (processes)", ""]
    run = last(operated, "train").run
    assert "on big (processes)" in operated.run(f"%runs show {run}")[0].displays[0]["data"]["text/plain"]


@pytest.mark.parametrize("cells", [("%pipeline run",), ("%pipeline run --rerun",), (ROWS, TRAIN, USE)])
def test_where_a_step_runs_is_no_part_of_its_cache_key(operated: Notebook, cells: tuple[str, ...]) -> None:
    operated.run(ROWS, TRAIN.replace(" --on big", ""), USE)
    key = last(operated, "train").cache_key
    operated.run(TRAIN)  # another first line, and nothing else
    assert last(operated, "train").status == "cached"
    operated.run(*cells)
    again = last(operated, "train")
    assert again.cache_key == key
    ran = "--rerun" in cells[0]
    assert (again.status, again.ran_on) == (("completed", "big (processes)") if ran else ("cached", ""))
    operated.restart()
    ran_again = operated.run("import os", ROWS, TRAIN, USE)
    assert [each.status for each in ran_again[1:]] == ["cached"] * 3


def test_a_pipeline_run_sends_it_there_and_the_plan_says_so(operated: Notebook) -> None:
    operated.run(ROWS, TRAIN, USE, "%pipeline run --rerun")
    steps = {step.name: step for step in api.workspace().metadata.steps(last(operated, "train").run)}
    assert [steps[name].ran_on for name in ("load", "train", "use")] == ["", "big (processes)", ""]
    assert operated.ns["there"] != os.getpid() == operated.ns["back"]
    assert plan_of(operated)["train"]["on"] == ""  # it would be reused: it runs nowhere
    operated.run(TRAIN.replace("sum(rows)", "sum(rows) + 1").replace("--on big", "--on big --rerun"))
    assert plan_of(operated)["train"]["on"] == "big (processes)"
    (explained,) = operated.run("%pipeline explain train")
    assert "on big (processes)" in explained.displays[0]["data"]["text/plain"]


def test_the_stacks_own_step_operator_comes_first_and_then_orchestrators_too(operated: Notebook) -> None:
    operated.run(
        "%orchestrator register big --flavor=threads", "%orchestrator register side --flavor=threads"
    )
    operated.run("%stack register s -o default -a default -s big --set", ROWS)
    assert operated.run(TRAIN)[0].facts["ran_on"] == "big (processes)"
    assert operated.run(TRAIN.replace("big", "side --rerun"))[0].facts["ran_on"] == "side (threads)"
    assert "ran_on" not in operated.run(TRAIN.replace("big", "default --rerun"))[0].facts


def test_a_name_that_nobody_has_gives_the_list_and_is_not_needed_for_reuse(operated: Notebook) -> None:
    operated.run(ROWS)
    ran = operated.cell(TRAIN.replace("big", "nowhere"))
    assert isinstance(ran.error, UnknownName)
    assert str(ran.error) == (
        "no step operator or orchestrator 'nowhere'; known: big, default. List them with `%step-operator list` and "
        "`%orchestrator list`."
    )
    assert "total" not in operated.ns
    planned = plan_of(operated)["train"]
    assert planned["state"] == "stale"
    assert "no step operator or orchestrator 'nowhere'" in planned["reason"]
    operated.run(TRAIN)
    assert operated.run(TRAIN.replace("big", "nowhere"))[0].status == "cached"


def test_a_run_whose_step_cannot_be_placed_goes_on_with_the_others(operated: Notebook) -> None:
    operated.run(ROWS, TRAIN, "%%step alone\nother = 1", "%step-operator delete big")
    ran = operated.cell("%pipeline run --rerun")
    assert isinstance(ran.error, UnknownName)
    assert last(operated, "alone").status == "completed"
    assert last(operated, "train").status == "failed"


@pytest.mark.parametrize("line", ["!echo {total}", "%time total = 3", "total = !echo 3"])
def test_magic_and_shell_lines_are_refused_by_line_before_anything_runs(
    operated: Notebook, line: str
) -> None:
    operated.run(ROWS)
    ran = operated.cell(f"%%step train --on big\ntotal = sum(rows)\n{line}")
    assert isinstance(ran.error, StepRefused)
    assert "step 'train', line 3" in str(ran.error)
    assert "`--on big (processes)` runs steps elsewhere" in str(ran.error)


def test_what_runs_in_the_kernel_may_have_them_on_any_stack(operated: Notebook) -> None:
    operated.run(
        "%stack register away -o default -a default", "%orchestrator register away --flavor=processes"
    )
    operated.run("%stack update away -o away", "%stack set away", ROWS)
    ran = operated.run("%%step train --on default\ntotal = sum(rows)\nlisting = !echo 3")[0]
    assert ran.facts["ran_on"] == "default (local)"
    assert list(operated.ns["listing"]) == ["3"]


@pytest.mark.parametrize("how", ["-s", "--on"])
def test_workers_that_cannot_reach_the_store_are_refused(operated: Notebook, how: str) -> None:
    operated.run("%artifact-store register mem --flavor=memory", "%stack register m -o default -a mem --set")
    ran = operated.cell("%stack update m -s big" if how == "-s" else "%%step train --on big\ntotal = 3")
    assert isinstance(ran.error, UnfitStack)
    assert "'big' runs steps on this machine, but its artifact store 'mem' can be reached only" in str(
        ran.error
    )
    assert "total" not in operated.ns


def test_it_is_a_component_like_any_other(operated: Notebook) -> None:
    operated.run("%stack register s -o default -a default -s big --set")
    card, listing, types = operated.run("%stack", "%step-operator list", "%zennb components")
    for ran in (card, listing):
        assert "big" in ran.displays[0]["data"]["text/plain"]
    row = next(
        line
        for line in types.displays[0]["data"]["text/plain"].splitlines()
        if line.startswith("step operator")
    )
    assert "not supported yet" not in row
    assert isinstance(operated.cell("%step-operator delete big").error, InUse)
    operated.run("%stack update s --remove step-operator", "%step-operator delete big")


def test_an_error_of_a_step_there_is_the_steps_own(operated: Notebook) -> None:
    ran = operated.cell("%%step train --on big\nrate = 0\n1 / rate")
    assert isinstance(ran.error, ZeroDivisionError)
    assert (ran.facts["status"], ran.facts["ran_on"]) == ("failed", "big (processes)")
    assert "rate" not in operated.ns


def test_a_notebook_file_is_planned_and_run_in_the_same_way(operated: Notebook, tmp_path: Path) -> None:
    cells = ["%load_ext zennb", ROWS, TRAIN, USE]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells]),
        tmp_path / "study.ipynb",
    )
    before = zennb.plan("study.ipynb")
    assert {step.name: step.on for step in before.steps} == {
        "load": "",
        "train": "big (processes)",
        "use": "",
    }
    zennb.run("study.ipynb")
    ran = {step.name: step.ran_on for run in zennb.runs() for step in run.steps}
    assert ran == {"load": "", "train": "big (processes)", "use": ""}
    operated.run("%step-operator delete big")
    train = zennb.plan("study.ipynb").step("train")
    assert train is not None
    assert (train.state, train.on) == ("fresh", "")  # its results are there, wherever they were computed
    edited = json.loads((tmp_path / "study.ipynb").read_text().replace("sum(rows)", "sum(rows) + 1"))
    (tmp_path / "study.ipynb").write_text(json.dumps(edited))
    stale = zennb.plan("study.ipynb").step("train")
    assert stale is not None
    assert "no step operator or orchestrator 'big'" in stale.reason
