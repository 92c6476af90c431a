"""The notebook of a model's life on a stack with tracker and registry of MLflow; skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "model_lifecycle.ipynb"

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore"),  # those of mlflow and its libraries
    pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed"),
]


def _typed(folder: Path, *words: str) -> str:
    environment = {**os.environ, "ZENNB_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "zennb", *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_notebook_as_it_is_is_tracked_and_registered_in_mlflow(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    shutil.copy(NOTEBOOK, tmp_path)
    _typed(tmp_path, "experiment-tracker", "register", "lab", "--flavor=mlflow", f"--tracking_uri={address}")
    _typed(tmp_path, "model-registry", "register", "lab", "--flavor=mlflow", f"--uri={address}")
    parts = ["-o", "default", "-a", "default", "--experiment-tracker=lab", "--model-registry=lab"]
    _typed(tmp_path, "stack", "register", "tracked", *parts, "--set")

    first = _typed(tmp_path, "run", NOTEBOOK.name)
    assert first.count("✔") == 9  # eight steps and the notebook, as with the embedded defaults
    assert "There is nothing to be sent." in _typed(tmp_path, "sync"), "MLflow was told of everything"
    client = MlflowClient(tracking_uri=address, registry_uri=address)
    (experiment,) = [each for each in client.search_experiments() if each.name == NOTEBOOK.stem]
    tracked = {
        run.data.tags["zennb.step"]: run.data for run in client.search_runs([experiment.experiment_id])
    }
    assert set(tracked) == {"load", "split", *TRAININGS, "choose", "ask", "report"}
    assert all(0.9 < tracked[step].metrics["auc"] <= 1 for step in TRAININGS)
    champion = client.get_model_version_by_alias("tumours", "champion")
    assert champion.description == "best on the test set"

    again = _typed(tmp_path, "run", NOTEBOOK.name)
    assert again.count("cached") == 9, again
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 8, "a cached step is no new result"
    assert all(
        run.data.tags["zennb.last_reused_by"] for run in runs if run.data.tags["zennb.step"] in TRAININGS
    )
    assert len(client.search_model_versions("name = 'tumours'")) == 1


TRAININGS = ("train_linear", "train_forest", "train_neighbours")
