"""What executing definitions again would repeat, or do differently, is found before they are."""

from __future__ import annotations

import ast
import linecache
from itertools import count
from typing import Any

import pytest

from zennb.dependencies.definition_effects import effects_when_defined

_numbers = count()

PLAIN = """
import contextlib, datetime, functools, itertools, logging, random, re, time, uuid
from collections import namedtuple
from typing import Generic, TypeVar
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache, wraps
from pathlib import Path
from random import random as draw
import numpy as np
import pandas as pd

seen, made, registry, n = [], [], {}, 0
T = TypeVar("T")
df = pd.DataFrame({"a": [1, 2]})
log = logging.getLogger("x")
ids = itertools.count()
rng = np.random.default_rng(1)

def note(f):
    seen.append(f.__name__)
    return f

def timed(f):
    @wraps(f)
    def wrapper(*args, **more):
        started = time.time()
        seen.append(started)
        return f(*args, **more)
    return wrapper

def retry(times):
    def decorator(f):
        def wrapper(*args):
            for _ in range(times):
                return f(*args)
        return wrapper
    return decorator

def register(name):
    def decorator(f):
        registry[name] = f
        return f
    return decorator

def tagged(f):
    f.tag = "x"
    return f

def run_now(f):
    f()
    return f

def tick():
    global n
    n += 1
    return n

@functools.lru_cache
def cached_tick():
    global n
    n += 1
    return n

@contextlib.contextmanager
def ticking():
    global n
    n += 1
    yield

def twice(x):
    return helper(x) * 2

def helper(x):
    log.info("called")
    parts = []
    parts.append(x)
    return sum(parts)

def deep(x):
    return tick() + x

class Counter:
    def __init__(self):
        made.append("made")

class Point:
    def __init__(self, x):
        self.x = x

class Plugin:
    known = []
    def __init_subclass__(cls):
        Plugin.known.append(cls)

class Base:
    def __init_subclass__(cls):
        cls.tag = cls.__name__

class Meta(type):
    def __new__(cls, name, bases, space):
        registry[name] = 1
        return super().__new__(cls, name, bases, space)

class QuietMeta(type):
    def __new__(cls, name, bases, space):
        return super().__new__(cls, name, bases, {**space, "tag": name})

class WithMeta(metaclass=Meta): pass
registry.clear()

class Field:
    def __set_name__(self, owner, name):
        seen.append(name)

class PlainField:
    def __set_name__(self, owner, name):
        self.name = name

class Retry:
    def __init__(self, times):
        self.times = times
    def __call__(self, f):
        seen.append(f.__name__)
        return f

class Timed:
    def __init__(self, unit):
        self.unit = unit
    def __call__(self, f):
        return f

def maker():
    if False:
        later = 1
    def f(g):
        def again(n):
            return again(n - 1) if n else later
        return g
    return f

awkward = maker()

def handed_on(name):
    return functools.partial(hand_on, name)

def hand_on(name, f):
    seen.append(name)
    return f

def found_one(name):
    return registered

class Typed(Generic[T]):
    def __init_subclass__(cls):
        seen.append(cls.__name__)

decorators = {"note": note}

def get_registry():
    return registry

class Hostile:
    def thing(self):
        return 1
    @property
    def __class__(self):
        raise RuntimeError("do not ask")

hostile = Hostile()

class Registry:
    def __init__(self):
        self.items = []
    def __call__(self, f):
        self.items.append(f)
        return f

registered = Registry()
"""


def cell(text: str) -> tuple[ast.Module, dict[str, Any]]:
    """Run the plain cells and a step; return its tree, and what there is then."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for source in (PLAIN, text):
        file = f"<cell of effects {next(_numbers)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec", dont_inherit=True), namespace)
    return ast.parse(text), namespace


def found(text: str) -> str:
    tree, namespace = cell(text)
    names = [
        n.name
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name in namespace
    ]
    return effects_when_defined(tree, names, namespace)


@pytest.mark.parametrize(
    "text",
    [
        "def g(x, k=3, *, path=Path('a') / 'b', kind=dict(a=1)):\n    seen.append(x)\n    return tick()",
        "@timed\ndef g(x): return x",
        "@retry(3)\ndef g(x): return x",
        "@retry(times=3)\n@timed\n@lru_cache(maxsize=None)\ndef g(x): return x",
        "@tagged\ndef g(): return 1",
        "@run_now\ndef g(): return helper(2)",
        "@contextmanager\ndef g():\n    yield tick()",
        "@dataclass\nclass A:\n    x: int = 1\n    y: list = field(default_factory=list)",
        "class A(Enum):\n    ONE = auto()\n    TWO = auto()",
        "class A:\n    pattern = re.compile('a')\n    sizes = np.zeros(3)\n    point = Point(3)\n    m = twice(2)",
        (
            "class A:\n    names = []\n    names.append('x')\n    @property\n    def x(self): return tick()\n"
            "    @x.setter\n    def x(self, v): made.append(v)"
        ),
        "class A(Base): pass",
        "class A(metaclass=QuietMeta): pass",
        "class A:\n    x = PlainField()\n    table = {}\n    table['a'] = 1",
        "@Timed('s')\ndef g(): return 1",
        "@awkward\ndef g(): return 1",
        "import os\nclass A:\n    home = os.environ.get('HOME', 'x')",
        "class Base2:\n    known = []\n    def __init_subclass__(cls): Base2.known.append(cls)\nclass A(Base2): pass",
        "class A(namedtuple('P', 'x y')): pass",
        "def g(n=len(seen), a=df['a'].mean(), b=df.a.max(), c=' x '.strip()): return n",
        "def g(rng=np.random.default_rng(3), r=random.Random(1)): return rng",
        "g = lambda: tick()\ndef h(): return g()",
        "def g(f=lambda: tick()): return f",
        "def g():\n    def inner(k=tick()): return k\n    return inner",
        "def g(a=Path('x').with_suffix('.y')): return a",
    ],
)
def test_what_only_defines_has_no_effect(text: str) -> None:
    assert found(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@note\ndef g(): return 1", "defining `g` calls `note`, which"),
        ("@register('x')\ndef g(): return 1", "changes `registry`"),
        ("@run_now\ndef g(): return tick()", "sets `n`"),
        ("@run_now\nclass A: pass", "calls what it is given as `f`"),
        ("@registered\ndef g(): return 1", "defining `g` "),
        ("@functools.partial(note)\ndef g(): return 1", "may change `seen`"),
        ("class A:\n    made.append('A')", "which may change `made`"),
        ("class A:\n    x = tick()\n    y = 2", "calls `tick`, which sets `n`"),
        ("def f(k=tick()): return k", "calls `tick`, which sets `n`"),
        ("def f(k=cached_tick()): return k", "calls `cached_tick`, which sets `n`"),
        ("class A:\n    with ticking(): pass", "calls `ticking`, which sets `n`"),
        ("def f(k=deep(1)): return k", "calls `deep`, which sets `n`"),
        ("def f(*, k=tick()): return k", "sets `n`"),
        ("class A:\n    tok = random.random()", "`random.random`, which gives something else each time"),
        ("class A:\n    tok = draw()", "gives something else each time"),
        ("class A:\n    tok = np.random.rand()", "gives something else each time"),
        ("class A:\n    tok = rng.random()", "which may change `rng`"),
        ("class A:\n    tok = uuid.uuid4()", "gives something else each time"),
        ("def f(at=datetime.datetime.now()): return at", "gives something else each time"),
        ("def f(at=time.time()): return at", "gives something else each time"),
        ("def f(rng=np.random.default_rng()): return rng", "gives something else each time"),
        ("class A:\n    id = next(ids)", "calls `next`"),
        ("class A:\n    text = eval('1')", "calls `eval`"),
        ("class A:\n    c = Counter()", "calls `Counter`, which"),
        ("class A(metaclass=Meta): pass", "changes `registry`"),
        ("class A(WithMeta): pass", "changes `registry`"),
        ("class A:\n    x = Field()", "may change `seen`"),
        ("class A:\n    registry['A'] = 1", "changes `registry`"),
        ("class A:\n    df.loc[0, 'a'] = 5", "changes `df`"),
        ("@Retry(3)\ndef g(): return 1", "may change `seen`"),
        ("@handed_on('x')\ndef g(): return 1", "may change `seen`"),
        ("class A(Typed[int]): pass", "may change `seen`"),
        ("@decorators['note']\ndef g(): return 1", "cannot be followed"),
        ("class A:\n    get_registry().update(a=1)", "cannot be followed"),
        ("class A:\n    rows = list(df.sample(1).a)", "may change `df`"),
        ("def g(x=hostile.thing()): return x", "cannot be looked at"),
        ("class A(Plugin): pass", "may change `Plugin.known`"),
        ("class A:\n    class B:\n        made.append('B')", "which may change `made`"),
        ("if True:\n    @note\n    def g(): return 1\nelse:\n    pass\ndef h(): return g()", "calls `note`"),
    ],
)
def test_what_does_more_is_named(text: str, said: str) -> None:
    assert said in found(text)
