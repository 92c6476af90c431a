"""What other tools get wrong: each edit is made in two kernels, with zennb and without, which must never differ.

Each story: cells run, a step runs; again, and it is reused; then the edit, after which the step runs again (or is
reused, where the edit does not matter); then both versions once more in a new kernel, where both are reused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.edits import CELLS
from tests.reuse.pair import Action
from tests.reuse.story import cell, restart, status, step

if TYPE_CHECKING:
    from tests.reuse.pair import Pair


@pytest.mark.parametrize(("before", "after", "text"), CELLS.values(), ids=CELLS)
def test_an_edit_of_what_a_step_reaches_makes_it_run_again(
    pair: Pair, before: str, after: str, text: str
) -> None:
    pair.do(Action("install", "1.0"))
    cell(pair, before)
    assert status(pair, text) == "completed"
    assert status(pair, text) == "cached"
    cell(pair, after)
    again = step(pair, text)
    assert again.facts["status"] == "completed", again.facts
    restart(pair)
    for setup in (before, after):
        cell(pair, setup)
        taken_over = step(pair, text)
        assert taken_over.facts["status"] == "cached", taken_over.facts


NEUTRAL: dict[str, tuple[str, str, str]] = {
    "a comment": ("def f(): return 1", "def f():\n    # one\n    return 1", "r = f()"),
    "a docstring": ("def f(): return 1", "def f():\n    '''One.'''\n    return 1", "r = f()"),
    "a class docstring": (
        "class K:\n    n = 1",
        "class K:\n    '''One.'''\n    n = 1",
        "r = K.n",
    ),
    "layout": ("def f(): return 1 + 1", "def f():\n\n    return (1\n            + 1)", "r = f()"),
    "another place in the cell": ("def f(): return 1", "\n\n\ndef f(): return 1", "r = f()"),
    "the order of methods": (
        "class K:\n    def a(self): return 1\n    def b(self): return 2",
        "class K:\n    def b(self): return 2\n    def a(self): return 1",
        "r = K().a()",
    ),
    "a helper that nothing here calls": (
        "def f(): return 1\ndef g(): return 2",
        "def f(): return 1\ndef g(): return 3",
        "r = f()",
    ),
    "a constant of the same value": (
        "RATE = 2\ndef f(): return RATE",
        "RATE = 1 + 1\ndef f(): return RATE",
        "r = f()",
    ),
    "a name that is bound before it is read": ("x = 1", "x = 2", "x = 5\nr = x"),
    "quotes": ("def f(): return 'a'", 'def f(): return "a"', "r = f()"),
    "a frame made otherwise": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})",
        "import pandas as pd\ndf = pd.DataFrame({'a': [0, 1, 2]})[1:].reset_index(drop=True)",
        "r = int(df['a'].sum())",
    ),
    "a set filled in another order": ("xs = {1, 9, 17}", "xs = {17, 9, 1}", "r = len(xs)"),
    "an array with gaps in memory": (
        "import numpy as np\na = np.arange(6)",
        "import numpy as np\na = np.arange(12)[::2] // 2",
        "r = int(a.sum())",
    ),
}


@pytest.mark.parametrize(("before", "after", "text"), NEUTRAL.values(), ids=NEUTRAL)
def test_an_edit_that_changes_nothing_runs_nothing(pair: Pair, before: str, after: str, text: str) -> None:
    cell(pair, before)
    assert status(pair, text) == "completed"
    cell(pair, after)
    assert status(pair, text) == "cached"
    restart(pair)
    cell(pair, after)
    assert status(pair, text) == "cached"


def test_two_steps_that_read_alike_but_reach_something_else(pair: Pair) -> None:
    cell(pair, "def f(): return 1")
    assert status(pair, "r = f()", "one") == "completed"
    restart(pair)
    cell(pair, "def f(): return 2")
    assert status(pair, "r = f()", "two") == "completed"


BINDINGS = {
    "for": "for i in xs: r = i",
    "with": "import io\nwith io.StringIO(str(xs)) as f: r = f.read()\ndel f",
    "walrus": "if (n := len(xs)) > 2: r = n\nelse: r = -n",
    "walrus in a comprehension": "r = [last := x for x in xs]",
    "match": "match xs:\n    case [first, *rest]: r = rest",
    "except": "try:\n    xs[9]\nexcept IndexError as e:\n    r = str(e) + str(len(xs))",
    "unpacking": "first, *r = xs",
    "augmented": "r = 0\nr += sum(xs)",
    "chained": "r = s = list(xs)",
    "subscripts": "r = {}\nr['n'] = xs",
    "comprehension": "r = {x: [y for y in range(x)] for x in xs}",
    "annotation": "r: list = xs + [1]",
    "import": "import math as r",
    "nested function": "def outer():\n    def inner(): return xs\n    return inner()\nr = outer()",
    "class body": "class K:\n    n = xs[0]\nr = K.n",
    "decorator": "def deco(f): return f()\n@deco\ndef r(): return xs",
}


@pytest.mark.parametrize("text", BINDINGS.values(), ids=BINDINGS)
def test_names_are_bound_and_read_whatever_binds_them(pair: Pair, text: str) -> None:
    cell(pair, "xs = [1, 2, 3]")
    step(pair, text)
    assert status(pair, text) == "cached"
    cell(pair, "xs = [4, 5]")
    step(pair, text)
    for setup in ("xs = [1, 2, 3]", "xs = [4, 5]"):
        restart(pair)
        cell(pair, setup)
        assert status(pair, text) == "cached"


def test_a_helper_that_writes_a_global(pair: Pair) -> None:
    text = "bump()\nr = n"
    for by in ("1", "2"):
        cell(pair, f"n = 0\ndef bump():\n    global n\n    n += {by}")
        assert status(pair, text) == "completed"
    restart(pair)
    cell(pair, "n = 0\ndef bump():\n    global n\n    n += 1")
    assert status(pair, text) == "cached"
    assert status(pair, text) == "completed"  # n is 1 now


def test_a_name_that_is_deleted_and_read_again(pair: Pair) -> None:
    cell(pair, "x = [1]")
    step(pair, "r = x\ndel x")
    ran = pair.do(Action("step", "again", "r = x"))
    assert ran is not None
    assert "NameError" in ran.error
    cell(pair, "x = [1]")
    assert status(pair, "r = x\ndel x") == "cached"
    ran = pair.do(Action("cell", "again", "r = x"))
    assert ran is not None
    assert "NameError" in ran.error


def test_an_instance_whose_class_is_edited_later_keeps_its_class(pair: Pair) -> None:
    first, second = ("class K:\n    def get(self): return " + n for n in "12")
    cell(pair, first)
    step(pair, "k = K()", "make")
    cell(pair, second)
    step(pair, "r = k.get()", "use")
    step(pair, "k.n = 5", "change")
    step(pair, "r = [k, K()]", "both")
    step(pair, "r = (type(k) is K, k.get(), K().get())", "compare")
    for setup in (second, first):
        restart(pair)
        cell(pair, setup)
        for name, text in (
            ("make", "k = K()"),
            ("use", "r = k.get()"),
            ("change", "k.n = 5"),
            ("both", "r = [k, K()]"),
        ):
            step(pair, text, name)


def test_a_method_called_through_an_instance_of_a_class_edited_later(pair: Pair) -> None:
    cell(pair, "class K:\n    n = 1\n    def get(self): return self.n\nk = K()")
    assert status(pair, "r = k.get()") == "completed"
    cell(pair, "class K:\n    n = 2\n    def get(self): return self.n")
    assert step(pair, "r = k.get()").facts["reason"].startswith("earlier `class K` is new")
    assert status(pair, "r = k.get()") == "cached"  # k still is of the class it was made from
    cell(pair, "k = K()")
    assert status(pair, "r = k.get()") == "completed"


@pytest.mark.parametrize("line", ["r = !echo {x}", "r = !echo $x", "%env ZENNB_PEER={x}"])
def test_a_name_in_a_shell_or_magic_line_is_expanded_anew(pair: Pair, line: str) -> None:
    for value in ("one", "two", "one"):
        cell(pair, f"x = {value!r}")
        step(pair, line)
    restart(pair)
    cell(pair, "x = 'two'")
    step(pair, line)
    cell(pair, "import os\nsaid = os.environ.get('ZENNB_PEER')")


@pytest.mark.parametrize("change", ["xs.append(n for n in xs)", "xs += [(n for n in (1, 2))]", "k.grow()"])
def test_an_input_that_cannot_be_stored_after_the_step_is_looked_at_again(pair: Pair, change: str) -> None:
    one = "class K:\n    n = 1\n    def grow(self): self.n += 1"
    cell(pair, f"{one}\nk, xs = K(), [1]")
    look = "r = (k.n, len(xs))"
    for _ in range(2):
        step(pair, look, "look")
        cell(pair, one)  # from here on `k` is an instance of a class that has been defined anew
        step(pair, change, "change")
        step(pair, look, "look")


@pytest.mark.parametrize(
    "text", ["x = [1]\nr = x\ndel x", "x = [1]\nr = x\nif r: del x", "if r:\n    x = 2\n    del x"]
)
def test_a_name_that_a_step_binds_and_deletes_is_gone_whether_it_was_there_or_not(
    pair: Pair, text: str
) -> None:
    for setup in ("r = 1\nx = 5", "r = 1\nx = 5\ndel x", "r = 1\nx = 6"):
        cell(pair, setup)
        step(pair, text)
        cell(pair, setup)
        step(pair, text)
        restart(pair)


def test_what_a_cached_function_remembers_of_older_code_is_never_recorded(pair: Pair) -> None:
    cached = "@lru_cache\ndef f(x): return g(x) + RATE"
    setup = "from functools import lru_cache\nRATE = 1\ndef g(x): return x + 1\n"
    for edit in ("def g(x): return x + 2", "RATE = 5", "f.cache_clear()\nRATE = 7"):
        cell(pair, setup + cached)
        cell(pair, "r = f(3)")
        cell(pair, edit)
        step(pair, "r = f(3)", "first")
        restart(pair)
        cell(pair, setup + edit.replace("f.cache_clear()", "None"))
        cell(pair, cached)
        step(pair, "r = f(3)", "first")
        restart(pair)
