"""Reuse executes definitions again, and only those that do nothing but define."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize(
    ("plain", "step"),
    [
        ("seen = []\ndef note(f):\n    seen.append(f.__name__)\n    return f", "@note\ndef g(): return 1"),
        ("made = []", "class A: made.append('A')"),
        ("n = 0\ndef tick():\n    global n\n    n += 1\n    return n", "def f(k=tick()): return k"),
        ("import random\nrandom.seed(1)", "class A: tok = random.random()"),
    ],
)
def test_a_definition_whose_evaluation_has_effects_is_not_executed_again_silently(
    plain: str, step: str, notebook: Notebook
) -> None:
    look = (
        "found = str([globals().get('seen'), globals().get('made'), globals().get('n'), "
        "f() if 'f' in globals() else A.tok if hasattr(globals().get('A'), 'tok') else 0])"
    )
    cells = [plain, f"%%step define\n{step}", look]
    notebook.run(*cells)
    expected = notebook.ns["found"]
    notebook.restart()
    _, again, _ = notebook.run(*cells)
    assert notebook.ns["found"] == expected
    assert again.status == "completed"
    assert "and reuse would define it again" in again.reason


def test_an_ordinary_decorator_does_not_keep_a_step_from_being_reused(notebook: Notebook) -> None:
    plain = (
        "import functools, time\ndef timed(f):\n    @functools.wraps(f)\n    def inner(*args):\n"
        "        started = time.time()\n        return f(*args)\n    return inner"
    )
    cells = [plain, "%%step define\n@timed\ndef double(x, by=dict(a=2)): return x * by['a']", "y = double(4)"]
    notebook.run(*cells)
    notebook.restart()
    _, again, _ = notebook.run(*cells)
    assert again.status == "cached", again.reason
    assert notebook.ns["y"] == 8
