"""Names that share state, changed through one and seen through the other, in two kernels, with zennb and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Action
from tests.reuse.story import cell, restart, status, step, write

if TYPE_CHECKING:
    from tests.reuse.pair import Pair


SHARING = {
    "an alias": "b = a",
    "a list of it": "b = [a]",
    "a dictionary of it": "b = {'k': {'l': a}}",
    "a tuple of it": "b = (a, 1)",
    "an object that holds it": "import types\nb = types.SimpleNamespace(a=a)",
    "a function with it as default": "def b(x=a): return x",
    "a closure over it": "def make(x):\n    return lambda: x\nb = make(a)",
    "a partial of it": "from functools import partial\nb = partial(len, a)",
    "a bound method": "b = a.count",
    "a copy": "b = list(a)",
}


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("alias", SHARING.values(), ids=SHARING)
def test_a_change_in_place_shows_in_whatever_shares_it(pair: Pair, alias: str, order: str) -> None:
    for round_ in range(3):
        cell(pair, "a = [1]")
        if order == "after" and round_ == 0:
            step(pair, "a.append(2)")
            cell(pair, "a = [1]")
        cell(pair, alias)
        step(pair, "a.append(2)")
        cell(pair, "a.append(3)")
        if round_ == 1:
            restart(pair)


VIEWS = {
    "a slice": "v = a[1:3]",
    "a reshape": "v = a.reshape(2, 3)",
    "a transpose": "v = a.reshape(2, 3).T",
    "a view of a view": "v = a[1:][1:]",
    "a view in a dictionary": "v = {'v': a[1:]}",
    "a view as other bytes": "v = a.view('i8')",
    "a copy": "v = a[1:3].copy()",
}


@pytest.mark.parametrize("change", ["a[2] = 9", "a += 1", "a = a + 1"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_change_of_an_array_shows_in_its_views(pair: Pair, view: str, change: str) -> None:
    for _ in range(2):
        cell(pair, "import numpy as np\na = np.arange(6)")
        step(pair, change)
        cell(pair, "a = np.arange(6)")
        cell(pair, view)
        step(pair, change)
        cell(pair, "a[2] = 7")
        restart(pair)


def test_an_array_made_read_only_by_a_step_stays_so(pair: Pair) -> None:
    text = "import numpy as np\na = np.arange(3)\na.flags.writeable = False"
    step(pair, text)
    restart(pair)
    assert status(pair, text) == "cached"
    ran = pair.do(Action("cell", "write", "a[0] = 1"))
    assert ran is not None
    assert "read-only" in ran.error


def test_a_function_inside_a_reused_value_reads_the_notebook_as_it_is_now(pair: Pair) -> None:
    text = "table = {'f': lambda x: x + RATE, 'g': [lambda: table]}"
    cell(pair, "RATE = 1")
    step(pair, text)
    restart(pair)
    cell(pair, "RATE = 1")
    assert status(pair, text) == "cached"
    cell(pair, "RATE = 2")
    cell(pair, "r = table['f'](1), table['g'][0]() is table")


def test_a_part_of_code_that_a_step_hands_out_stays_that_part(pair: Pair) -> None:
    setup = "def f(seen=[]):\n    return seen\nclass K:\n    items = []"
    for text in ("r = f()", "r = f.__defaults__[0]", "r = K.items", "r = {'k': K.items}"):
        cell(pair, setup)
        step(pair, text)
        restart(pair)
        cell(pair, setup)
        step(pair, text)
        cell(pair, "(r['k'] if isinstance(r, dict) else r).append(1)\nsaid = (f(), K.items)")


def test_a_part_of_a_local_module_that_a_step_hands_out_stays_that_part(pair: Pair) -> None:
    write(pair, {"lib.py": "ITEMS = [1]\ndef last(): return ITEMS[-1]"})
    for text in ("import lib\nr = lib.ITEMS", "import lib\nr = [lib.ITEMS]"):
        step(pair, text)
        restart(pair)
        step(pair, text)
        cell(pair, "r.append(9)\nimport lib\nsaid = lib.last()")


@pytest.mark.parametrize("text", ["xs.append(1)\nr = len(ys)", "ys += [2]\nr = sum(xs)", "r = [xs, ys]"])
def test_equal_inputs_are_not_taken_for_one_and_the_same(pair: Pair, text: str) -> None:
    for _ in range(2):
        for setup in ("xs = [1]\nys = xs", "xs = [1]\nys = [1]"):
            cell(pair, setup)
            step(pair, text)
            cell(pair, "xs.append(3)")
        restart(pair)


def test_an_array_and_an_equal_copy_are_not_taken_for_one_and_the_same(pair: Pair) -> None:
    for _ in range(2):
        for setup in ("v = a[1:]", "v = a[1:].copy()"):
            cell(pair, f"import numpy as np\na = np.arange(4)\n{setup}")
            step(pair, "a[2] = 9\nr = int(v.sum())")
        restart(pair)
