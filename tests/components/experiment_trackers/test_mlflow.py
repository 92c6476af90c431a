"""The `mlflow` tracker, against a database of MLflow; and what a notebook tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("mlflow")

from mlflow import MlflowClient

from tests.jupyter.conftest import Notebook, no_run_left, notebook
from tests.mlflow_database import new_database
from zennb import api
from zennb.components.experiment_trackers.mlflow import MlflowExperimentTracker
from zennb.engine.delivery.outbox import Outbox
from zennb.engine.delivery.tracking import settle
from zennb.testing.experiment_tracker import STEP, ExperimentTrackerContract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["no_run_left", "notebook"]

pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow's own libraries warn of


@pytest.fixture
def address(tmp_path: Path) -> str:
    return new_database(tmp_path)


def _runs(address: str) -> list[Any]:
    client = MlflowClient(address)
    experiments = [each.experiment_id for each in client.search_experiments()]
    return list(client.search_runs(experiments, order_by=["attributes.start_time ASC"]))


@pytest.fixture
def known(address: str) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [
        {
            "step": run.data.tags["zennb.step"],
            "status": run.data.tags["zennb.status"],
            "parameters": run.data.params,
            "metrics": run.data.metrics,
        }
        for run in _runs(address)
    ]


class TestMlflowExperimentTracker(ExperimentTrackerContract):
    @pytest.fixture
    def tracker(self, address: str) -> MlflowExperimentTracker:
        return MlflowExperimentTracker.from_config("mine", {"tracking_uri": address})

    @pytest.fixture
    def known(self, known: Callable[[], list[dict[str, Any]]]) -> Callable[[], list[dict[str, Any]]]:
        return known

    @pytest.fixture
    def broken(self, tmp_path: Path) -> MlflowExperimentTracker:
        (tmp_path / "file").touch()
        return MlflowExperimentTracker.from_config(
            "bad", {"tracking_uri": f"sqlite:///{tmp_path}/file/mlflow.db"}
        )


def test_names_that_mlflow_refuses_keep_no_step_out_of_it(
    address: str, known: Callable[[], list[dict[str, Any]]]
) -> None:
    tracker = MlflowExperimentTracker.from_config("mine", {"tracking_uri": address})
    names = ["a%", "a&", "loss//train", "/x", "../up", "..", "<b>é 😀", "x" * 400, "inf", "a.b"]
    metrics = {name: [(0, float("inf") if name == "inf" else at)] for at, name in enumerate(names)}
    tracker.log_step(replace(STEP, metrics=metrics, parameters={"a:b": "1"}))
    (found,) = known()
    assert found["parameters"] == {"a_b": "1"}
    assert sorted(found["metrics"]) == sorted(
        ["a_", "a__2", "loss/train", "x", "up", "_", "_b_é _", "x" * 240, "inf", "a.b"]
    )


def test_the_steps_of_a_notebook_are_runs_of_mlflow(notebook: Notebook, address: str) -> None:
    notebook.run(
        f"%experiment-tracker register lab --flavor=mlflow --tracking_uri={address} --experiment=iris",
        "%stack register tracked -o default -a default --experiment-tracker=lab",
        "%stack set tracked",
        "import zennb\nalpha = 0.1",
    )
    train = "%%step train\nfor epoch in range(3):\n    zennb.log(loss=alpha / (epoch + 1), step=epoch)\nmodel = [alpha]"
    notebook.run(train, "%%step report\nprint(model)", "alpha = 0.2", train, "alpha = 0.1", train)
    assert settle(60)
    runs = _runs(address)
    found = [(run.data.tags["zennb.step"], run.data.params, run.data.metrics) for run in runs]
    assert found == [
        ("train", {"alpha": "0.1"}, {"loss": pytest.approx(0.1 / 3)}),
        ("report", {}, {}),  # `alpha` is no input of it
        ("train", {"alpha": "0.2"}, {"loss": pytest.approx(0.2 / 3)}),
    ]
    assert runs[0].data.tags["zennb.last_reused_by"] == "run 1"
    assert runs[0].data.tags["zennb.output.model"].startswith("v1  list")
    points = MlflowClient(address).get_metric_history(runs[0].info.run_id, "loss")
    assert [(each.step, each.value) for each in points] == [
        (0, 0.1),
        (1, pytest.approx(0.05)),
        (2, pytest.approx(0.1 / 3)),
    ]


def test_a_tracker_that_does_not_answer_fails_no_step_and_is_told_later(
    notebook: Notebook, tmp_path: Path, address: str
) -> None:
    (tmp_path / "file").touch()
    notebook.run(
        f"%experiment-tracker register lab --flavor=mlflow --tracking_uri=sqlite:///{tmp_path}/file/mlflow.db",
        "%stack register tracked -o default -a default --experiment-tracker=lab",
        "%stack set tracked",
        "%%step load\nrows = [1, 2]",
        "%%step more\ntotal = sum(rows)",
    )
    assert settle(60)
    workspace = api.workspace()
    outbox = Outbox(workspace.home, secrets=notebook.shell.zennb_step.environment.secrets)
    assert [each.payload["step"] for each in outbox.pending()] == ["load", "more"]
    notebook.run(f"%experiment-tracker update lab --tracking_uri={address}")
    notebook.run("%zennb sync")
    assert [run.data.tags["zennb.step"] for run in _runs(address)] == ["load", "more"]
    assert outbox.pending() == []
