"""Objects whose own methods change nothing but the copy that they are called for: they are stored and reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

# What is defined, what the step makes, and what a cell asks.
HARMLESS = {
    "checks what is set": (
        """class K:
    def __init__(self): self.w = 1
    @property
    def w(self): return self.v
    @w.setter
    def w(self, value): self.v = float(value)
    def __setattr__(self, name, value):
        if name.startswith('x'): raise AttributeError(name)
        super().__setattr__(name, value)
    def __setstate__(self, state, kinds=(int, float)):
        self.w = state['v']""",
        "k = K()",
        "k.v",
    ),
    "sets its state": (
        "class K:\n    def __setstate__(self, state): self.__dict__ = state",
        "k = K()\nk.v = 1",
        "k.v",
    ),
    "leaves a lock out": (
        """import threading
class K:
    def __init__(self): self.v, self.lock = 1, threading.Lock()
    def __getstate__(self):
        state = self.__dict__.copy()
        del state['lock']
        return state
    def __setstate__(self, state):
        self.__dict__.update(state)
        self.lock = threading.Lock()""",
        "k = K()",
        "k.v",
    ),
    "fills slots": (
        """class K:
    __slots__ = ('v', 'w')
    def __init__(self): self.v, self.w = 1, [2]
    def __getstate__(self): return {name: getattr(self, name) for name in self.__slots__}
    def __setstate__(self, state):
        for name, value in state.items():
            setattr(self, name, value)""",
        "k = K()",
        "(k.v, k.w)",
    ),
    "is a key": (
        """class K:
    def __init__(self, v): self.v = v
    def __hash__(self): return hash(self.v)
    def __eq__(self, other): return isinstance(other, K) and self.v == other.v""",
        "k = {K(1): 2}",
        "k[K(1)]",
    ),
    "notes its hash": (
        """class K:
    def __init__(self, v): self.v, self.h = v, None
    def __hash__(self):
        if self.h is None: self.h = hash(self.v)
        return self.h
    def __eq__(self, other): return self.v == other.v""",
        "k = {K(1): 2}",
        "k[K(1)]",
    ),
    "is filled when it is new": (
        """class K:
    def __new__(cls, *given):
        self = super().__new__(cls)
        self.parts = []
        self.parts.append(1)
        return self""",
        "k = K()",
        "k.parts",
    ),
    "is made by its class": (
        """class K:
    def __init__(self, n):
        self.n, self.parts = n, []
        for one in range(n): self.parts.append(one)
    def __reduce__(self): return K, (self.n,)""",
        "k = K(3)",
        "k.parts",
    ),
    "is made by a function": (
        """def make(v):
    k = K()
    k.v = v
    k.parts['a'] = v
    return k
class K:
    def __init__(self): self.parts = {}
    def __reduce__(self): return make, (self.v,)""",
        "k = make(3)",
        "(k.v, k.parts)",
    ),
    "builds an index": (
        """class K:
    def __init__(self, v): self.v = v; self.build()
    def build(self):
        self.index = {}
        for at, one in enumerate(self.v): self.index[one] = at
    def __getstate__(self): return {'v': self.v}
    def __setstate__(self, state):
        self.v = state['v']
        self.build()""",
        "k = K('ab')",
        "k.index",
    ),
    "prints": (
        """class K:
    def __init__(self): self.v = 1
    def __setstate__(self, state):
        print('loaded')
        self.__dict__.update(state)""",
        "k = K()",
        "k.v",
    ),
    "a sentinel": (
        """missing = None
class K:
    def __new__(cls):
        global missing
        if missing is None:
            missing = super().__new__(cls)
        return missing
K()""",
        "k = [K()]",
        "k[0] is K()",
    ),
    "checks what it gets": (
        """class K(list):
    def append(self, one):
        if not isinstance(one, int): raise TypeError
        super().append(one)
    def extend(self, more):
        for one in more: self.append(one)""",
        "k = K([1, 2])",
        "list(k)",
    ),
    "stands for another": (
        """class K:
    def __init__(self, v): self._v = v
    def __getattr__(self, name):
        if name.startswith('__'): raise AttributeError(name)
        return getattr(self.__dict__['_v'], name)""",
        "k = K([1])",
        "k.count(1)",
    ),
}


@pytest.mark.parametrize(("define", "make", "ask"), HARMLESS.values(), ids=HARMLESS)
def test_one_whose_methods_change_only_the_copy_is_stored_and_reused(
    notebook: Notebook, define: str, make: str, ask: str
) -> None:
    asked = []
    for status in ("completed", "cached"):
        ran = notebook.run(define, f"%%step make\n{make}", f"asked = {ask}", "%%step use\nn = str(type(k))")
        assert [ran[1].status, ran[3].status] == [status, status], (ran[1].reason, ran[3].reason)
        assert "not stored" not in str(ran[1].facts)
        asked.append(notebook.ns["asked"])
        notebook.restart()
    assert asked[0] == asked[1]
