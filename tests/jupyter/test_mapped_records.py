"""Mapped steps in pipelines, listings and options: their elements are parts of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tests.jupyter.mapped import FRAME, IMPORTS, elements_run, use
from zennb import api
from zennb.components.artifact_stores.local import LocalArtifactStore

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_a_mapped_step_is_a_step_of_the_pipeline(notebook: Notebook, flavor: str) -> None:
    notebook.run(
        *use(flavor),
        "n = 3",
        "%%step make\nxs = list(range(n))",
        "%%step mapped --map xs\nsquare = xs * xs",
        "%%step total\nsum_of = sum(square)",
    )
    assert notebook.ns["sum_of"] == 5
    before = elements_run()
    notebook.run("%pipeline run -p n=4")
    assert notebook.ns["sum_of"] == 14
    assert elements_run() == before + 1
    notebook.restart()
    notebook.run(
        "n = 4",
        "%%step make\nxs = list(range(n))",
        "%%step mapped --map xs\nsquare = xs * xs",
        "%pipeline run",
    )
    assert notebook.ns["square"] == [0, 1, 4, 9]
    assert elements_run() == before + 1


def test_steps_run_in_the_order_of_the_notebook(notebook: Notebook) -> None:
    notebook.run(
        "import time\nxs = [1, 2]",
        "%%step first --map xs\nbegun = time.time()",
        "%%step second\nlater = time.time()",
        "%pipeline run --rerun",
    )
    assert notebook.ns["later"] > max(notebook.ns["begun"])


def test_elements_are_no_steps_and_no_artifacts_of_their_own(notebook: Notebook) -> None:
    notebook.run("import zennb\nxs = [1, 2]", "%%step mapped --map xs\ny = xs * 2")
    notebook.run("names = [each.name for each in zennb.artifacts()]", "loaded = zennb.load('y')")
    assert sorted(notebook.ns["names"]) == ["xs", "y"]
    assert notebook.ns["loaded"] == [2, 4]
    assert zennb_run().names == {"mapped": "completed"}
    notebook.run("element = zennb.load('y[1]')")
    assert notebook.ns["element"] == 4
    # A failed run does not change what the name stands for.
    assert notebook.cell("%%step mapped --map xs\ny = xs / (xs - 1)").error is not None
    notebook.run("loaded = zennb.load('y')")
    assert notebook.ns["loaded"] == [2, 4]


def zennb_run() -> Any:
    return api.workspace().metadata.runs(limit=1)[0]


def test_expired_results_are_made_again_element_by_element(notebook: Notebook) -> None:
    cell = "%%step mapped --map xs\ny = xs * 2"
    notebook.run("xs = [1, 2]", cell, "%artifacts expire y")
    (ran,) = notebook.run(cell)
    assert "2 elements ran" in ran.reason


@pytest.mark.parametrize(
    ("option", "ran"), [("--rerun", 2), ("--no-cache", 2), ("--retries 1", 0), ("--expires 1d", 0)]
)
def test_options_hold_for_each_element(notebook: Notebook, option: str, ran: int) -> None:
    notebook.run("xs = [1, 2]", "%%step mapped --map xs\ny = xs * 2")
    before = elements_run()
    notebook.run(f"%%step mapped --map xs {option}\ny = xs * 2")
    assert elements_run() - before == ran


def test_each_element_is_tried_again(notebook: Notebook) -> None:
    cell = "%%step mapped --map xs --retries 2\nfrom pathlib import Path\n_seen = Path(f'seen{xs}')\n"
    cell += "if not _seen.exists():\n    _seen.touch()\n    1 / 0\ny = xs"
    notebook.run("xs = [1, 2]", cell)
    assert notebook.ns["y"] == [1, 2]


def test_damaged_results_of_one_element_are_made_again(notebook: Notebook) -> None:
    cell = "%%step mapped --map xs\nimport numpy as np\ny = np.full(20_000, xs)"
    notebook.run("xs = [1, 2]", cell)
    metadata = api.workspace().metadata
    (step,) = [each for each in metadata.steps(1) if each.name == "mapped[1]"]
    api.workspace().open().store.free([step.outputs["y"].blob], before=1e12)
    (ran,) = notebook.run("xs = [2, 1]", cell)[1:]
    assert "1 of 2 elements ran, 1 cached" in ran.reason
    notebook.run("found = [int(each[0]) for each in y]")
    assert notebook.ns["found"] == [2, 1]


def test_a_comment_makes_a_mapped_step_too(notebook: Notebook) -> None:
    notebook.run("xs = [1, 2]", "#| step: mapped --map xs\ny = xs * 2")
    assert notebook.ns["y"] == [2, 4]


def test_frames_of_groups_are_results(notebook: Notebook) -> None:
    notebook.run(IMPORTS, FRAME, "groups = frame.groupby('k')")
    notebook.run(
        "%%step fit --map groups\nkey, group = groups\nmean = group.v.mean()",
        "table = pd.Series(mean, index=key)",
    )
    pd.testing.assert_series_equal(notebook.ns["table"], pd.Series([2.0, 2.0], index=["a", "b"]))


def test_elements_that_run_elsewhere_are_stored_together(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    put_all = LocalArtifactStore.put_all

    def noted(store: LocalArtifactStore, blobs: Any) -> list[str]:
        asked.append(len(blobs))
        return put_all(store, blobs)

    notebook.run(*use("processes"), "xs = list(range(64))")
    monkeypatch.setattr(LocalArtifactStore, "put_all", noted)
    (ran,) = notebook.run("%%step mapped --map xs\nsquare = xs * xs")
    assert ran.status == "completed"
    assert notebook.ns["square"] == [x * x for x in range(64)]
    # One by one at first, so that workers need not wait; then up to 32.
    assert {2, 4, 8, 16, 32} <= set(asked)
    notebook.restart()
    notebook.run("xs = list(range(64))", "%%step mapped --map xs\nsquare = xs * xs")
    assert elements_run() == 64
