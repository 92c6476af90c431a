"""Steps of a run that make something of a copy that cannot be brought back: the run fails, and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

REBUILT = "class M(dict):\n    def __setitem__(self, k, v): super().__setitem__(k, v + 1)\nx = M()"
CHANGES = {
    "a generator": ("x = []", "x.append(i for i in range(3))", "`x[0]` is a generator"),
    "bound anew": ("x = [1]", "x = (i for i in x)", "`x` is a generator"),
    "a thread's data": (
        "import threading\nx = {}",
        "x['l'] = threading.local()",
        "`x['l']` is data of a thread",
    ),
    "another value after loading": (REBUILT, "x['a'] = 1", "`x` is a M, which is another value"),
}


@pytest.mark.parametrize(("before", "body", "why"), CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_that_cannot_be_stored_fails_the_run(
    notebook: Notebook, before: str, body: str, why: str
) -> None:
    notebook.run(before, f"%%step change\n{body}", before)
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert (
        f"step 'change' has a copy of `x` here, and what it made of it cannot be brought back: {why}"
        in str(ran.error)
    )
    assert str(ran.error).endswith("Bind a new name instead, or run the step by its own cell.")


@pytest.mark.parametrize("refer", ["w = weakref.ref(a)", "w = weakref.proxy(a)", "w = weakref.WeakSet([a])"])
def test_a_changed_copy_of_what_is_referred_to_weakly_fails_the_run(notebook: Notebook, refer: str) -> None:
    before = f"import weakref\nclass A: pass\na = A()\n{refer}"
    notebook.run(before, "%%step change\na.v = 4", before)
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert "`w` refers weakly to `a`" in str(ran.error)


PARTED = {
    "the copy": ("g = (each for each in x)", "x.append(2)"),
    "deep inside": ("g = [map(str, x)]\ng[0] = (each for each in g[0])", "x.append(2)"),
    "the original": ("def go(h): yield h(2)\ng = go(x.append)", "next(g)\nn = len(x)"),
}


@pytest.mark.parametrize(("before", "change"), PARTED.values(), ids=PARTED)
def test_a_change_of_what_is_in_something_without_a_copy_fails_the_run(
    notebook: Notebook, before: str, change: str
) -> None:
    notebook.run(
        f"x = [1]\n{before}", f"%%step change\n{change}", "%%step look\ny = list(g)", f"x = [1]\n{before}"
    )
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert (
        "has a copy of `x` here and `g`, which cannot be stored and goes on with the notebook's own"
        in str(ran.error)
    )


MADE = {
    "a generator": ("y = (i for i in [1])", "list(y)", [1]),
    "a list with one": ("y = [(i for i in [1])]", "list(y[0])", [1]),
    "a thread's data": ("import threading\ny = threading.local()\ny.v = 3", "y.v", 3),
    "by a function": ("y = make()", "next(y)", 1),
}


@pytest.mark.parametrize(("make", "look", "expected"), MADE.values(), ids=MADE)
def test_what_cannot_be_stored_reaches_the_next_step_and_the_notebook(
    notebook: Notebook, make: str, look: str, expected: object
) -> None:
    notebook.run("def make(): yield 1", f"%%step make\n{make}", "y = [[]]", "%%step look\nz = type(y)")
    notebook.run("y = 'old'", "%pipeline run --rerun")
    assert notebook.ns["z"] is not str
    assert notebook.ns["z"] is type(notebook.ns["y"])
    notebook.run(f"seen = {look}")
    assert notebook.ns["seen"] == expected


COPIED = {
    "an instance": ("class P:\n    def __init__(self): self.of = (i for i in [1])", "y = P()"),
    "made later": ("class P: pass", "y = (P() for _ in range(2))"),
    "made by a function": ("class P: pass\ndef make(): return P()", "y = (make() for _ in range(2))"),
    "in what it goes over": ("class P: pass", "y = iter([P()] * 2)\nnext(y)\ny = (each for each in y)"),
}


@pytest.mark.parametrize(("before", "make"), COPIED.values(), ids=COPIED)
def test_what_holds_a_copied_class_and_cannot_be_stored_fails_the_run(
    notebook: Notebook, before: str, make: str
) -> None:
    notebook.run(before, f"%%step make\n{make}", "y = 'old'")
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert "has a copy of class `P` here, and what it made with it cannot be brought back" in str(ran.error)


THREADS = "%orchestrator register t --flavor=threads\n%stack register s -o t -a default --set"


@pytest.mark.parametrize("where", ["in a run", "in a thread"])
def test_what_shares_state_with_an_unstored_value_does_so_afterwards(notebook: Notebook, where: str) -> None:
    notebook.run(
        "import numpy as np, weakref",
        *([THREADS] if where == "in a thread" else []),
        "%%step made\nxs = [1]\ng = (x for x in xs)\nlarge = np.zeros(3_000_000)\nh = (x for x in [large])",
        "%%step row\na = np.zeros(2, dtype=[('x', int)])\nr = a[0]",
        "%%step referred\ns = {1}\nw = weakref.ref(s)",
        *(["%pipeline run --rerun"] if where == "in a run" else []),
        "xs.append(2)\nr['x'] = 5\nnext(h)[0] = 7\nseen = list(g), a['x'].tolist(), w() is s, large[0]",
    )
    assert notebook.ns["seen"] == ([1, 2], [5, 0], True, 7)


@pytest.mark.parametrize(
    ("before", "make"), [("xs = [1]", "g = (x for x in xs)"), ("", "xs = [1]\ng = (x for x in xs)")]
)
def test_a_changed_copy_of_what_an_unstored_value_holds_fails_the_run(
    notebook: Notebook, before: str, make: str
) -> None:
    change = "%%step change\nxs.append(2)"
    notebook.run(before, f"%%step make\n{make}", change)
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert "step 'change' changed a copy of `xs`, and `g` of step 'make'" in str(ran.error)
    notebook.run("%%step change\nxs = [*xs, 2]", "%pipeline run --rerun")
    assert notebook.ns["xs"][-1] == 2


@pytest.mark.parametrize("part", ["data", "mask"])
def test_a_changed_copy_of_what_two_unstored_values_share_fails_the_run(
    notebook: Notebook, part: str
) -> None:
    make = f"m = np.ma.array([1, 2, 3], mask=[0, 1, 0])\npart = m.{part}"
    notebook.run("import numpy as np", f"%%step make\n{make}", "%%step change\npart[0] = 9")
    notebook.run("%%step read\ntotal = m.sum()")
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert "step 'change' changed a copy of `part`, and `m` of step 'make'" in str(ran.error)
    notebook.run("%%step change\npart = part + 9", "%pipeline run --rerun")
    assert notebook.ns["total"] == 4


def test_unstored_values_that_share_nothing_are_changed_apart(notebook: Notebook) -> None:
    make = "m, k = np.ma.array([1, 2, 3]), np.ma.array([4, 5])\na, b = m.data, k.data"
    notebook.run(
        "import numpy as np", f"%%step make\n{make}", "%%step change\nm = m + 1\nc = np.append(m, 5)"
    )
    assert notebook.cell("%pipeline run --rerun").error is None
    assert notebook.ns["c"].tolist() == [2, 3, 4, 5]
