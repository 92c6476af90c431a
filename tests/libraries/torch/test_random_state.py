"""Torch's random generator counts once somebody has seeded it, and only for steps that draw from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

torch = pytest.importorskip("torch")


@pytest.fixture
def unseeded(notebook: Notebook) -> Notebook:
    """A notebook in a kernel where nobody has seeded torch."""
    torch.seed()
    notebook.restart()
    return notebook


def statuses(notebook: Notebook, *cells: str) -> list[str]:
    return [notebook.cell(f"%%step s{at}\n{text}").status for at, text in enumerate(cells)]


def test_without_a_seed_steps_that_draw_are_reused(unseeded: Notebook) -> None:
    cells = ("import torch\nt = torch.rand(3)", "u = torch.rand(3) + t", "import torch\nz = torch.zeros(2)")
    statuses(unseeded, *cells)
    first = unseeded.cell("print(t, u, torch.rand(1))").out
    for _ in range(2):
        unseeded.restart()
        torch.seed()
        assert statuses(unseeded, *cells) == ["cached"] * 3
        assert unseeded.cell("print(t, u, torch.rand(1))").out == first


def test_another_seed_runs_the_steps_that_draw_and_no_others(unseeded: Notebook) -> None:
    cells = ("x = torch.ones(3) * 2", "r = torch.rand(3)", "s = x.sum()")
    unseeded.run("import torch; torch.manual_seed(1)")
    statuses(unseeded, *cells)
    shown = unseeded.cell("print(r, torch.rand(1))").out
    for seed, expected in ((2, ["cached", "completed", "cached"]), (1, ["cached"] * 3)):
        unseeded.restart()
        unseeded.run(f"import torch; torch.manual_seed({seed})")
        assert statuses(unseeded, *cells) == expected
        assert (unseeded.cell("print(r, torch.rand(1))").out == shown) is (seed == 1)


def test_a_model_made_without_a_seed_is_reused_and_trained_on(unseeded: Notebook) -> None:
    cells = (
        "import torch\nfrom torch import nn\nmodel = nn.Linear(3, 1)\nopt = torch.optim.SGD(model.parameters(), 0.1)",
        "x = torch.randn(4, 3)",
        "for _ in range(2):\n    opt.zero_grad()\n    _l = model(x).sum()\n    _l.backward()\n    opt.step()",
    )
    statuses(unseeded, *cells)
    first = unseeded.cell("print(model.weight)").out
    unseeded.restart()
    assert statuses(unseeded, *cells) == ["cached"] * 3
    assert unseeded.cell("print(model.weight)").out == first


def test_a_seed_in_a_step_is_set_again_on_reuse(unseeded: Notebook) -> None:
    cells = ("import torch\ntorch.manual_seed(7)", "r = torch.rand(2)")
    statuses(unseeded, *cells)
    first = unseeded.cell("print(r, torch.rand(1), torch.initial_seed())").out
    unseeded.restart()
    torch.seed()
    assert statuses(unseeded, *cells) == ["cached"] * 2
    assert unseeded.cell("print(r, torch.rand(1), torch.initial_seed())").out == first


def test_a_step_that_reads_the_state_depends_on_it(unseeded: Notebook) -> None:
    unseeded.run("import torch; torch.manual_seed(1)")
    cell = "seed = torch.initial_seed()"
    statuses(unseeded, cell)
    unseeded.run("torch.manual_seed(2)")
    assert statuses(unseeded, cell) == ["completed"]
