"""A notebook run whose stored outputs were damaged since the last one makes them again within that same run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from zennb.headless.execute import execute

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kernel

CELLS = (
    "%load_ext zennb",
    "%%step make\nimport numpy as np\nx = np.arange(100_000)",
    "%%step double\ny = x * 2",
    "%%step total\ntotal = int(y.sum())",
    "print(total, int(x[-1]), int(y[-1]))",
)


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{at}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": text,
        }
        for at, text in enumerate(CELLS)
    ]
    path = tmp_path / "study.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.mark.parametrize("gone", [True, False])
def test_damaged_outputs_are_made_again_within_the_run_that_meets_them(
    notebook: Path, tmp_path: Path, *, gone: bool
) -> None:
    first = execute(notebook)
    assert first.failure is None
    blobs = [
        path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.stat().st_size >= 800_000
    ]
    assert len(blobs) == 2
    for blob in blobs:
        blob.chmod(0o600)
        if gone:
            blob.unlink()
        else:
            blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    again = execute(notebook, out=tmp_path / "out.ipynb")
    assert again.failure is None
    shown = json.dumps(json.loads((tmp_path / "out.ipynb").read_text())["cells"][-1]["outputs"])
    assert "9999900000 99999 199998" in shown
    third = execute(notebook)
    assert {line.status.value for line in third.steps} == {"cached"}
