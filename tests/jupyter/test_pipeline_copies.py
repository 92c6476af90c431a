"""A step of a pipeline run works on copies of the notebook's definitions, and never changes one in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize(
    ("made", "body", "what"),
    [
        ("class P:\n    n = 0", "P.n += 1\ny = P.n", "class `P`"),
        ("class P:\n    n = 0\ndef bump():\n    P.n += 1\n    return P.n", "y = bump()", "class `P`"),
        ("class P:\n    seen = []", "P.seen.append(1)\ny = len(P.seen)", "class `P`"),
        ("def f():\n    f.n += 1\n    return f.n\nf.n = 0", "y = f()", "function `f`"),
        ("pass", "globals()['q'] = 3\ny = 1", "`q`"),
    ],
)
def test_a_change_that_the_notebook_would_not_see_is_refused(
    notebook: Notebook, made: str, body: str, what: str
) -> None:
    notebook.run(made, f"%%step changed\n{body}")
    before = notebook.ns["y"]
    ran = notebook.cell("%pipeline run")
    assert what in str(ran.error), ran.out
    assert "would not see that. Bind a new name instead, or run" in str(ran.error)
    assert notebook.ns["y"] == before


@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("class P:\n    n = 0", "p = P()\np.n = 2\ny = p.n"),
        ("import math", "math.mine = 1\ny = math.mine\ndel math.mine"),
        ("n = 0\ndef bump():\n    global n\n    n += 1\n    return n", "y = bump()"),
        ("xs = [1]", "xs.append(2)\ny = len(xs)"),
        ("def f(): return 1", "def g(): return f()\ng.n = 1\ny = g()"),
    ],
)
def test_what_the_notebook_sees_is_not(notebook: Notebook, made: str, body: str) -> None:
    notebook.run(made, f"%%step changed --no-cache\n{body}")
    assert notebook.cell("%pipeline run").error is None
