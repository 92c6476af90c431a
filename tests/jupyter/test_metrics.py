"""`zennb.log` in steps: what is on record, comes back on reuse, and is said outside of a step."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

import zennb
from zennb import api

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

TRAIN = """%%step train
for epoch in range(3):
    zennb.log(loss=1 / (epoch + 1), step=epoch)
zennb.log(accuracy=0.5)
model = 1"""


def _logged(step: str) -> list[tuple[str, dict[str, float]]]:
    """Return state and last metrics of all records of a step, newest first."""
    found = [each.record for run in zennb.runs() for each in reversed(run.steps) if each.name == step]
    return [
        (each.status.value, {name: metric.last for name, metric in each.metrics.items()}) for each in found
    ]


def test_what_a_step_logs_is_on_record_and_comes_back_on_reuse(notebook: Notebook) -> None:
    notebook.run("import zennb", TRAIN)
    notebook.restart()
    notebook.run("import zennb", TRAIN)
    expected = {"accuracy": 0.5, "loss": 1 / 3}
    assert _logged("train") == [("cached", expected), ("completed", expected)]
    loss = next(each.record for run in zennb.runs() for each in run.steps).metrics["loss"]
    assert loss.points == ((0, 1.0), (1, 0.5), (2, 1 / 3))


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
def test_a_step_logs_wherever_it_runs(notebook: Notebook, flavor: str) -> None:
    notebook.run("import zennb", "%load_ext zennb")
    if flavor != "local":
        notebook.run(
            f"%orchestrator register other --flavor={flavor}",
            "%stack register s -o other -a default",
            "%stack set s",
        )
    notebook.run(TRAIN)
    assert _logged("train") == [("completed", {"accuracy": 0.5, "loss": 1 / 3})]


def test_what_was_logged_before_an_error_is_kept(notebook: Notebook) -> None:
    notebook.run("import zennb")
    assert notebook.cell("%%step train\nzennb.log(loss=2)\n1 / 0").error is not None
    assert _logged("train") == [("failed", {"loss": 2.0})]


def test_threads_of_a_step_log_for_it(notebook: Notebook) -> None:
    notebook.run(
        "import zennb\nfrom concurrent.futures import ThreadPoolExecutor",
        "%%step train\nwith ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(lambda n: zennb.log(n=n), range(100)))\ndone = 1",
    )
    record = next(each.record for run in zennb.runs() for each in run.steps)
    assert record.metrics["n"].count == 100


def test_a_helper_logs_for_the_step_that_calls_it(notebook: Notebook) -> None:
    notebook.run(
        "import zennb",
        "def report(value):\n    zennb.log({'loss/train': value})",
        "%%step train\nreport(3)\ny = 1",
    )
    assert _logged("train") == [("completed", {"loss/train": 3.0})]


def test_outside_of_a_step_a_warning_says_that_nothing_is_logged(notebook: Notebook) -> None:
    notebook.run("import zennb")
    with pytest.warns(UserWarning, match="zennb.log works in a step, and this is none"):
        notebook.run("zennb.log(accuracy=1)")


def test_a_value_that_is_no_number_fails_the_step_with_one_sentence(notebook: Notebook) -> None:
    notebook.run("import zennb")
    error = notebook.cell("%%step train\nzennb.log(accuracy='good')").error
    assert str(error).startswith("metric 'accuracy' is a str; a metric is one number.")


def test_more_metrics_than_a_record_holds_are_refused(notebook: Notebook) -> None:
    notebook.run("import zennb")
    error = notebook.cell("%%step train\nfor n in range(201):\n    zennb.log({f'loss {n}': n})").error
    assert "logs more than 200 different metrics, and 'loss 200' is one too many" in str(error)


def test_a_forged_metric_breaks_the_seal(notebook: Notebook) -> None:
    notebook.run("import zennb", TRAIN)
    with sqlite3.connect(api.workspace().metadata.path) as connection:
        changed = connection.execute(
            "UPDATE texts SET text = replace(text, ?, ?) WHERE text LIKE ?",
            ('"last":0.5', '"last":0.9', '%"last":0.5%'),
        ).rowcount
    assert changed == 1
    notebook.restart()
    notebook.run("import zennb", TRAIN)
    assert [state for state, _ in _logged("train")] == ["completed", "completed"]
