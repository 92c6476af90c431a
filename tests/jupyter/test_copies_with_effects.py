"""Objects whose own methods do something for each copy: no cell sees that they were digested, stored or loaded."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

NEW = """class K:
    def __new__(cls, *given):
        {}
        return super().__new__(cls)
k = K()"""
STATE = """seen = []
class K:
    def __init__(self): self.v = 1
    def {}:
        {}
        return {}
k = K()"""
LOAD = """seen = []
class K:
    count = 0
    kept = []
    def __init__(self): self.v = 1
    def __setstate__(self, state):
        self.__dict__.update(state)
        {}
k = K()"""
SETTER = """    @property
    def w(self): return 1
    @w.setter
    def w(self, value): seen.append(value)
"""
NOTED = """    def __init__(self): self.__dict__["v"] = 1
    def __setattr__(self, name, value):
        seen.append(name)
        object.__setattr__(self, name, value)"""
DESCRIPTOR = """class D:
    def __get__(self, one, cls=None): return self
    def __set__(self, one, value): seen.append(value)
"""
DERIVED = """seen = []
class K({0}):
    def {1}:
        seen.append(1)
        return {0}.{2}
k = K({3})"""

# What is defined, and what a cell asks: what the plain notebook says to that.
ACTING = {
    "new counts in its class": (NEW.format("K.made = getattr(K, 'made', 0) + 1"), "K.made", 1),
    "new counts in the class it is given": (
        NEW.format("cls.made = getattr(cls, 'made', 0) + 1"),
        "K.made",
        1,
    ),
    "new registers": ("seen = []\n" + NEW.format("seen.append(1)"), "len(seen)", 1),
    "new counts in a variable": ("n = 0\n" + NEW.format("global n\n        n += 1"), "n", 1),
    "new takes a number": (
        "import itertools\nids = itertools.count()\n" + NEW.format("next(ids)"),
        "next(ids)",
        1,
    ),
    "setstate uses a default": (
        LOAD.format("self.log()").replace(
            "    def __init__", "    def log(self, to=seen): to.append(1)\n    def __init__"
        ),
        "len(seen)",
        0,
    ),
    "setstate gets a default": (
        LOAD.format("log.append(1)").replace("(self, state)", "(self, state, *, log=seen)"),
        "len(seen)",
        0,
    ),
    "setstate sets a property": (
        LOAD.format("self.w = 1").replace("    def __init__", SETTER + "    def __init__"),
        "len(seen)",
        0,
    ),
    "setstate sets what is noted": (
        LOAD.format("setattr(self, 'w', 1)").replace("    def __init__(self): self.v = 1", NOTED),
        "len(seen)",
        0,
    ),
    "setstate sets what a descriptor notes": (
        LOAD.format("self.w = 1").replace("class K:", DESCRIPTOR + "class K:\n    w = D()"),
        "len(seen)",
        0,
    ),
    "setstate runs in a context": (
        "from contextlib import contextmanager\n"
        + LOAD.format("with noted(): pass")
        + "\n@contextmanager\ndef noted():\n    seen.append(1)\n    yield",
        "len(seen)",
        0,
    ),
    "setstate hands a method on": (LOAD.format("list(map(seen.append, [1]))"), "len(seen)", 0),
    "setstate names a method": (LOAD.format("add = seen.append\n        add(1)"), "len(seen)", 0),
    "setstate writes a file": (LOAD.format("open('log', 'a').close()"), "os.path.exists('log')", False),
    "setstate writes to a path": (
        LOAD.format("pathlib.Path('log').write_text('')"),
        "os.path.exists('log')",
        False,
    ),
    "setstate registers": (LOAD.format("seen.append(self)"), "len(seen)", 0),
    "setstate counts in its class": (LOAD.format("type(self).count += 1"), "K.count", 0),
    "setstate keeps in its class": (LOAD.format("self.kept.append(1)"), "len(K.kept)", 0),
    "setstate sets the environment": (LOAD.format("os.environ['QQQ'] = 'x'"), "os.environ.get('QQQ')", None),
    "reduce notes": (STATE.format("__reduce__(self)", "seen.append(1)", "K, ()"), "len(seen)", 0),
    "reduce_ex notes": (STATE.format("__reduce_ex__(self, p)", "seen.append(1)", "K, ()"), "len(seen)", 0),
    "getstate notes": (STATE.format("__getstate__(self)", "seen.append(1)", "{}"), "len(seen)", 0),
    "getstate notes by another name": (
        STATE.format("__getstate__(self)", "s = seen; s.append(1)", "{}"),
        "len(seen)",
        0,
    ),
    "getstate draws": (
        STATE.format("__getstate__(self)", "random.random()", "{}"),
        "random.random()",
        0.8444218515250481,
    ),
    "getstate changes the object": (STATE.format("__getstate__(self)", "self.v += 1", "{}"), "k.v", 1),
    "getstate takes from the object": (
        STATE.format("__getstate__(self)", "s = self.__dict__; s.pop('v')", "s"),
        "k.v",
        1,
    ),
    "getstate calls another method": (
        """seen = []
class K:
    def note(self): seen.append(1)
    def __getstate__(self):
        self.note()
        return {}
k = K()""",
        "len(seen)",
        0,
    ),
    "getstate calls a method of what a function gives": (
        """class Log:
    def __init__(self): self.n = 0
    def note(self): self.n += 1
log = Log()
def get(): return log
class K:
    def __getstate__(self):
        get().note()
        return {}
k = K()""",
        "log.n",
        0,
    ),
    "getstate logs": (
        """import logging
seen = []
class H(logging.Handler):
    def emit(self, record): seen.append(1)
log = logging.getLogger('copies')
log.handlers = [H()]
class K:
    def __getstate__(self):
        log.error('x')
        return {}
k = K()""",
        "len(seen)",
        0,
    ),
    "getstate is decorated": (
        """import functools
seen = []
def noted(f):
    @functools.wraps(f)
    def inner(*given):
        seen.append(1)
        return f(*given)
    return inner
class K:
    @noted
    def __getstate__(self): return {}
k = K()""",
        "len(seen)",
        0,
    ),
    "getstate is an object": (
        """seen = []
class Note:
    def __call__(self):
        seen.append(1)
        return {}
class K:
    __getstate__ = Note()
k = K()""",
        "len(seen)",
        0,
    ),
    "a function of copyreg notes": (
        """import copyreg
seen = []
class K: pass
def reduced(k):
    seen.append(1)
    return K, ()
copyreg.pickle(K, reduced)
k = K()""",
        "len(seen)",
        0,
    ),
    "what makes it notes": (
        """seen = []
def make():
    seen.append(1)
    return K()
class K:
    def __reduce__(self): return make, ()
k = K()""",
        "len(seen)",
        0,
    ),
    "a missing attribute is noted": (
        """seen = []
class K:
    def __getattr__(self, name):
        seen.append(name)
        raise AttributeError(name)
k = K()
k.v = 1""",
        "len(seen)",
        0,
    ),
    "every attribute is noted": (
        """seen = []
class K:
    def __getattribute__(self, name):
        seen.append(name)
        return object.__getattribute__(self, name)
k = K()""",
        "len(seen)",
        0,
    ),
    "a hash is counted": (
        """seen = []
class K:
    def __hash__(self):
        seen.append(1)
        return 1
k = {K(): 1}""",
        "len(seen)",
        1,
    ),
    "slots are noted": (
        """seen = []
class K:
    __slots__ = ('v',)
    def __init__(self): self.v = 1
    def __setattr__(self, name, v):
        seen.append(1)
        object.__setattr__(self, name, v)
k = K()""",
        "len(seen)",
        1,
    ),
    "an error is counted": (
        DERIVED.format("Exception", "__init__(self, *given)", "__init__(self)", "'x'"),
        "len(seen)",
        1,
    ),
    "a list is filled": (
        DERIVED.format("list", "extend(self, more)", "extend(self, more)", "[1]"),
        "len(seen)",
        0,
    ),
    "a list is gone over": (
        DERIVED.format("list", "__iter__(self)", "__iter__(self)", "[1]"),
        "len(seen)",
        0,
    ),
    "a dictionary is gone over": (
        DERIVED.format("dict", "items(self)", "items(self)", "a=1"),
        "len(seen)",
        0,
    ),
    "a number is counted": (
        DERIVED.format("int", "__new__(cls, v=0)", "__new__(cls, v)", "2"),
        "len(seen)",
        1,
    ),
    "a singleton holds a list": (
        """one, items = None, []
class K:
    def __new__(cls):
        global one
        if one is None:
            one = super().__new__(cls)
        return one
k = K()
k.items = items""",
        "k.items is items",
        True,
    ),
    "one for each key holds a list": (
        """known, items = {}, []
class K:
    def __new__(cls, key):
        return known.setdefault(key, super().__new__(cls))
    def __getnewargs__(self): return ('a',)
k = K('a')
k.items = items""",
        "k.items is items",
        True,
    ),
}


@pytest.mark.parametrize(("define", "ask", "told"), ACTING.values(), ids=ACTING)
def test_no_cell_sees_that_such_an_object_was_looked_at(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, define: str, ask: str, told: object
) -> None:
    monkeypatch.delenv("QQQ", raising=False)
    asked = []
    for _ in range(3):
        notebook.run(
            "import os, pathlib, random\nrandom.seed(0)", define, "%%step use\nboth = [k, k]", f"told = {ask}"
        )
        asked.append(notebook.ns["told"])
        notebook.restart()
    assert asked == [told] * 3


MADE = {
    "loads": (LOAD.format("seen.append(1)"), "len(seen)", 0),
    "looks": (STATE.format("__getstate__(self)", "seen.append(1)", "{}"), "len(seen)", 0),
}


@pytest.mark.parametrize(("define", "ask", "told"), MADE.values(), ids=MADE)
def test_a_step_that_makes_one_makes_it_again_when_a_cell_names_it(
    notebook: Notebook, define: str, ask: str, told: object
) -> None:
    define = define.removesuffix("k = K()")
    for status in ("completed", "cached", "cached"):
        ran = notebook.run(
            define, "%%step make\nk = K()", f"told = {ask}", "%%step use\nn = isinstance(k, K)"
        )
        assert (ran[1].status, notebook.ns["told"], notebook.ns["n"]) == (status, told, True)
        notebook.restart()


def test_the_reason_names_the_method_and_what_it_changes(notebook: Notebook) -> None:
    ran = notebook.run(ACTING["getstate notes"][0], "%%step use\nv = k.v")
    ran += notebook.run("%%step use\nv = k.v")
    why = "whose `__getstate__` would run for each copy, and changes `seen`"
    assert ran[-1].reason == f"not cacheable: it reads `k`, an object of type K {why}"


def test_a_class_of_a_local_module_counts_as_well(notebook: Notebook, tmp_path: Path) -> None:
    define = STATE.format("__getstate__(self)", "seen.append(1)", "{}")
    (tmp_path / "acting_copies.py").write_text(define)
    importlib.invalidate_caches()  # the folder may have been listed in this moment
    for _ in range(2):
        notebook.run(
            "import sys\nsys.path.insert(0, '.')\nfrom acting_copies import k, seen", "%%step use\nv = k.v"
        )
        assert notebook.ns["seen"] == []
        notebook.restart()
