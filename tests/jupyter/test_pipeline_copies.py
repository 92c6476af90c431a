"""A step of a pipeline run works on copies of the notebook's definitions, and never changes one in silence."""

from __future__ import annotations

import sys
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


_GIVEN = "was given a copy, and what it changed is part of code"
_WEAKLY = "refers weakly to objects"


@pytest.mark.parametrize(
    ("made", "body", "says", "seen"),
    [
        ("class A: xs = []\nl = [A.xs, 1]", "l[0].append(1)", _GIVEN, "A.xs is l[0], len(A.xs)"),
        ("class S: pass\ns = [S()]\nclass A: part = s[0]", "s[0].x = 1", _GIVEN, "A.part is s[0]"),
        (
            "class A: xs = []",
            "l = [A.xs, 1]",
            "copies of the notebook's definitions here: `l` shares state with class `A`",
            "A.xs is l[0]",
        ),
        (
            "import weakref\nclass P:\n    all = weakref.WeakSet()\n    def __init__(self): self.all.add(self)",
            "p = P()",
            f"uses class `P`, which {_WEAKLY}",
            "list(P.all) == [p]",
        ),
        (
            "import weakref\nclass Q: pass\nq = Q()\ndef f(all=weakref.WeakValueDictionary({1: q})): return len(all)",
            "n = f()",
            f"uses function `f`, which {_WEAKLY}",
            "n",
        ),
        (
            (
                "import weakref\nclass Kept:\n    def __init__(self): self.of = weakref.WeakKeyDictionary()\n"
                "    def __get__(self, one, _cls): return self.of.get(one)\n"
                "    def __set__(self, one, value): self.of[one] = value\nclass P:\n    kept = Kept()\n"
            ),
            "p = P()\np.kept = 1",
            f"uses class `P`, which {_WEAKLY}",
            "p.kept",
        ),
    ],
)
def test_what_copies_would_part_is_refused_and_the_notebook_as_before(
    notebook: Notebook, made: str, body: str, says: str, seen: str
) -> None:
    notebook.run(made, f"%%step parted --no-cache\n{body}")
    before = notebook.run(seen)[0].result
    ran = notebook.cell("%pipeline run")
    assert says in str(ran.error), ran.out
    assert notebook.run(seen)[0].result == before


@pytest.mark.parametrize(
    ("made", "body", "seen", "shown"),
    [
        (
            "import functools\n@functools.singledispatch\ndef f(x): return 'any'",
            "f.register([int, str][n], lambda x: 'known')\ny = f('a')",
            "y, f('a'), f(1)",
            ("known", "known", "known"),
        ),
        (
            "import pickle\nclass P: pass\np = P()",
            "y = n, pickle.loads(pickle.dumps(p))",
            "type(y[1]) is P",
            True,
        ),
        (
            "import pickle",
            "class P: pass\ny = type(pickle.loads(pickle.dumps(P()))) is P and n",
            "y",
            1,
        ),
        (
            "import typing\nclass P: pass\nclass Q:\n    p: 'P'",
            "y = n, typing.get_type_hints(Q)['p'] is P",
            "y",
            (1, True),
        ),
        (
            "import sys",
            "y = n\nz = sys.modules['__main__'].y, vars(sys.modules['__main__'])['y']",
            "z",
            (1, 1),
        ),
    ],
)
def test_what_copies_do_not_part_is_as_in_a_cell(
    notebook: Notebook, made: str, body: str, seen: str, shown: object
) -> None:
    notebook.run(made, "n = 0", f"%%step same --no-cache\n{body}", "n = 1")
    main = sys.modules["__main__"]
    assert notebook.cell("%pipeline run").error is None
    assert notebook.run(seen)[0].result == shown
    assert sys.modules["__main__"] is main


_LOCKED = "import threading\nn, xs = 1, []\nclass P:\n    def __init__(self): self.lock = threading.Lock()\n"


@pytest.mark.parametrize(
    ("made", "steps", "read"),
    [
        ("def f(x, _l=threading.Lock()): return x + n", ["n = 5", "y = f(1)"], "n"),
        ("def f(x, _l=threading.Lock()): return x + n", ["n = 5\ny = f(1)"], "n"),
        (
            "class Q:\n    lock = threading.Lock()\n    v = property(lambda self: n)",
            ["n = 5", "y = Q().v"],
            "n",
        ),
        ("def g(): return n\ndef f(_l=threading.Lock()): return g()", ["n = 5", "y = f()"], "n"),
        ("P.v = property(lambda self: n)\np = P()", ["n = 5", "y = p.v"], "n"),
        ("P.v = property(lambda self: n)\np = P()\ndef f(): return p.v", ["n = 5", "y = f()"], "n"),
        (
            "def make(lock):\n    def get():\n        with lock: return n\n    return get",
            ["n = 5\nlock = threading.Lock()\nget = make(lock)", "n = 7", "y = get()"],
            "n",
        ),
        ("P.add = lambda self: xs.append(1)\np = P()", ["p.add()\ny = len(xs)"], "xs"),
        ("P.v = property(lambda self: len(xs))\np = P()", ["xs.append(1)\ny = p.v"], "xs"),
        (
            "class Q:\n    def up(self, _l=threading.Lock()):\n        global n\n        n += 1",
            ["Q().up()\ny = n"],
            "n",
        ),
    ],
)
def test_code_that_cannot_be_copied_never_reads_other_values_than_its_step(
    notebook: Notebook, made: str, steps: list[str], read: str
) -> None:
    cells = [f"%%step s{number}\n{each}" for number, each in enumerate(steps)]
    notebook.run(_LOCKED + made, *cells)
    right = notebook.ns["y"]
    notebook.run("n = 1", "xs.clear()")
    error = notebook.cell("%pipeline run --rerun").error
    assert f"do not see the same `{read}`. Give it `{read}` as an argument, or run" in str(error)
    assert notebook.ns["y"] == right


@pytest.mark.parametrize(
    ("made", "body", "right"),
    [
        ("def f(x, _l=threading.Lock()): return x + n", "y = f(1)", 2),
        ("p = P()\ndef f(): return n", "y = isinstance(p, P), f()", (True, 1)),
        ("P.v = property(lambda self: n)\np = P()", "n2 = n + 1\ny = p.v", 1),
        ("def f(_l=threading.Lock()): return g()\ndef g(): return 1", "def g(): return 1\ny = f()", 1),
    ],
)
def test_such_code_runs_where_both_read_the_same(
    notebook: Notebook, made: str, body: str, right: object
) -> None:
    notebook.run(_LOCKED + made, f"%%step only\n{body}")
    assert notebook.cell("%pipeline run --rerun").error is None
    assert notebook.ns["y"] == right


def test_classes_that_a_library_knows_are_the_notebooks_own(notebook: Notebook) -> None:
    notebook.run(
        "import copy, copyreg, numbers, sqlite3\nclass P:\n    def __init__(self, v): self.v = v",
        "numbers.Number.register(P)\nsqlite3.register_adapter(P, lambda p: p.v)",
        "%%step register\ncopyreg.pickle(P, lambda p: (P, (p.v + 1,)))",
        "%%step read\ny = isinstance(P(1), numbers.Number), copy.copy(P(5)).v\n"
        "z = sqlite3.connect(':memory:').execute('select ?', (P(3),)).fetchone()",
    )
    for _ in range(2):
        notebook.run("y = z = None")
        assert notebook.cell("%pipeline run --rerun").error is None
        assert (notebook.ns["y"], notebook.ns["z"]) == ((True, 6), (3,))


@pytest.mark.parametrize(
    "stack", ["", "%orchestrator register t --flavor=threads\n%stack register s -o t -a default --set"]
)
def test_a_step_may_keep_classes_and_ask_for_subclasses(notebook: Notebook, stack: str) -> None:
    notebook.run(stack or "pass", "import array\nclass B: pass\nclass C(B): pass\nclass D(array.array): pass")
    notebook.run(
        "%%step keep\nkinds = {'c': C}\nd = D('d', [1])",
        "%%step ask\nz = [each.__name__ for each in B.__subclasses__()]",
    )
    notebook.run("kinds = d = z = None")
    assert notebook.cell("%pipeline run --rerun").error is None
    assert notebook.run("kinds['c'] is C, type(d) is D, z")[0].result == (True, True, ["C"])


def test_what_a_run_makes_is_of_todays_classes(notebook: Notebook) -> None:
    made = "from enum import Enum\nclass Color(Enum):\n    RED = 1\nclass P: pass"
    notebook.run(made, "%%step make\nd = {c: P() for c in Color}")
    for rerun in ("", " --rerun"):
        notebook.run(made, f"%pipeline run{rerun}")
        assert notebook.run("type(d[Color.RED]) is P")[0].result is True
