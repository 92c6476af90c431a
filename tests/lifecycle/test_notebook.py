"""The notebook that takes a model from its training to a deployment, with the defaults that come with zennb."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "model_lifecycle.ipynb"

pytestmark = pytest.mark.kernel


def _run(folder: Path, out: str) -> tuple[str, dict[str, list[str]]]:
    """Run the notebook in a kernel of its own; return what the terminal shows, and source → texts that a cell shows."""
    environment = {**os.environ, "ZENNB_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "zennb", "run", NOTEBOOK.name, "-o", out]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = nbformat.read(folder / out, as_version=4).cells
    shown = {
        cell.source: [each.get("text") or each["data"]["text/plain"] for each in cell.outputs]
        for cell in cells
        if cell.cell_type == "code"
    }
    return done.stdout, shown


def test_a_model_is_trained_compared_registered_checked_served_and_told_of(tmp_path: Path) -> None:
    shutil.copy(NOTEBOOK, tmp_path)
    first, shown = _run(tmp_path, "first.ipynb")
    assert first.count("✔") == 9  # eight steps and the notebook
    (chart,) = shown["%runs chart auc"]
    assert all(step in chart for step in ("train_linear", "train_forest", "train_neighbours"))
    (asked,) = [texts for source, texts in shown.items() if "urlopen" in source]
    assert asked == ["True"]  # what came over HTTP is what the model itself predicts
    (served,) = [texts for source, texts in shown.items() if source.startswith("served = ")]
    assert served[0].startswith("array([")
    assert "SUCCESS step 'report'" in (tmp_path / "alerts.log").read_text()

    again, _ = _run(tmp_path, "again.ipynb")
    assert again.count("cached") == 9
    assert (tmp_path / "alerts.log").read_text().count(
        "SUCCESS"
    ) == 1  # a reused step has nothing new to tell
