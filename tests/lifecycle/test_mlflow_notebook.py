"""The notebook of a model's life on a stack with tracker, registry and deployer of MLflow; skipped without it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.mlflow_database import new_database
from zennb.engine.delivery.tracking import settle

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "model_lifecycle.ipynb"
TRAININGS = ("train_linear", "train_forest", "train_neighbours")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # those of mlflow and its libraries
    pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed"),
]


def test_the_notebook_as_it_is_is_tracked_registered_and_served_by_mlflow(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("ZENNB_NOTEBOOK", str(tmp_path / NOTEBOOK.name))
    serving.restart()
    address = new_database(tmp_path)
    serving.run(
        f"%experiment-tracker register lab --flavor=mlflow --tracking_uri={address}",
        f"%model-registry register lab --flavor=mlflow --uri={address}",
        "%model-deployer register lab --flavor=mlflow",
        "%stack register tracked -o default -a default --experiment-tracker=lab --model-registry=lab "
        "--model-deployer=lab --set",
    )
    cells = [each.source for each in nbformat.read(NOTEBOOK, as_version=4).cells if each.cell_type == "code"]
    assert _statuses(serving, cells) == ["completed"] * 8
    assert settle(60)
    (synced,) = serving.run("%zennb sync")
    assert "nothing to be sent" in synced.displays[0]["data"]["text/plain"], "MLflow was told of everything"
    client = MlflowClient(tracking_uri=address, registry_uri=address)
    (experiment,) = [each for each in client.search_experiments() if each.name == NOTEBOOK.stem]
    tracked = {
        run.data.tags["zennb.step"]: run.data for run in client.search_runs([experiment.experiment_id])
    }
    assert set(tracked) == {"load", "split", *TRAININGS, "choose", "ask", "report"}
    assert all(0.9 < tracked[step].metrics["auc"] <= 1 for step in TRAININGS)
    champion = client.get_model_version_by_alias("tumours", "champion")
    assert champion.description == "best on the test set"

    serving.restart()
    # What MLflow has served was tested above, and takes seconds to be started.
    again = [each for each in cells if not each.startswith("%deployment") and "served" not in each]
    assert (
        _statuses(serving, [each for each in again if not each.startswith("%model deploy")]) == ["cached"] * 8
    )
    assert settle(60)
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 8, "a cached step is no new result"
    assert all(
        run.data.tags["zennb.last_reused_by"] for run in runs if run.data.tags["zennb.step"] in TRAININGS
    )
    assert len(client.search_model_versions("name = 'tumours'")) == 1


def _statuses(notebook: Any, cells: list[str]) -> list[str]:
    """Run cells; return the status of each step."""
    ran = notebook.run(*cells)
    answers = [each.result for text, each in zip(cells, ran, strict=True) if "urlopen" in text]
    assert all(answers), "what came over HTTP is what the model itself predicts"
    return [each.status for text, each in zip(cells, ran, strict=True) if text.startswith("%%step")]
