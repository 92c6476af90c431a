"""Reuse executes definitions again, and only those that do nothing but define."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.digests.walker import DigestWalker

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


@pytest.mark.parametrize(
    "definition",
    [
        "def g(a=-3.0, b=(1, None), c=2 / 3, d=len): return a",
        "@same\ndef g(): return 1",
        "class G:\n    a = -3.0",
    ],
)
def test_a_reused_step_with_definitions_takes_a_look_at_its_outputs_once(
    definition: str, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = ["def same(f): return f", f"%%step define\n{definition}\nnested = [[1], [2]]"]
    notebook.run(*cells)
    notebook.restart()
    looks: list[str] = []
    run = DigestWalker.run

    def counted(walker: DigestWalker, value: object, name: str) -> None:
        looks.append(name)
        run(walker, value, name)

    monkeypatch.setattr(DigestWalker, "run", counted)
    _, again = notebook.run(*cells)
    assert again.status == "cached", again.reason
    assert looks.count("nested") == 1


def test_definitions_do_not_count_as_changing_what_loading_changes(notebook: Notebook) -> None:
    cells = [
        (
            "def same(f): return f\nclass Opened:\n    n = 0\n"
            "    def __setstate__(self, state):\n        self.__dict__.update(state, n=1)"
        ),
        "%%step define\n@same\ndef g(): return 1\nopened = Opened()",
    ]
    notebook.run(*cells)
    notebook.restart()
    _, again = notebook.run(*cells)
    assert again.status == "cached", again.reason


def test_what_zennb_looks_at_does_not_show_in_its_class(notebook: Notebook) -> None:
    notebook.run(
        "import copyreg\nbefore = copyreg._slotnames\nclass A:\n    pass\nclass B(A):\n    __slots__ = ('x',)",
        "%%step make\na, b = A(), B()\nb.x = 1\nnamed = [a, b]",
        "%%step read\nlisted = dir(a) + dir(b) + [*vars(A), *vars(B)]\nsame = copyreg._slotnames is before",
    )
    assert "__slotnames__" not in notebook.ns["listed"]
    assert notebook.ns["same"]
    notebook.run("import copy\nc = copy.copy(b)\nx, noted = c.x, '__slotnames__' in vars(B)")
    assert (notebook.ns["x"], notebook.ns["noted"]) == (1, True)
