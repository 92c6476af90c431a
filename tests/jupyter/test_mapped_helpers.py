"""A mapped step whose helpers read the whole variable is refused: they would get the variable, the cell its element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize(
    "helper",
    [
        "def size(): return len(xs)",
        "class Sized:\n    def __call__(self): return len(xs)\nsize = Sized()",
        "def inner(): return xs\ndef size(): return len(inner())",
    ],
)
def test_a_helper_that_reads_the_whole_variable_is_refused(notebook: Notebook, helper: str) -> None:
    notebook.run("xs = [1, 2]", helper)
    for _ in range(2):
        ran = notebook.cell("%%step sized --map xs\ny = str(xs) + str(size())")
        assert "reads `xs` as a whole" in str(ran.error)
        assert "y" not in notebook.ns
        assert "fresh," not in notebook.cell("%pipeline status").out


def test_a_helper_that_gets_the_whole_under_another_name_is_used(notebook: Notebook) -> None:
    notebook.run("xs = [1, 2]\nwhole = xs", "def size(): return len(whole)")
    notebook.run("%%step sized --map xs\ny = xs, size()")
    assert notebook.ns["y"] == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("class P:\n    n = 0", "P.n += xs\ny = P.n"),
        ("class P:\n    n = 0", "P.last = xs\ny = xs"),
        ("def f():\n    f.n += 1\n    return f.n\nf.n = 0", "y = f()"),
    ],
)
def test_a_change_of_a_class_or_function_that_would_be_lost_is_refused(
    notebook: Notebook, made: str, body: str
) -> None:
    notebook.run("xs = [1, 2]", made)
    ran = notebook.cell(f"%%step changed --map xs\n{body}")
    assert "the notebook would not see that. Bind a new name instead." in str(ran.error), ran.reason
    assert "y" not in notebook.ns
