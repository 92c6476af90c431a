"""Steps in another process leave what they leave in the kernel, or are refused there: two kernels, never different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Action, Pair
from tests.reuse.story import cell, restart, status, step, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reuse.pair import Ran, Warm

MODULE = """
import random
random.seed(3)
RATE = 2
ITEMS = [1]
class Counted:
    count = 0
    def __init__(self):
        Counted.count += 1
def set_rate(v):
    global RATE
    RATE = v
def rate():
    return RATE
"""


@pytest.fixture
def pair(warm: Warm) -> Iterator[Pair]:
    kernels = Pair(warm, elsewhere=True)
    yield kernels
    kernels.close()


def elsewhere(pair: Pair, text: str, name: str = "s") -> Ran:
    ran = pair.do(Action("elsewhere", name, text))
    assert ran is not None
    return ran


def test_what_a_class_or_function_made_by_its_other_name_is_the_notebooks(pair: Pair) -> None:
    cell(pair, "class K:\n    def __init__(self, n):\n        self.n = n\ndef h(x):\n    return x + 1")
    elsewhere(pair, "alias, other = K, h", "names")
    elsewhere(pair, "r = alias(2)\nf = other", "use")
    cell(pair, "(type(r) is K, isinstance(r, alias), f is h)")


REFUSED = {
    "a generator": ("g = 5", "g = (x for x in (1, 2))", "`g` is a generator"),
    "a lock": ("import threading", "lock = threading.Lock()", "`lock` is a lock"),
    "a class made by a call": (
        "made = []",
        "for n in 'P': P = type(n, (), {})",
        "`P` is a class made while the step runs",
    ),
    "a variable whose value is not stored": (
        "import os\ntext = 'abc'",
        "os.environ['REUSE_LEVEL'] = text[::-1]",
        "it sets the environment variable REUSE_LEVEL",
    ),
    "handlers of logs": ("import logging", "logging.basicConfig(level=10)", "it sets up logging"),
    "logs that the notebook shows its own way": (
        "import logging, sys\nlogging.basicConfig(stream=sys.stdout, level=10)",
        "logging.info('hello')",
        "it logs",
    ),
    "an input that is a part of a class": (
        "class K:\n    items = []\nxs = K.items",
        "xs.append(1)\nn = len(K.items)",
        "it modifies class `K`",
    ),
    "an input that is a part of code the step does not read": (
        "class K:\n    items = []\nxs = K.items",
        "xs.append(1)",
        "`xs` shares state with class `K`",
    ),
    "an output that is a part of a class": (
        "class K:\n    items = []",
        "xs = K.items",
        "`xs` shares state with class `K`",
    ),
    "a number drawn while a class is defined": (
        "import random",
        "class K:\n    token = random.random()\nr = K.token",
        "its definitions change a random generator",
    ),
    "a connection of the notebook": (
        "import sqlite3\nd = sqlite3.connect('q.db').execute('create table u (x)')\ncon = sqlite3.connect('q.db')",
        "con.execute('create table t (x)')\ncon.commit()\nr = con.execute('select * from t').fetchall()",
        "it reads a database connection to q.db, which stays in the notebook's kernel",
    ),
    "names looked up": ("x = 3", "r = globals().get('x')", "it uses `globals()`"),
    "names looked up in a function": ("x = 3\ndef f(): return eval('x')", "r = f()", "`f` uses `eval(...)`"),
}


@pytest.mark.parametrize(("before", "text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_not_come_back_is_refused(pair: Pair, before: str, text: str, why: str) -> None:
    cell(pair, before)
    assert why in elsewhere(pair, text).refused


DONE = {
    "all expressions shown": ("get_ipython().ast_node_interactivity = 'all'", "1\n2"),
    "no expression shown": ("get_ipython().ast_node_interactivity = 'none'", "1\n2"),
    "assignments shown": ("get_ipython().ast_node_interactivity = 'last_expr_or_assign'", "x = 4"),
    "levels of loggers": (
        "import logging\nlogging.getLogger('lib').setLevel(10)",
        "r = logging.getLogger('lib').level",
    ),
    "a name only deleted": ("x = 1", "del x"),
    "slots": (
        "class K:\n    __slots__ = ('a',)\nk = K()",
        "k.a = 1\nother = K()\ntry:\n    k.b = 2\nexcept AttributeError:\n    r = 'no'",
    ),
    "an error with arguments of its own": (
        "class E(Exception):\n    def __init__(self, a, b):\n        super().__init__(f'{a}-{b}')",
        "raise E(1, 2)",
    ),
    "an error whose message is made": (
        "class E(ValueError):\n    def __init__(self, m):\n        super().__init__('bad ' + m)",
        "raise E('x')",
    ),
    "an error that holds a lock": (
        "import threading",
        "e = ValueError('m')\ne.lock = threading.Lock()\nraise e",
    ),
}


@pytest.mark.parametrize(("before", "text"), DONE.values(), ids=DONE)
def test_what_the_kernel_does_is_done_elsewhere_too(pair: Pair, before: str, text: str) -> None:
    cell(pair, before)
    assert elsewhere(pair, text).refused == ""


def test_a_view_of_another_steps_array_sees_what_a_step_elsewhere_writes(pair: Pair) -> None:
    step(pair, "import numpy as np\narr = np.arange(4)", "arr")
    cell(pair, "view = arr[1:3]")
    assert elsewhere(pair, "arr[1] = 9").refused == ""
    cell(pair, "arr[2] = 7")


def test_a_step_elsewhere_keeps_the_step_that_made_its_input(pair: Pair) -> None:
    cell(pair, "xs = [1]")
    step(pair, "xs.append(5)", "first")
    cell(pair, "ys = {'xs': xs}")
    elsewhere(pair, "xs.append(0)", "second")
    cell(pair, "ys = None")
    pair.do(Action("pipeline"))


def test_a_folder_that_modules_came_from_is_forgotten_elsewhere_too(pair: Pair) -> None:
    write(pair, {"more/only.py": "V = 1"})
    cell(pair, "import os, sys\nhere = len(sys.path)\nsys.path.insert(0, 'more')")
    elsewhere(pair, "x = 1")
    cell(pair, "sys.path.remove('more')")
    text = "try:\n    import only\n    r = 'there'\nexcept ImportError:\n    r = 'absent'"
    assert elsewhere(pair, text).refused == ""


def test_a_local_module_sets_nothing_when_it_is_imported_elsewhere_again(pair: Pair) -> None:
    write(pair, {"lib.py": MODULE})
    cell(pair, "import lib, random\nrandom.seed(7)")
    assert elsewhere(pair, "r = random.random() + lib.rate()").refused == ""
    cell(pair, "q = random.random()")


def test_a_local_module_prints_nothing_when_it_is_imported_elsewhere_again(pair: Pair) -> None:
    write(pair, {"lib.py": "print('loading')\nA = 1\ndef a():\n    return A"})
    cell(pair, "from lib import A")
    assert elsewhere(pair, "import lib\nr = lib.a()").refused == ""


def test_what_a_failed_step_left_in_a_module_does_not_reach_the_next_one(pair: Pair) -> None:
    write(pair, {"lib.py": MODULE})
    cell(pair, "import lib")
    assert elsewhere(pair, "lib.Counted.count = 5\n1 / 0").error == "ZeroDivisionError: division by zero"
    cell(pair, "lib.Counted.count = 0")
    assert elsewhere(pair, "r = lib.Counted.count").refused == ""


def test_a_step_that_sets_a_modules_variable_is_refused_elsewhere_and_not_reused_here(pair: Pair) -> None:
    write(pair, {"lib.py": MODULE})
    cell(pair, "import lib")
    assert "it modifies constant `lib.RATE`" in elsewhere(pair, "lib.set_rate(9)").refused
    restart(pair)
    cell(pair, "import lib")
    assert status(pair, "lib.set_rate(9)") == "completed"
    cell(pair, "r = lib.rate()")


UPGRADES = {
    "the worker has loaded the old one": (
        "%load_ext autoreload\n%autoreload 2",
        "elsewhere",
        "1.0 there and 2.0",
    ),
    "the kernel has loaded the old one": ("pass", "cell", "2.0 there and 1.0"),
}


@pytest.mark.parametrize(("before", "verb", "versions"), UPGRADES.values(), ids=UPGRADES)
def test_a_step_does_not_run_with_another_version_of_a_package(
    pair: Pair, before: str, verb: str, versions: str
) -> None:
    pair.do(Action("install", "1.0"))
    cell(pair, before)
    pair.do(Action(verb, "one", "import fakepkg\nr = fakepkg.work(1)"))
    pair.do(Action("install", "2.0"))
    assert (
        f"fakepkg is {versions} in the notebook"
        in elsewhere(pair, "import fakepkg\nr = fakepkg.work(2)").refused
    )


@pytest.mark.parametrize("holder", ["class K:\n    items = []\nxs = K.items", "import lib\nxs = lib.ITEMS"])
def test_a_changed_input_that_code_holds_is_not_reused(pair: Pair, holder: str) -> None:
    write(pair, {"lib.py": MODULE})
    for _ in range(2):
        cell(pair, holder)
        assert status(pair, "xs.append(1)") == "completed"
        cell(pair, "xs.append(2)")
        restart(pair)


@pytest.mark.parametrize("text", ["logging.getLogger('lib').setLevel(10)", "quieten()"])
def test_the_level_of_a_logger_is_set_again_on_reuse(pair: Pair, text: str) -> None:
    for expected in ("completed", "cached"):
        cell(pair, "import logging\ndef quieten():\n    logging.getLogger('lib').setLevel(40)")
        assert status(pair, text) == expected
        cell(pair, "r = logging.getLogger('lib').level")
        restart(pair)
