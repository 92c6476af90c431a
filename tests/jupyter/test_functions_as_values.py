"""Functions that no definition brings back: made by calls, carrying a cache or a count, methods of objects."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MEMO = """
import functools
def memoize(function):
    cache = {}
    @functools.wraps(function)
    def inner(n):
        if n not in cache:
            cache[n] = function(n)
        return cache[n]
    inner.cache = cache
    return inner
"""
COUNTER = """
def counter():
    count = 0
    def step(by=1):
        nonlocal count
        count += by
        return count
    return step
"""
ACCESSORS = """
def accessors():
    box = [0]
    def get(): return box[0]
    def put(value): box[0] = value
    return get, put
"""

NOTEBOOKS = {
    "made by a call": ("def adder(n):\n    return lambda x: x + n", "add = adder(3)\nadd(1)", "add(2)"),
    "decorated later": (
        "def shout(f):\n    def inner(*a):\n        return str(f(*a)).upper()\n    return inner",
        "def word(x): return x + 'b'\nword = shout(word)\nword('a')",
        "word('c')",
    ),
    "a cache as an attribute": (
        MEMO,
        "@memoize\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(10)",
        "len(fib.cache)",
        "fib(20)",
        "len(fib.cache)",
    ),
    "a count in a closure": (COUNTER, "tick = counter()\ntick()", "tick()", "tick(5), tick()"),
    "two functions of one variable": (ACCESSORS, "get, put = accessors()\nput(4)", "put(7)", "get()"),
    "a mutable default": (
        "def keep(x, xs=[]):\n    xs.append(x)\n    return xs\nkeep(1)",
        "keep(2)",
        "keep(3)",
    ),
    "bound in a loop": ("for f in (len, sorted, abs):\n    pass\nf(-1)", "f(-2)"),
    "a class bound in a loop": (
        "class A: n = 1\nclass B: n = 2",
        "for cls in (A, B):\n    last = cls().n\nlast",
        "cls.n, cls is B",
    ),
    "a method of an object": ("xs = []\npush = xs.append\npush(1)", "push(2)", "xs"),
    "defined under a condition": ("n = 3\nif n > 2:\n    def f(): return n\nf()", "f()"),
    "an lru_cache": (
        "import functools\n@functools.lru_cache\ndef fact(n):\n    return n * fact(n - 1) if n else 1\nfact(5)",
        "fact(6)",
    ),
    "an lru_cache put around later": (
        "import functools\ndef twice(x): return 2 * x\ncached = functools.lru_cache()(twice)\ncached(1)",
        "cached(2), cached.cache_parameters()['maxsize']",
    ),
    "a named tuple": (
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\np = Point(1, 2)",
        "p._replace(x=3), isinstance(p, Point)",
    ),
    "a global read when called": (
        "scale = 2",
        "fs = [lambda x, n=n: x * scale + n for n in range(2)]\n[f(1) for f in fs]",
        "scale = 10",
        "[f(1) for f in fs]",
    ),
}


def shown(names: dict[str, Any], cell: str) -> str:
    """Run a cell plain; return what its last expression shows."""
    *body, last = ast.parse(cell).body
    exec(compile(ast.Module(body=body, type_ignores=[]), "<plain>", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(body=last.value), "<plain>", "eval"), names)
        return repr(value)
    exec(compile(ast.Module(body=[last], type_ignores=[]), "<plain>", "exec"), names)
    return repr(None)


@pytest.mark.parametrize("cells", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_each_step_shows_what_the_plain_cell_shows_and_is_reused_in_a_new_kernel(
    notebook: Notebook, cells: tuple[str, ...]
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    expected = [shown(names, cell) for cell in cells]
    steps = [f"%%step s{number}\n{cell}" for number, cell in enumerate(cells)]
    assert [repr(notebook.run(cell)[0].result) for cell in steps] == expected
    notebook.restart()
    again = notebook.run(*steps)
    assert [ran.status for ran in again] == ["cached"] * len(cells), [ran.reason for ran in again]


@pytest.mark.parametrize("cells", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_what_was_reused_works_on_as_after_plain_cells(notebook: Notebook, cells: tuple[str, ...]) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        shown(names, cell)
    expected = shown(names, cells[-1])
    steps = [f"%%step s{number}\n{cell}" for number, cell in enumerate(cells)]
    notebook.run(*steps)
    notebook.restart()
    notebook.run(*steps)
    assert repr(notebook.run(cells[-1])[0].result) == expected


def test_editing_the_function_that_made_it_runs_the_step_again(notebook: Notebook) -> None:
    makes = "def adder(n):\n    return lambda x: x + n"
    notebook.run(makes, "%%step s\nadd = adder(3)", "%%step t\ny = add(1)")
    notebook.restart()
    notebook.run(makes.replace("x + n", "x - n"))
    ran, used = notebook.run("%%step s\nadd = adder(3)", "%%step t\ny = add(1)")
    assert (ran.status, used.status, notebook.ns["y"]) == ("completed", "completed", -2)


def test_a_function_that_closes_over_what_cannot_be_stored_is_made_again_when_it_is_called(
    notebook: Notebook,
) -> None:
    makes = "def reader():\n    values = (n for n in range(9))\n    return lambda: next(values)"
    notebook.run(makes)
    for status in ("completed", "cached"):
        (ran,) = notebook.run("%%step s\nread = reader()\nread()")
        assert ran.status == status
        assert notebook.run("read()")[0].result == 1


def test_a_failing_step_gives_a_counting_function_back_as_it_was(notebook: Notebook) -> None:
    notebook.run(COUNTER, "%%step s\ntick = counter()\ntick()")
    ran = notebook.cell("%%step t\ntick()\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert notebook.run("tick()")[0].result == 2


def test_the_source_of_a_loaded_function_is_known(notebook: Notebook) -> None:
    makes = "def adder(n):\n    def add(x):\n        return x + n\n    return add"
    notebook.run(f"%%step s\n{makes}\nadd = adder(3)")
    notebook.restart()
    notebook.run(f"%%step s\n{makes}\nadd = adder(3)", "import inspect\nsource = inspect.getsource(add)")
    assert "return x + n" in notebook.ns["source"]


def test_the_line_of_a_step_is_no_comment_on_the_function_below_it(notebook: Notebook) -> None:
    notebook.run(
        "%%step\ndef half(x):\n    return x / 2", "import inspect\ncomments = inspect.getcomments(half)"
    )
    assert notebook.ns["comments"] is None
