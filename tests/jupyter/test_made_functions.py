"""Functions made while a step runs: kept as values, they do after reuse what those of a plain notebook do."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

MAKE = "def make(n):\n    def add(x): return x + n + K\n    return add"
ACCOUNT = (
    "def account():\n    balance = 0\n    def put(x):\n        nonlocal balance\n        balance += x\n"
    "        return balance\n    def see(): return balance\n    return put, see"
)
TIMED = (
    "import functools\ndef timed(f):\n    @functools.wraps(f)\n    def inner(*a):\n        inner.calls += 1\n"
    "        return f(*a)\n    inner.calls = 0\n    return inner"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Cells to run, and what to ask afterwards; the steps named in `again` run every time."""

    cells: tuple[str, ...]
    asked: tuple[str, ...]
    again: tuple[str, ...] = field(default=())


CASES = {
    "a closure sees a constant that changes later": Case(
        cells=("K = 1", MAKE, "%%step t\nf = make(3)", "%%step c\nr = f(1)", "K = 10"), asked=("r", "f(1)")
    ),
    "and a helper that is redefined": Case(
        cells=(
            "def h(x): return x",
            "def make(n):\n    return lambda x: h(x) + n",
            "%%step t\nf = make(3)",
            "%%step c\nr = f(1)",
            "def h(x): return 100 * x",
        ),
        asked=("r", "f(1)"),
    ),
    "the maker stands in the same step": Case(
        cells=("K = 2", f"%%step t\n{MAKE}\nf = make(3)", "%%step c\nr = f(1)"),
        asked=("r", "f(2)", "make(1)(1)"),
    ),
    "the maker is a lambda": Case(
        cells=("%%step t\nmake = lambda n: lambda x: x + n\nf = make(3)", "%%step c\nr = f(1)"),
        asked=("r", "f(2)"),
    ),
    "a function that calls itself": Case(
        cells=(
            "def make():\n    def fact(n): return 1 if n < 2 else n * fact(n - 1)\n    return fact",
            "%%step t\nf = make()",
            "%%step c\nr = f(5)",
        ),
        asked=("r", "f(4)", "f.__closure__[0].cell_contents is f"),
    ),
    "two functions that share a variable": Case(
        cells=(ACCOUNT, "%%step t\nput, see = account()", "put(5)", "%%step c\nr = see()"),
        asked=("r", "put(2)", "see()"),
    ),
    "a step that changes the shared variable": Case(
        cells=(ACCOUNT, "%%step t\nput, see = account()", "%%step d\nq = put(3)", "%%step c\nr = see()"),
        asked=("q", "r", "put(2)", "see()"),
    ),
    "functions that share a variable in a dictionary": Case(
        cells=(ACCOUNT, "%%step t\nd = dict(zip('ps', account()))", "d['p'](5)"),
        asked=("d['s']()", "d['p'](1)"),
    ),
    "a list that is an output too": Case(
        cells=(
            "def make(store):\n    def add(x): store.append(x)\n    return add",
            "%%step t\nitems = []\nadd = make(items)",
            "add(1)",
            "%%step c\nr = list(items)",
        ),
        asked=("r", "add(2)", "items"),
    ),
    "a list that another step made": Case(
        cells=(
            "%%step l\nitems = [0]",
            "def make(store):\n    def add(x): store.append(x)\n    return add",
            "%%step t\nadd = make(items)",
            "add(1)",
        ),
        asked=("items", "add(2)", "items"),
    ),
    "a decorator that is called": Case(
        cells=(
            TIMED,
            "def g(x): return x + 1",
            "%%step t\nh = timed(g)",
            "h(1)",
            "%%step c\nr = h(2)",
        ),
        asked=("r", "h.calls", "h(3)", "h.calls", "h.__name__", "h.__wrapped__ is g"),
        again=("c",),
    ),
    "lru_cache as a decorator": Case(
        cells=(
            (
                "%%step t\nfrom functools import lru_cache\n@lru_cache(maxsize=None)\n"
                "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)"
            ),
            "%%step c\nr = fib(20)",
        ),
        asked=("r", "fib(10)", "fib.cache_parameters()"),
    ),
    "lru_cache as a call": Case(
        cells=(
            "from functools import lru_cache\nK = 2\ndef slow(n): return n * K",
            "%%step t\nfast = lru_cache(maxsize=7)(slow)",
            "%%step c\nr = fast(20)",
        ),
        asked=("r", "fast(10)", "fast.cache_parameters()", "fast.__wrapped__ is slow"),
    ),
    "a method of an object made in the step": Case(
        cells=(
            (
                "class Model:\n    def __init__(self): self.seen = []\n"
                "    def predict(self, x):\n        self.seen.append(x)\n        return len(self.seen)"
            ),
            "%%step t\nmodel = Model()\npredict = model.predict",
            "predict(1)",
        ),
        asked=("predict(2)", "model.seen", "predict.__self__ is model"),
    ),
    "a method of a builtin": Case(
        cells=("%%step t\nitems = [1]\npush = items.append", "push(2)"), asked=("push(3)", "items")
    ),
    "a partial of a made function": Case(
        cells=(
            "import functools\nK = 1",
            MAKE,
            "%%step t\np = functools.partial(make(3), 4)",
            "%%step c\nr = p()",
            "K = 5",
        ),
        asked=("r", "p()"),
    ),
    "a lambda in a table sees what changes": Case(
        cells=("K = 3", "%%step t\ntable = {'g': lambda x: x * K}", "K = 10", "%%step c\nr = table['g'](1)"),
        asked=("r", "table['g'](2)"),
    ),
    "a vectorized function": Case(
        cells=(
            "import numpy as np\nK = 2\ndef f(x): return x * K",
            "%%step t\nv = np.vectorize(lambda x: f(x) + K)",
            "%%step c\nr = v([1, 2]).tolist()",
            "K = 5",
        ),
        asked=("r", "v([3]).tolist()"),
    ),
    "a default that is an output": Case(
        cells=("%%step t\nitems = list(range(2))\ndef push(x, to=items): to.append(x)", "push(7)"),
        asked=("items", "push(8)", "items"),
    ),
    "a function that writes a global": Case(
        cells=(
            "total = 1",
            "def make():\n    def add(x):\n        global total\n        total += x\n    return add",
            "%%step t\nadd = make()",
            "add(2)",
        ),
        asked=("total", "add(3)", "total"),
    ),
    "a generator and a coroutine function": Case(
        cells=(
            (
                "def make(n):\n    def count():\n        yield from range(n)\n    async def wait(): return n\n"
                "    return count, wait"
            ),
            "%%step t\ncount, wait = make(3)",
            "%%step c\nr = list(count())",
        ),
        asked=("r", "list(count())", "await wait()"),
    ),
    "a named tuple and its instances": Case(
        cells=(
            "%%step t\nfrom collections import namedtuple\nPoint = namedtuple('Point', 'x y')\np = Point(1, 2)",
            "%%step c\nr = p.x",
        ),
        asked=("r", "Point(3, 4)", "isinstance(p, Point)"),
    ),
    "a function with something computed set on it": Case(
        cells=(
            "def work(): return [1, 2]",
            "%%step t\ndef f(x): return f.table[x]\nf.table = work()",
            "%%step c\nr = f(1)",
        ),
        asked=("r", "f(0)", "f.table"),
        again=("t",),
    ),
    "a function that takes the name of what it wraps": Case(
        cells=(TIMED, "%%step t\ndef f(x): return x\nf = timed(f)", "%%step c\nr = f(1)"),
        asked=("r", "f(2)", "f.calls", "f.__wrapped__(3)"),
        again=("c",),
    ),
    "an alias of a made function": Case(
        cells=("K = 1", MAKE, "%%step t\nf = make(3)\ng = f"), asked=("f is g", "g(1)")
    ),
}


def plain(notebook: Notebook, case: Case) -> list[str]:
    """What a plain notebook answers."""
    cells = [text.partition("\n")[2] if text.startswith("%%step") else text for text in case.cells]
    notebook.run(*cells)
    return answers(notebook, case)


def answers(notebook: Notebook, case: Case) -> list[str]:
    return [repr(ran.result) for ran in notebook.run(*case.asked)]


@pytest.mark.parametrize("name", CASES)
def test_a_made_function_is_the_same_cold_and_reused(notebook: Notebook, name: str) -> None:
    case = CASES[name]
    expected = plain(notebook, case)
    for kernel in range(3):
        notebook.restart()
        done = notebook.run(*case.cells)
        assert answers(notebook, case) == expected, f"kernel {kernel}"
        for text, ran in zip(case.cells, done, strict=True):
            if text.startswith("%%step"):
                step = text.split()[1]
                wanted = "cached" if kernel and step not in case.again else "completed"
                assert ran.status == wanted, (kernel, step, ran.reason)


def test_a_function_of_a_local_module_lives_in_that_module(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "ratelib.py").write_text(
        "RATE = 2\ndef make(n):\n    def f(x): return x * n * RATE\n    return f\n"
    )
    cells = (
        "import sys\nsys.path.insert(0, '')\nimport ratelib",
        "%%step t\nf = ratelib.make(3)",
        "ratelib.RATE = 5",
    )
    try:
        notebook.run(*cells)
        first = notebook.cell("f(1)").result
        notebook.restart()
        sys.modules.pop("ratelib")
        (_, again, _) = notebook.run(*cells)
        assert again.status == "cached"
        assert first == notebook.cell("f(1)").result == 15
    finally:
        sys.modules.pop("ratelib", None)
        sys.path.remove("")


def test_editing_the_maker_makes_the_function_anew(notebook: Notebook) -> None:
    notebook.run("K = 1", MAKE, "%%step t\nf = make(3)", "%%step c\nr = f(1)")
    notebook.restart()
    _, _, made, used = notebook.run(
        "K = 1", MAKE.replace("x + n", "x - n"), "%%step t\nf = make(3)", "%%step c\nr = f(1)"
    )
    assert (made.status, used.status) == ("completed", "completed")
    assert notebook.ns["r"] == -1


def test_a_function_of_that_name_in_a_plain_cell_is_not_taken_for_it(notebook: Notebook) -> None:
    step = "%%step t\ndef f(): return 1\nf = same(f)"
    notebook.run("def same(f): return f", step, "def f(): return 2")
    (again,) = notebook.run(step)
    assert again.status == "cached"
    assert notebook.ns["f"]() == 1


def test_looking_at_the_pipeline_disturbs_nothing(notebook: Notebook) -> None:
    cells = (ACCOUNT, "%%step t\nput, see = account()", "put(5)", "%%step c\nr = see()")
    notebook.run(*cells)
    notebook.restart()
    notebook.run(*cells[:3], "%pipeline status")
    (again,) = notebook.run(cells[3])
    assert again.status == "cached", again.reason


def test_its_source_and_lines_are_those_of_the_cell_in_this_kernel(notebook: Notebook) -> None:
    cells = ("def make(n):\n    def div(x):\n        return n / x\n    return div", "%%step t\nf = make(3)")
    notebook.run(*cells)
    notebook.restart()
    _, again = notebook.run(*cells)
    assert again.status == "cached"
    (source,) = notebook.run("import inspect\ninspect.getsource(f)")
    assert source.result == "    def div(x):\n        return n / x\n"
    failed = notebook.cell("f(0)")
    assert isinstance(failed.error, ZeroDivisionError)
    assert "return" in failed.out


def test_what_cannot_be_kept_is_told_as_what_it_is(notebook: Notebook) -> None:
    (made,) = notebook.run("%%step t\nnames = {}\nShape = type('Shape', (), names)")
    assert "`Shape` is a class made while the step runs" in made.displays[-1]["data"]["text/plain"]
    held_step = "%%step g\nsource = (n for n in range(3))\npull = source.__next__"
    (held,) = notebook.run(held_step)
    assert "source, pull (not stored)" in held.displays[-1]["data"]["text/plain"]
    assert notebook.run("first = pull()", held_step, "again = pull()")[1].status == "cached"
    assert (notebook.ns["first"], notebook.ns["again"]) == (0, 0)


def test_a_pipeline_run_gives_the_same(notebook: Notebook) -> None:
    notebook.run(
        ACCOUNT, "%%step t\nput, see = account()", "%%step d\nput(3)\nq = put(4), see()", "%pipeline run"
    )
    assert notebook.ns["q"] == (7, 7)
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["q"] == (7, 7)
    assert notebook.ns["see"]() == 7


def test_a_pipeline_run_takes_over_what_the_cells_made(notebook: Notebook) -> None:
    notebook.run("K = 1", MAKE, "%%step t\nf = make(3)", "def use(): return f(1)", "%%step c\nr = use()")
    notebook.run("%pipeline run")
    (shown,) = notebook.run("%runs list --json")
    assert '"status": "cached"' in shown.displays[0]["data"]["text/plain"]
    (drawn,) = notebook.run("%pipeline show")
    assert drawn.displays[0]["data"]["text/plain"].startswith("✔ t → ✔ c")


def test_functions_that_hold_data_hold_the_runs_own_in_a_pipeline_run(notebook: Notebook) -> None:
    notebook.run(
        "class Box:\n    def __init__(self): self.items = [0]\nbox = Box()",
        "def push(x, to=box): to.items.append(x)",
        "%%step d\npush(1)\nq = list(box.items)",
    )
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["q"] == [0, 1]  # a run starts from the box that the plain cell made


def test_it_is_loaded_by_name(notebook: Notebook) -> None:
    notebook.run("K = 1", MAKE, "%%step t -o f\nf = make(3)")
    notebook.restart()
    notebook.run("import zennb\nK = 4\ng = zennb.load('f')")
    assert notebook.cell("g(1)").result == 8
