"""Cells that use torch show the same when they run plain, as steps, and when the steps are reused in another kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.libraries.torch.cases import CASES, Case

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # what torch says about itself


def _plain(notebook: Notebook, case: Case) -> str:
    ran = notebook.run(*case.steps, case.shows)
    return "".join(each.out for each in ran) + ran[-1].err


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_steps_show_what_plain_cells_show(notebook: Notebook, case: Case) -> None:
    expected = _plain(notebook, case)
    for reused in (False, True):
        notebook.restart()
        steps = [notebook.cell(f"%%step s{at}\n{text}") for at, text in enumerate(case.steps)]
        last = notebook.cell(case.shows)
        shown = [*steps, last]
        assert [each.error for each in shown] == [None] * len(shown), shown
        # Status lines are displayed, and not printed.
        assert "".join(each.out for each in shown) + last.err == expected, [each.facts for each in steps]
        if reused:
            ran = tuple(at for at, each in enumerate(steps) if each.status != "cached")
            assert ran == case.runs, [(each.status, each.reason, each.facts) for each in steps]


def test_figures_stay_apart_while_torch_is_loaded(notebook: Notebook) -> None:
    pytest.importorskip("matplotlib")
    notebook.run(
        "import torch\nimport matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure"
    )
    for at in range(2):
        ran = notebook.cell(f"%%step s{at}\nf{at} = Figure()\nf{at}.subplots().plot([1, 2, {at}])\nNone")
        assert ran.outputs == [f"f{at}"]


def test_an_array_that_a_step_changes_takes_the_tensor_of_a_plain_cell_along(notebook: Notebook) -> None:
    cells = "import numpy as np, torch\na = np.zeros(4)\nd = {'t': torch.from_numpy(a[1:])}"
    for _ in range(2):
        notebook.run(cells, "%%step s\na[1] = 5\nNone")
        assert notebook.cell("a[2] = 7; print(d['t'])").out == "tensor([5., 7., 0.], dtype=torch.float64)\n"
        notebook.restart()
