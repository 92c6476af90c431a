"""Functions and classes that were made from text (`exec`, `sympy.lambdify`) and lie in no module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MADE = {
    "a function": ("exec('def h(): return 1', names)\nh = names['h']", "return 1", "return 2", "h()"),
    "what it reads": (
        "names['q'] = [1]\nexec('def h(): return q[0]', names)\nh = names['h']",
        "[1]",
        "[2]",
        "h()",
    ),
    "a class": (
        "exec('class K:\\n    def m(self): return 1', names)\nK = names['K']",
        "return 1",
        "return 2",
        "K().m()",
    ),
    "a function behind another one": (
        "exec('def h(): return 1', names)\nh = names['h']\ndef outer(): return h() + 10",
        "return 1",
        "return 2",
        "outer()",
    ),
}


@pytest.mark.parametrize("kind", MADE)
def test_a_step_runs_when_code_made_from_text_is_other_code(notebook: Notebook, kind: str) -> None:
    made, old, new, asked = MADE[kind]
    step = f"%%step s\nr = {asked}"
    notebook.run("names = {}", made, step)
    notebook.restart()
    assert notebook.run("names = {}", made, step)[-1].status == "cached"
    notebook.restart()
    *_, again = notebook.run("names = {}", made.replace(old, new), step)
    assert again.status == "completed"
    assert notebook.ns["r"] == eval(asked, notebook.ns)


def test_a_formula_that_became_a_function_is_told_from_others(notebook: Notebook) -> None:
    pytest.importorskip("sympy")
    cells = (
        "import sympy as sp\nx = sp.Symbol('x')",
        "e = x**2 + 1",
        "%%step f\nf = sp.lambdify(x, e, 'math')",
    )
    read = "%%step s\nr = f(4)"
    notebook.run(*cells, read)
    notebook.restart()
    edited = (cells[0], "e = sp.sqrt(x)", cells[2])
    assert notebook.run(*edited, read)[-1].status == "completed"
    assert (notebook.ns["r"], notebook.ns["f"](9)) == (2.0, 3.0)
    notebook.restart()
    assert [ran.status for ran in notebook.run(*edited, read)[2:]] == ["cached", "cached"]
    assert (notebook.ns["r"], notebook.ns["f"](9)) == (2.0, 3.0)
