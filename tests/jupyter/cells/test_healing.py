"""A stored output that is damaged or gone when a cell reads it is made again, by the steps that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

BIG = "%%step big\nimport numpy as np\nx = np.arange(100_000) + K"
BIGGER = "%%step bigger\ny = x * 2"


def blobs(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and path.stat().st_size >= 800_000]


def damage(home: Path, *, gone: bool) -> None:
    for blob in blobs(home):
        blob.chmod(0o600)
        if gone:
            blob.unlink()
        else:
            content = bytearray(blob.read_bytes())
            content[-1] ^= 255
            blob.write_bytes(content)


def begin(notebook: Notebook) -> None:
    notebook.run("K = 1", BIG, BIGGER)
    notebook.restart()
    notebook.run("K = 1", BIG, BIGGER)
    assert "x" not in notebook.ns


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("cell", ["last = int(y[-1])", "%%step use\nlast = int(y[-1])"])
def test_a_cell_that_reads_it_gets_it_made_again(
    notebook: Notebook, tmp_path: Path, cell: str, *, gone: bool
) -> None:
    begin(notebook)
    damage(tmp_path / "home", gone=gone)
    (ran,) = notebook.run(cell)
    assert notebook.ns["last"] == 200_000
    said = [shown["metadata"]["zennb"] for shown in ran.displays if "zennb" in shown["metadata"]]
    assert [facts["step"] for facts in said if facts["status"] == "completed"][:2] == ["big", "bigger"]
    assert "is not in artifact store" in said[0]["reason"] or "damaged" in said[0]["reason"]


def test_all_of_it_heals_in_one_pass_over_the_notebook(notebook: Notebook, tmp_path: Path) -> None:
    begin(notebook)
    damage(tmp_path / "home", gone=False)
    notebook.restart()
    notebook.run("K = 1", BIG, BIGGER, "%%step use\nlast = int(y[-1])", "first = int(x[0])")
    assert (notebook.ns["last"], notebook.ns["first"]) == (200_000, 1)


def test_what_has_changed_since_is_not_made_again_under_the_old_name(
    notebook: Notebook, tmp_path: Path
) -> None:
    begin(notebook)
    damage(tmp_path / "home", gone=True)
    notebook.run("K = 5")
    ran = notebook.cell("last = int(x[-1])")
    assert "is not there any more" in str(ran.error)
    assert "run the cell of step 'big' again" in str(ran.error)
    assert "x" not in notebook.ns
