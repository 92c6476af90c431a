"""Reuse executes definitions again, and only those that do nothing but define."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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


PREPARES = """
class M(type):
    @classmethod
    def __prepare__(cls, name, bases):
        seen.append(name)
        return {}
seen, other = [], [1]
"""
OPERATOR = """
class O:
    def __or__(self, x):
        seen.append(x)
        return x
seen, o, other = [], O(), [1]
"""
DRAWS = """
import random
random.seed(1)
class G:
    def m(self): return random.random()
other = [1]
"""


@pytest.mark.parametrize(
    ("plain", "step", "look"),
    [
        (PREPARES, "other.append(2)\nclass A(metaclass=M): pass", "seen + other"),
        (
            "seen = []\nadd = seen.append\nother = [1]",
            "other.append(2)\nclass A:\n    add(1)",
            "seen + other",
        ),
        (OPERATOR, "other.append(2)\ndef f(x=o | 1): return x", "seen + other"),
        (
            "import heapq\nheap, other = [], [1]",
            "other.append(2)\nclass A: heapq.heappush(heap, 1)",
            "heap + other",
        ),
        (DRAWS, "other.append(2)\ndef f(x=G().m()): return x", "[f(), other, random.random()]"),
        ("it, other = [1, 2, 3], [1]", "other.append(2)\nclass A: x = [it.pop()]", "it + other + A.x"),
    ],
)
def test_effects_that_the_code_does_not_tell_are_seen_when_the_step_is_reused(
    plain: str, step: str, look: str, notebook: Notebook
) -> None:
    cells = [plain, f"%%step define\n{step}", f"found = str({look})"]
    notebook.run(*cells)
    expected = notebook.ns["found"]
    for _ in range(2):
        notebook.restart()
        _, again, _ = notebook.run(*cells)
        assert notebook.ns["found"] == expected, again.reason
    assert again.status == "completed"
    assert "defin" in again.reason


def test_files_that_definitions_write_to_are_as_the_step_left_them(
    notebook: Notebook, tmp_path: Path
) -> None:
    plain = (
        "def log(f):\n    with open('log.txt', 'a') as file:\n        file.write(f.__name__)\n    return f"
    )
    cells = [plain, "%%step define\n@log\ndef g(): return 1"]
    notebook.run(*cells)
    (tmp_path / "log.txt").unlink()
    notebook.restart()
    notebook.run(*cells)
    assert (tmp_path / "log.txt").read_text() == "g"
