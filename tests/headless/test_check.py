"""Whole checks in real kernels."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import v4

from zennb.headless.check import check

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.core.records.check_findings import CheckedCell

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / ".jupyter"))


def make(folder: Path, *sources: str) -> Path:
    node = v4.new_notebook(cells=[v4.new_code_cell(textwrap.dedent(each).strip()) for each in sources])
    folder.mkdir(exist_ok=True)
    nbformat.write(node, folder / "study.ipynb")
    return folder / "study.ipynb"


def by_number(cells: tuple[CheckedCell, ...]) -> dict[int, CheckedCell]:
    return {cell.number: cell for cell in cells}


def test_a_notebook_is_compared_cell_by_cell_and_its_folder_left_alone(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "from pathlib import Path\nxs = [1, 2]\nPath('out.txt').write_text('x')",
        "xs.append(3); print(xs)\nxs",
        "import time; time.time_ns()",
        "raise KeyError('a')",
        "%%time\nprint(len(xs))",
        "# nothing",
        "more = (x for x in xs)\nnext(more)",
        "import os, zennb\nprint(sorted(os.listdir()))",
        "try:\n    get_ipython().zennb_step\n    print('with zennb')\nexcept AttributeError:\n    print('without')",
    )
    said: list[str] = []
    found = check(path, on_run=said.append)
    cells = by_number(found.cells)
    assert said == ["plain", "plain, a second time", "as steps", "reused in a new kernel"]
    assert list(cells) == [1, 2, 3, 4, 5, 7, 8, 9]
    assert (cells[2].cold, cells[2].reused, cells[2].cached) == (True, True, True)
    assert (cells[3].varies, cells[3].cold) == (True, None)
    assert cells[4].stays == "raises KeyError"
    assert cells[5].stays == "starts with %%time"
    assert cells[7].cached is False
    assert "generator" in cells[7].reason
    assert cells[8].cold is True
    assert "-without\n+with zennb" in cells[9].cold_difference
    assert [cell.number for cell in found.silent] == [9]
    assert found.notes == ()
    assert [file.name for file in path.parent.iterdir()] == ["study.ipynb"]


def test_a_cell_over_the_time_limit_ends_the_runs_with_a_sentence(tmp_path: Path) -> None:
    path = make(tmp_path / "study", "x = 1", "import time; time.sleep(60)", "x")
    found = check(path, timeout=3, once=True)
    assert [cell.number for cell in found.cells] == [1]
    (note,) = found.notes
    assert note == (
        "plain: cell [2] ended the run, so it and the cells after it were not compared: "
        "the cell ran longer than 3 s."
    )


def test_a_kernel_that_dies_only_with_steps_leaves_the_rest_untold(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "x = 1",
        "import os\nif hasattr(get_ipython(), 'zennb_step'):\n    os._exit(1)",
        "x",
    )
    found = check(path, once=True)
    assert [(cell.number, cell.cold) for cell in found.cells] == [(1, True), (2, None), (3, None)]
    assert found.notes[0].startswith("as steps: cell [2] ended the run")
