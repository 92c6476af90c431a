"""Freeing space beside a notebook: what the kernel needs stays, what went runs again and says why, and the warning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.space.conftest import set_back
from zennb import api
from zennb.core.records.space import PruneRule
from zennb.registry.workspace import Workspace
from zennb.space.prune import prune

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

EDITS = 6


def edit(number: int) -> str:
    return f"%%step load\ndata = bytes([{number}]) * 200_000\nprint('made', {number})"


def size(notebook: Notebook) -> int:
    found: Any = notebook.run("import zennb\nzennb.usage().size")[0].result
    return int(found)


def test_of_many_edits_of_one_output_only_the_last_ones_are_kept(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(*(edit(number) for number in range(EDITS)))
    set_back(tmp_path / "home" / "artifacts", 3600)
    before = size(notebook)
    (dry,) = notebook.run("%artifacts prune --keep 3")
    assert size(notebook) == before
    assert "would be deleted" in str(dry.displays)
    notebook.run("%artifacts prune --keep 3 --yes")
    assert size(notebook) < before * 0.6
    again, older, oldest = notebook.run(edit(EDITS - 1), edit(EDITS - 3), edit(0))
    assert [again.status, older.status, oldest.status] == ["cached", "cached", "completed"]
    assert oldest.reason == "`data v1` was deleted to free space"
    assert notebook.ns["data"] == bytes(200_000)
    (shown,) = notebook.run("%artifacts show data --version 2")
    assert "to free space" in str(shown.displays)


def test_what_an_open_kernel_has_not_loaded_yet_is_not_deleted(notebook: Notebook, tmp_path: Path) -> None:
    cells = "%%step big\nimport numpy as np\nx = np.arange(100_000)", "%%step more\ny = x * 2"
    notebook.run(*cells)
    notebook.restart()
    notebook.run(*cells)
    assert "y" not in notebook.ns
    set_back(tmp_path / "home" / "artifacts", 86_400 * 9)
    other = Workspace(tmp_path / "home")
    try:
        assert prune(other, PruneRule(to=0), delete=True).deleted == ()
    finally:
        other.close()
    (ran,) = notebook.run("last = int(y[-1])")
    assert (notebook.ns["last"], ran.displays) == (199_998, [])


def free(*digests: str) -> None:
    """Delete bytes as a prune does that leaves out what a kernel needs."""
    opened = api.workspace()
    opened.metadata.space.note_freed("default", dict.fromkeys(digests, 1))
    for digest in digests:
        assert opened.open().store.delete(digest)


@pytest.mark.parametrize("what", ["`data v1`", "what it showed"])
def test_a_plan_says_that_deleted_results_make_a_step_run_and_the_run_says_the_same(
    notebook: Notebook, what: str
) -> None:
    notebook.run(edit(0))
    step: Any = api.workspace().metadata.latest_steps("")[0]
    free(step.displays if what == "what it showed" else step.outputs["data"].blob)
    (planned,) = notebook.run(
        "import zennb\nplanned = zennb.plan().step('load')\n(planned.state, planned.reason)"
    )
    reason = f"{what} was deleted to free space"
    assert planned.result == ("stale", reason)
    (ran,) = notebook.run(edit(0))
    assert (ran.status, ran.reason, ran.out) == ("completed", reason, "made 0\n")
    assert notebook.run(edit(0))[0].status == "cached"
    assert api.workspace().metadata.space.freed([step.displays, step.outputs["data"].blob]) == {}


def test_what_a_step_showed_says_in_logs_that_it_was_deleted(notebook: Notebook) -> None:
    notebook.run(edit(0))
    step: Any = api.workspace().metadata.latest_steps("")[0]
    free(step.displays)
    (shown,) = notebook.run("%runs logs 1")
    assert "what step 'load' showed was deleted to free space" in str(shown.displays)


def test_a_store_that_is_nearly_full_warns_in_one_line_once(notebook: Notebook) -> None:
    notebook.run(
        "%artifact-store register small --flavor=local --max_size=1MB",
        "%stack register small -o default -a small --set",
    )
    shown = [
        str(
            [
                display["data"].get("text/plain")
                for display in ran.displays
                if "zennb" not in display["metadata"]
            ]
        )
        for ran in notebook.run(*(edit(number) for number in range(6)))
    ]
    said = [line for line in shown if "of its limit of 1MB" in line]
    assert len(said) == 1
    assert re.search(r"artifact store 'small' holds 8\d% of its limit", said[0])
    assert shown.index(said[0]) == 3


def test_a_run_of_the_pipeline_warns_too(notebook: Notebook) -> None:
    notebook.run(
        edit(0),
        "%artifact-store register small --flavor=local --max_size=200kB",
        "%stack register small -o default -a small --set",
    )
    (ran,) = notebook.run("%pipeline run")
    assert "of its limit of 200kB" in str(ran.displays)
