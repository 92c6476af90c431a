"""Steps of a run that are given copies: a value is one and the same for the code and for the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jupyter.background import ended
from zennb import api

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CELLS = {
    "an attribute of a class": ("class P:\n    s = []\ns = P.s", "P.s is s"),
    "set later": ("class P: pass\nP.s = [1]\ns = P.s", "P.s is s"),
    "with an instance": (
        "class P:\n    s = []\n    def m(self): return self.s\ns = P.s\np = P()",
        "p.m() is s",
    ),
    "with two classes": (
        "class P:\n    s = []\nclass Q:\n    t = P.s\ns = P.s\np, q = P(), Q()",
        "p.s is q.t is P.s is s",
    ),
    "a default": ("def f(x=[]): return x\ns = f()\nclass P: pass\np = P()", "bool(p) and f() is s"),
    "in a closure": ("def g(x): return lambda: x\ns = [1]\nf = g(s)", "f() is s"),
    "stored together": ("class P:\n    s = []\ns = P.s\nt = [s]", "P.s is s is t[0]"),
}


@pytest.mark.parametrize(("setup", "asked"), CELLS.values(), ids=CELLS)
def test_a_run_sees_one_value_where_the_notebook_has_one(notebook: Notebook, setup: str, asked: str) -> None:
    notebook.run(setup, f"%%step ask\nr = {asked}")
    notebook.run("r = 0", "%pipeline run --rerun")
    assert notebook.run("r")[0].result is True


@pytest.mark.parametrize("case", ["with an instance", "a default"])
def test_so_does_a_run_in_the_background(notebook: Notebook, case: str) -> None:
    setup, asked = CELLS[case]
    notebook.run(setup, f"%%step ask --background\nr = {asked}")
    assert ended() == "completed", api.workspace().metadata.steps(1)
    assert notebook.run("r")[0].result is True
