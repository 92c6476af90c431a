"""State of local modules and classes that steps set: after reuse it is as in a plain kernel."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

START = "import sys\nsys.path.insert(0, '')"

SETS = {
    "a global that is only set": (
        "LOC = None\ndef use(w):\n    global LOC\n    LOC = w",
        "lib.use(5)",
        "lib.LOC",
    ),
    "a global that did not exist": ("def use(w):\n    global LOC\n    LOC = w", "lib.use(5)", "lib.LOC"),
    "a global set by what it calls": (
        "LOC = None\ndef low(w):\n    global LOC\n    LOC = w\ndef use(w): low(w)",
        "lib.use(5)",
        "lib.LOC",
    ),
    "a global set by a method": (
        "LOC = None\nclass T:\n    def use(self, w):\n        global LOC\n        LOC = w",
        "lib.T().use(5)",
        "lib.LOC",
    ),
    "a global set by a method of what a call gives": (
        "LOC = None\nclass T:\n    def use(self, w):\n        global LOC\n        LOC = w\ndef make(): return T()",
        "lib.make().use(5)",
        "lib.LOC",
    ),
    "a global set by a method of an input": (
        "LOC = None\nclass T:\n    def use(self, w):\n        global LOC\n        LOC = w\nclass U(T): pass",
        "t.use(5)",
        "lib.LOC",
    ),
    "a global set by a nested function": (
        "LOC = None\ndef use(w):\n    def inner():\n        global LOC\n        LOC = w\n    return inner",
        "lib.use(5)()",
        "lib.LOC",
    ),
    "a global set by a loop": (
        "LOC = None\ndef use(w):\n    global LOC\n    for LOC in range(w): pass",
        "lib.use(5)",
        "lib.LOC",
    ),
    "a global that is deleted": (
        "LOC = 1\ndef use(w):\n    global LOC\n    del LOC",
        "lib.use(5)",
        "hasattr(lib, 'LOC')",
    ),
    "a global that is a function": (
        "def use(w):\n    global LOC\n    def LOC(): return w",
        "lib.use(5)",
        "lib.LOC()",
    ),
    "a global that is an import": (
        "def use(w):\n    global LOC\n    import math as LOC",
        "lib.use(5)",
        "lib.LOC.pi",
    ),
    "a global set through `globals()`": (
        "def use(w): globals()['LOC'] = w",
        "lib.use(5)",
        "lib.LOC",
    ),
    "a global set through `sys.modules`": (
        "import sys\ndef use(w): setattr(sys.modules[__name__], 'LOC', w)",
        "lib.use(5)",
        "lib.LOC",
    ),
    "a global set through an attribute of the own module": (
        "import sys\ndef use(w):\n    me = sys.modules[__name__]\n    me.LOC = w",
        "lib.use(5)",
        "lib.LOC",
    ),
    "an attribute of a module that a function of another sets": (
        "import low\ndef use(w): low.LOC = w",
        "lib.use(5)",
        "lib.low.LOC",
    ),
    "an attribute of a module that a function imports": (
        "def use(w):\n    import low\n    low.LOC = w",
        "lib.use(5)",
        "__import__('low').LOC",
    ),
    "a counter": ("n = 0\ndef use(w):\n    global n\n    n += w", "lib.use(5)", "lib.n"),
    "an item": ("CACHE = {}\ndef use(w): CACHE[w] = w", "lib.use(5)", "lib.CACHE"),
    "an item further in": (
        "CACHE = {'a': []}\ndef use(w): CACHE['a'].append(w)",
        "lib.use(5)",
        "lib.CACHE",
    ),
    "a list imported by name": ("STATE = []", "from lib import STATE\nSTATE.append(5)", "lib.STATE"),
    "a list imported by name before": ("STATE = []", "state.append(5)", "lib.STATE"),
    "an attribute set by the step": ("X = 1", "lib.X = 5", "lib.X"),
    "an attribute set by `setattr`": ("X = 1", "setattr(lib, 'X', 5)", "lib.X"),
    "an attribute set in its dictionary": ("X = 1", "vars(lib)['X'] = 5", "lib.X"),
    "an attribute set by `update`": ("X = 1", "lib.__dict__.update(X=5)", "lib.X"),
    "a private attribute set by `setattr`": ("_X = 1", "setattr(lib, '_X', 5)", "lib._X"),
    "an attribute that is deleted": ("X = 1", "delattr(lib, 'X')", "hasattr(lib, 'X')"),
    "an attribute set on a module got by its name": (
        "X = 1",
        "import importlib\nimportlib.import_module('lib').X = 5",
        "lib.X",
    ),
    "an attribute set on a module in `sys.modules`": ("X = 1", "sys.modules['lib'].X = 5", "lib.X"),
    "an attribute set by a helper of the notebook": ("X = 1", "put(lib, 'X', 5)", "lib.X"),
    "an attribute of a class": ("class C:\n    n = 0\ndef use(w): C.n = w", "lib.use(5)", "lib.C.n"),
    "an attribute of a class by its method": (
        "class C:\n    n = 0\n    @classmethod\n    def use(cls, w): cls.n += w",
        "lib.C.use(5)",
        "lib.C.n",
    ),
    "an attribute of a class by its instance": (
        "class C:\n    n = 0\n    def __init__(self): type(self).n += 1",
        "c = lib.C()",
        "lib.C.n",
    ),
    "an object of the module": (
        "class C: pass\nconfig = C()\ndef use(w): config.debug = w",
        "lib.use(5)",
        "lib.config.debug",
    ),
    "an object of the module, by the step": (
        "class C: pass\nconfig = C()",
        "lib.config.debug = 5",
        "lib.config.debug",
    ),
    "an attribute of a function": ("def use(w): use.n = w", "lib.use(5)", "lib.use.n"),
    "a default": (
        "def use(w, seen=[]):\n    seen.append(w)\n    return len(seen)",
        "lib.use(5)",
        "lib.use(6)",
    ),
    "a closure": (
        "def make(n=0):\n  def use(w):\n    nonlocal n\n    n += w\n    return n\n  return use\nuse = make()",
        "lib.use(5)",
        "lib.use(6)",
    ),
    "a registry": (
        "REG = {}\ndef reg(f):\n    REG[f.__name__] = f\n    return f",
        "@lib.reg\ndef g(): pass",
        "list(lib.REG)",
    ),
    "a counter of Python's": (
        "import itertools\nids = itertools.count()\ndef use(w): return next(ids)",
        "r = lib.use(5)",
        "lib.use(5)",
    ),
    "a generator": (
        "def numbers():\n    yield from range(9)\nids = numbers()\ndef use(w): return next(ids)",
        "r = lib.use(5)",
        "lib.use(5)",
    ),
    "a generator on a class": (
        "class C:\n    ids = (n for n in range(9))\n    def __init__(self): self.n = next(C.ids)",
        "r = lib.C().n",
        "lib.C().n",
    ),
    "a counter on a class": (
        "import itertools\nclass C:\n    ids = itertools.count()\n    def __init__(self): self.n = next(self.ids)",
        "r = lib.C().n",
        "lib.C().n",
    ),
    "an iterator on a class": (
        "class C:\n    ids = iter([1, 2, 3])\n    def __init__(self): self.n = next(self.ids)",
        "r = lib.C().n",
        "lib.C().n",
    ),
    "a generator in a list on a class": (
        "class C:\n    ids = [(n for n in range(9))]\n    def __init__(self): self.n = next(self.ids[0])",
        "r = lib.C().n",
        "lib.C().n",
    ),
    "a generator on a base class": (
        "class B:\n    ids = (n for n in range(9))\nclass C(B):\n    def __init__(self): self.n = next(self.ids)",
        "r = lib.C().n",
        "lib.C().n",
    ),
    "a context variable": (
        "from contextvars import ContextVar\nVAR = ContextVar('v', default=0)\ndef use(w): VAR.set(w)",
        "lib.use(5)",
        "lib.VAR.get()",
    ),
    "a value for each thread": (
        "import threading\nhere = threading.local()\ndef use(w): here.n = w",
        "lib.use(5)",
        "lib.here.n",
    ),
    "a generator of random numbers": (
        "import random\nrng = random.Random(1)\ndef use(w): return rng.random()",
        "r = lib.use(5)",
        "lib.use(5)",
    ),
    "a module loaded again": (
        "STATE = []\ndef use(w): STATE.append(w)",
        "import importlib\nimportlib.reload(lib)",
        "lib.STATE",
    ),
    "a queue": (
        "from collections import deque\nQ = deque()\ndef use(w): Q.append(w)",
        "lib.use(5)",
        "list(lib.Q)",
    ),
}

OWN = {
    "a generator on a class of the notebook": (
        "class C:\n    ids = (n for n in range(9))\n    def __init__(self): self.n = next(C.ids)",
        "r = C().n",
        "C().n",
    ),
    "a counter on a class of the notebook": (
        "import itertools\nclass C:\n    ids = itertools.count()\n    def __init__(self): self.n = next(self.ids)",
        "r = C().n",
        "C().n",
    ),
    "a generator got from a class of the notebook": (
        "class C:\n    ids = (n for n in range(9))",
        "r = next(C.ids)",
        "next(C.ids)",
    ),
    "a generator that a function makes": (
        "def numbers(): yield from range(9)\nclass C:\n    ids = numbers()\n    def new(self): return next(self.ids)",
        "r = C().new()",
        "C().new()",
    ),
    "a map on a class": ("class C:\n    ids = map(str, range(9))", "r = next(C.ids)", "next(C.ids)"),
}


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    yield
    forget()


def forget() -> None:
    for name in ("lib", "low"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def holds(notebook: Notebook, cells: list[str], step: str, probe: str) -> list[object]:
    """Return what the probe gives plain, then after a step, reused in the same kernel, and reused in a new one."""
    found: list[object] = []
    notebook.run(*cells, step, f"found = {probe}")
    found.append(notebook.ns["found"])
    for text in (f"%%step s\n{step}",) * 3:
        forget()
        notebook.restart()
        notebook.run(*cells, text, f"found = {probe}")
        found.append(notebook.ns["found"])
    return found


@pytest.mark.parametrize("case", SETS)
def test_what_a_step_sets_in_a_local_module_is_there_after_reuse(
    notebook: Notebook, tmp_path: Path, case: str
) -> None:
    text, step, probe = SETS[case]
    (tmp_path / "lib.py").write_text(text)
    (tmp_path / "low.py").write_text("LOC = 0")
    forget()
    helpers = "import lib\ndef put(holder, name, value): setattr(holder, name, value)"
    more = (
        ["t = lib.U()"]
        if "class U" in text
        else ["from lib import STATE as state"]
        if "state." in step
        else []
    )
    found = holds(notebook, [START, helpers, *more], step, probe)
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("case", OWN)
def test_what_a_step_takes_from_a_class_is_taken_after_reuse(notebook: Notebook, case: str) -> None:
    text, step, probe = OWN[case]
    found = holds(notebook, [text], step, probe)
    assert found == [found[0]] * len(found)
