"""Steps that call `eval`: reused as long as what is evaluated names only what the texts in their code show."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

_DISPLAY = '''class Display:
    """Represent several variables"""
    template = "<p>{0}</p>"
    def __init__(self, *args):
        self.args = args
    def __repr__(self):
        return "\\n".join(a + "\\n" + repr(eval(a)) for a in self.args)'''

_OUT = re.compile(r"Out\[\d+\]: ")
_BY_NAME = "def value_of(name):\n    return eval(name)"

REUSED = {
    "a text written out": ("x = 1", "x = 2", "y = eval('x + 1')\nprint(y)"),
    "names that an object was given": ("x = 1\n" + _DISPLAY, "x = 2", "Display('x')"),
    "names in a list": (
        "x, z = 1, 5\n" + _BY_NAME,
        "z = 2",
        "print([value_of(each) for each in ['x', 'z']])",
    ),
    "a text in a variable": ("x = 1\ntext = 'x * 2'", "x = 2", "print(eval(text))"),
    "a text that changes": ("x = 1\ntext = 'x * 2'", "text = 'x * 3'", "print(eval(text))"),
    "a text put together": (
        "x = 1\ndef f(op):\n    return eval('x ' + op + ' 2')",
        "x = 7",
        "print(f('+'), f('*'))",
    ),
    "a name put together": ("ab = 1", "ab = 2", "print(eval('a' + 'b'))"),
    "a function that it calls": ("def g(n): return n + 1", "def g(n): return n + 2", "print(eval('g(1)'))"),
    "a function of a package": ("import math\nx = 0.5", "x = 0.25", "print(eval('math.sin(x) + abs(-x)'))"),
    "a comprehension": ("xs = [1, 2]", "xs = [3]", "print(eval('[n * 2 for n in xs]'))"),
    "local names": ("k = 2\ndef f(n):\n    return eval('n * k')", "k = 3", "print(f(4))"),
    "a name that is missing": (
        "def f():\n    try:\n        return eval('later')\n    except NameError:\n        return 'none'",
        "later = 5",
        "print(f())",
    ),
    "a builtin that the notebook shadows": ("xs = [1, 2]", "sum = max", "print(eval('sum(xs)'))"),
    "texts in a series": (
        "import pandas as pd\nx = 2\ns = pd.Series(['x + 1'])",
        "x = 3",
        "print([eval(each) for each in s])",
    ),
}
"""What it is → the notebook, an edit, and a step."""


@pytest.mark.parametrize("case", REUSED)
def test_a_step_that_evaluates_what_its_texts_show_is_reused(notebook: Notebook, case: str) -> None:
    before, edit, cell = REUSED[case]
    notebook.run(before)
    (first,) = notebook.run(f"%%step s\n{cell}")
    notebook.restart()
    notebook.run(before)
    (again,) = notebook.run(f"%%step s\n{cell}")
    assert again.status == "cached", again.reason
    assert (again.out, again.displays[:-1]) == (first.out, first.displays[:-1])
    notebook.run(edit)
    (plain,) = notebook.run(cell)
    (edited,) = notebook.run(f"%%step s\n{cell}")
    assert edited.status == "completed"
    assert _OUT.sub("", edited.out) == _OUT.sub("", plain.out) != _OUT.sub("", first.out)


_MODULE = "K = 1\ndef f(text):\n    return eval(text)\n"

FOUND = {
    "a name of a module": ("", "lib.K = 2", "print(lib.f('K + 1'))"),
    "an attribute of a module": ("", "lib.K = 2", "print(eval('lib.K'))"),
    "a random number": (
        "import numpy as np\nnp.random.seed(0)",
        "np.random.seed(1)",
        "print(eval('np.random.rand()'))",
    ),
    "a function that calls another one": (
        "def g(): return h() + 1\ndef h(): return 1",
        "def h(): return 2",
        "print(eval('g()'))",
    ),
    "an object": (
        "class A:\n    n = 1\n    def m(self): return self.n\na = A()",
        "A.n = 5",
        "print(eval('a.m()'))",
    ),
}
"""What a text leads to → the notebook, an edit, and a step."""


@pytest.mark.parametrize("case", FOUND)
def test_what_an_evaluated_text_leads_to_counts(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    before, edit, cell = FOUND[case]
    (tmp_path / "lib.py").write_text(_MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lib", raising=False)
    notebook.run(f"import lib\n{before}", f"%%step s\n{cell}")
    notebook.run(f"import lib\n{before}")
    (again,) = notebook.run(f"%%step s\n{cell}")
    assert again.status == "cached", again.reason
    notebook.run(edit)
    (edited,) = notebook.run(f"%%step s\n{cell}")
    assert edited.status == "completed"
    assert edited.out != again.out
    notebook.run(edit)
    (plain,) = notebook.run(cell)
    assert edited.out == plain.out


def test_what_an_evaluated_text_changes_is_an_output(notebook: Notebook) -> None:
    cells = ["items = [1]", "%%step s\nn = eval('items.append(3)')"]
    notebook.run(*cells)
    notebook.restart()
    _, again = notebook.run(*cells)
    assert again.status == "cached", again.reason
    assert notebook.ns["items"] == [1, 3]


def test_a_name_that_the_cell_binds_itself_makes_no_run(notebook: Notebook) -> None:
    cells = [_DISPLAY, "%%step s\nx = [1, 2]\nDisplay('x')"]
    notebook.run(*cells)
    (again,) = notebook.run(cells[1])
    assert again.status == "cached", again.reason


UNSEEN = {
    "a name that no text contains": ("ab = 1", "print(eval(chr(97) + chr(98)))", "names `ab`"),
    "a name from a number": ("x1 = 1", "print([eval('x' + str(i)) for i in [1]])", "names `x1`"),
    "a builtin that no text contains": ("xs = [1]", "print(eval(chr(115) + 'um(xs)'))", "names `sum`"),
    "a binding": ("x = 1", "print(eval('(y := x)'))", "binds or sets"),
    "an import": ("", "m = eval('__import__(\"math\")').pi", "uses `__import__`"),
    "an attribute of a class": ("class K: n = 1", "eval('setattr(K, \"n\", 2)')", "uses `setattr`"),
    "a text in a text": ("x = 1", "print(eval('eval(\"x\")'))", "uses `eval`"),
    "a package with settings of its own": ("import logging", "eval('logging.disable(10)')", "uses `logging`"),
    "a function of such a package": ("from logging import disable", "eval('disable(10)')", "uses `disable`"),
    "what another process evaluates": (
        "import os\nx = 1\ndef f(): return eval('x')",
        "pid = os.fork()\nif not pid: os._exit(f())\nos.waitpid(pid, 0)\nf()\ndel pid",
        "may be in other processes",
    ),
    "a statement": ("x = 1", "eval(compile('x', '', 'exec'))", "is a statement"),
}
"""What it is → the notebook, a step, and its reason."""


@pytest.mark.parametrize("case", UNSEEN)
def test_a_step_that_evaluates_something_else_runs_every_time(notebook: Notebook, case: str) -> None:
    before, cell, why = UNSEEN[case]
    notebook.run(before)
    notebook.run(f"%%step s\n{cell}")
    (again,) = notebook.run(f"%%step s\n{cell}")
    assert again.status == "completed"
    assert f"uses `eval(...)`, and what it evaluates {why}" in f"{again.reason} {again.displays}"


def test_eval_that_a_library_may_call_runs_every_time(notebook: Notebook) -> None:
    for text in ("print(list(map(eval, ['1'])))", "import pandas as pd\nprint(pd.Series(['1']).map(eval))"):
        notebook.run(f"%%step s\n{text}")
        (again,) = notebook.run(f"%%step s\n{text}")
        assert again.reason == "not cacheable: it uses `eval`"


def test_what_a_thread_of_the_step_evaluates_is_seen_as_well(notebook: Notebook) -> None:
    before = "import threading\nab, found = 1, []\ndef look(): found.append(eval('a' + 'b'))"
    cell = "%%step s\nt = threading.Thread(target=look)\nt.start()\nt.join()\n_ = t\ndel t"
    notebook.run(before, cell)
    (again,) = notebook.run(cell)
    assert again.status == "completed", again.reason
