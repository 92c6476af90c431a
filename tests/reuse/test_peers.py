"""What other tools get wrong: each edit is made in two kernels, with zennb and without, which must never differ.

Each story: cells run, a step runs; again, and it is reused; then the edit, after which the step runs again (or is
reused, where the edit does not matter); then both versions once more in a new kernel, where both are reused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Action, Ran

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.reuse.pair import Pair

Before = str | dict[str, str]
"""A cell, or files to write."""


def cell(pair: Pair, text: str) -> Ran:
    return _ran(pair, "cell", text)


def step(pair: Pair, text: str, name: str = "s") -> Ran:
    return _ran(pair, "step", text, name)


def status(pair: Pair, text: str, name: str = "s") -> str:
    return str(step(pair, text, name).facts["status"])


def _ran(pair: Pair, verb: str, text: str, name: str = "cell") -> Ran:
    ran = pair.do(Action(verb, name, text))
    assert ran is not None
    assert ran.error == ""
    return ran


def write(pair: Pair, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        pair.do(Action("file", name, text))


def restart(pair: Pair) -> None:
    pair.do(Action("restart"))


CELLS: dict[str, tuple[str, str, str]] = {
    # What a helper reaches
    "a helper's helper": (
        "def inner(x): return x + 1\ndef outer(x): return inner(x) * 2",
        "def inner(x): return x + 5\ndef outer(x): return inner(x) * 2",
        "r = outer(3)",
    ),
    "a constant that a helper's helper reads": (
        "RATE = 1\ndef inner(x): return x + RATE\ndef outer(x): return inner(x)",
        "RATE = 2\ndef inner(x): return x + RATE\ndef outer(x): return inner(x)",
        "r = outer(3)",
    ),
    "a class that a helper uses": (
        "class K:\n    def get(self): return 1\ndef make(): return K().get()",
        "class K:\n    def get(self): return 2\ndef make(): return K().get()",
        "r = make()",
    ),
    "a global that a lambda in a dictionary reads": (
        "RATE = 1\ntable = {'f': lambda x: x + RATE}",
        "RATE = 2\ntable = {'f': lambda x: x + RATE}",
        "r = table['f'](1)",
    ),
    "a helper in a list in a dictionary": (
        "def f(): return 1\ntable = {'k': [f]}",
        "def f(): return 2\ntable = {'k': [f]}",
        "r = table['k'][0]()",
    ),
    "one of two helpers that call each other": (
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)",
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n > 5 and even(n - 1)",
        "r = even(2)",
    ),
    "a helper that is told its own name": (
        "def f(n): return 1 if n < 1 else n * f(n - 1)",
        "def f(n): return 2 if n < 1 else n * f(n - 1)",
        "r = f(3)",
    ),
    "a generator function": (
        "def f():\n    yield 1",
        "def f():\n    yield 2",
        "r = list(f())",
    ),
    "an async helper": (
        "async def f(): return 1",
        "async def f(): return 2",
        "r = await f()",
    ),
    "a helper that an async helper awaits": (
        "async def g(): return 1\nasync def f(): return await g()",
        "async def g(): return 2\nasync def f(): return await g()",
        "r = await f()",
    ),
    # Parts of a helper
    "a decorator": (
        "def deco(f):\n    return lambda *a: f(*a) + 1\n@deco\ndef g(x): return x",
        "def deco(f):\n    return lambda *a: f(*a) + 2\n@deco\ndef g(x): return x",
        "r = g(1)",
    ),
    "a decorator that wraps": (
        (
            "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def inner(x): return f(x) + 1\n"
            "    return inner\n@deco\ndef g(x): return x"
        ),
        (
            "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def inner(x): return f(x) + 2\n"
            "    return inner\n@deco\ndef g(x): return x"
        ),
        "r = g(1)",
    ),
    "an argument of a decorator": (
        "def times(n):\n    return lambda f: lambda x: f(x) * n\n@times(2)\ndef g(x): return x",
        "def times(n):\n    return lambda f: lambda x: f(x) * n\n@times(3)\ndef g(x): return x",
        "r = g(2)",
    ),
    "a default argument": ("def f(x=1): return x", "def f(x=2): return x", "r = f()"),
    "a keyword-only default": ("def f(*, x=1): return x", "def f(*, x=2): return x", "r = f()"),
    "a default taken from a constant": (
        "N = 1\ndef f(x=N): return x",
        "N = 2\ndef f(x=N): return x",
        "r = f()",
    ),
    "a variable of a closure": (
        "def make(n):\n    return lambda x: x + n\nf = make(1)",
        "def make(n):\n    return lambda x: x + n\nf = make(2)",
        "r = f(1)",
    ),
    "an attribute of a function": ("def f(): return f.n\nf.n = 1", "def f(): return f.n\nf.n = 2", "r = f()"),
    "the defaults put onto a function": (
        "def f(x): return x\nf.__defaults__ = (1,)",
        "def f(x): return x\nf.__defaults__ = (2,)",
        "r = f()",
    ),
    "a partial's argument": (
        "from functools import partial\ndef f(a, b): return a - b\np = partial(f, 1)",
        "from functools import partial\ndef f(a, b): return a - b\np = partial(f, 2)",
        "r = p(2)",
    ),
    "a helper inside a partial": (
        "from functools import partial\ndef f(a, b): return a - b\np = partial(f, 1)",
        "from functools import partial\ndef f(a, b): return b - a\np = partial(f, 1)",
        "r = p(5)",
    ),
    "a helper behind lru_cache": (
        "from functools import lru_cache\n@lru_cache\ndef f(x): return x + 1",
        "from functools import lru_cache\n@lru_cache\ndef f(x): return x + 2",
        "r = f(5)",
    ),
    "a helper behind a partial behind lru_cache": (
        "from functools import lru_cache, partial\ndef g(a, b): return a + b\nf = lru_cache(partial(g, 1))",
        "from functools import lru_cache, partial\ndef g(a, b): return a * b\nf = lru_cache(partial(g, 1))",
        "r = f(5)",
    ),
    "a dispatcher's case": (
        (
            "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
            "@f.register\ndef _(x: int): return 1"
        ),
        (
            "from functools import singledispatch\n@singledispatch\ndef f(x): return 0\n"
            "@f.register\ndef _(x: int): return 2"
        ),
        "r = f(5)",
    ),
    "an annotation that is used": (
        "def f(x: int): return x\ndef kind(): return f.__annotations__['x'].__name__",
        "def f(x: float): return x\ndef kind(): return f.__annotations__['x'].__name__",
        "r = kind()",
    ),
    # Names that come to stand for something else
    "an alias pointed to another helper": (
        "def f(): return 1\ndef g(): return 2\nuse = f",
        "def f(): return 1\ndef g(): return 2\nuse = g",
        "r = use()",
    ),
    "a helper that shadows a builtin": ("None", "def sum(xs): return -1", "r = sum([1, 2])"),
    "a helper's builtin that is shadowed": (
        "def total(xs): return sum(xs)",
        "def total(xs): return sum(xs)\ndef sum(xs): return -1",
        "r = total([1, 2])",
    ),
    "a shadowed builtin that is free again": (
        "def sum(xs): return -1",
        "if 'sum' in globals(): del sum",
        "r = sum([1, 2])",
    ),
    "a patched builtin": (
        "import builtins\nbuiltins.ascii = lambda x: 1",
        "import builtins\nbuiltins.ascii = lambda x: 2",
        "r = ascii(5.5)",
    ),
    "a builtin patched with a helper": (
        "import builtins\ndef mine(x): return 1\nbuiltins.ascii = mine",
        "import builtins\ndef mine(x): return 2\nbuiltins.ascii = mine",
        "r = ascii(5.5)",
    ),
    "an import alias": ("import math as m", "import cmath as m", "r = m.sqrt(4)"),
    "a name imported from elsewhere": ("from math import sqrt", "from cmath import sqrt", "r = sqrt(4)"),
    "an alias that an except clause binds": (
        "try:\n    from math import sqrt as root\nexcept ImportError:\n    from cmath import sqrt as root",
        "try:\n    from absent_module import sqrt as root\nexcept ImportError:\n    from cmath import sqrt as root",
        "r = root(4)",
    ),
    "a conditional import": (
        "FAST = True\nif FAST:\n    import math as m\nelse:\n    import cmath as m",
        "FAST = False\nif FAST:\n    import math as m\nelse:\n    import cmath as m",
        "r = m.sqrt(4)",
    ),
    "a module in a dictionary": (
        "import math, cmath\nmodules = {'m': math}",
        "import math, cmath\nmodules = {'m': cmath}",
        "r = modules['m'].sqrt(4)",
    ),
    # Classes
    "a method": (
        "class K:\n    def get(self): return 1\nk = K()",
        "class K:\n    def get(self): return 2\nk = K()",
        "r = k.get()",
    ),
    "an attribute of a class": (
        "class K:\n    rate = 1\nk = K()",
        "class K:\n    rate = 2\nk = K()",
        "r = k.rate",
    ),
    "a base class": (
        "class B:\n    def get(self): return 1\nclass K(B): pass\nk = K()",
        "class B:\n    def get(self): return 2\nclass K(B): pass\nk = K()",
        "r = k.get()",
    ),
    "the order of base classes": (
        "class A: n = 1\nclass B: n = 2\nclass K(A, B): pass",
        "class A: n = 1\nclass B: n = 2\nclass K(B, A): pass",
        "r = K.n",
    ),
    "a metaclass": (
        "class M(type):\n    def __call__(cls): return 1\nclass K(metaclass=M): pass",
        "class M(type):\n    def __call__(cls): return 2\nclass K(metaclass=M): pass",
        "r = K()",
    ),
    "a property": (
        "class K:\n    @property\n    def n(self): return 1\nk = K()",
        "class K:\n    @property\n    def n(self): return 2\nk = K()",
        "r = k.n",
    ),
    "a cached property": (
        "from functools import cached_property\nclass K:\n    @cached_property\n    def n(self): return 1",
        "from functools import cached_property\nclass K:\n    @cached_property\n    def n(self): return 2",
        "r = K().n",
    ),
    "a descriptor": (
        "class D:\n    def __get__(self, *a): return 1\nclass K:\n    n = D()",
        "class D:\n    def __get__(self, *a): return 2\nclass K:\n    n = D()",
        "r = K().n",
    ),
    "a class decorator": (
        "def deco(cls):\n    cls.n = 1\n    return cls\n@deco\nclass K: pass",
        "def deco(cls):\n    cls.n = 2\n    return cls\n@deco\nclass K: pass",
        "r = K.n",
    ),
    "a hook for subclasses": (
        "class B:\n    def __init_subclass__(cls): cls.n = 1\nclass K(B): pass",
        "class B:\n    def __init_subclass__(cls): cls.n = 2\nclass K(B): pass",
        "r = K.n",
    ),
    "a dunder method": (
        "class K:\n    def __add__(self, o): return 1\nk = K()",
        "class K:\n    def __add__(self, o): return 2\nk = K()",
        "r = k + 1",
    ),
    "a dataclass default": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 2",
        "r = P().x",
    ),
    "a dataclass factory": (
        (
            "from dataclasses import dataclass, field\ndef make(): return [1]\n@dataclass\nclass P:\n"
            "    x: list = field(default_factory=make)"
        ),
        (
            "from dataclasses import dataclass, field\ndef make(): return [2]\n@dataclass\nclass P:\n"
            "    x: list = field(default_factory=make)"
        ),
        "r = P().x",
    ),
    "the order of a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n    y: int = 1",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    y: int = 1\n    x: int = 1",
        "r = repr(P())",
    ),
    "an enum member": (
        "from enum import Enum\nclass C(Enum):\n    RED = 1",
        "from enum import Enum\nclass C(Enum):\n    RED = 2",
        "r = C.RED.value",
    ),
    "the order of an enum": (
        "from enum import Enum\nclass C(Enum):\n    RED = 1\n    BLUE = 2",
        "from enum import Enum\nclass C(Enum):\n    BLUE = 2\n    RED = 1",
        "r = [c.name for c in C]",
    ),
    "a method of an enum": (
        "from enum import Enum\nclass C(Enum):\n    RED = 1\n    def say(self): return 'a'",
        "from enum import Enum\nclass C(Enum):\n    RED = 1\n    def say(self): return 'b'",
        "r = C.RED.say()",
    ),
    "a named tuple's default": (
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 2",
        "r = P().x",
    ),
    # Patches
    "a method put onto a class": (
        "class K:\n    def get(self): return 1\nk = K()\nK.get = lambda self: 2",
        "class K:\n    def get(self): return 1\nk = K()\nK.get = lambda self: 3",
        "r = k.get()",
    ),
    "a method put onto an instance": (
        "class K:\n    def get(self): return 1\nk = K()\nk.get = lambda: 2",
        "class K:\n    def get(self): return 1\nk = K()\nk.get = lambda: 3",
        "r = k.get()",
    ),
    "an attribute put onto a class": (
        "class K: rate = 1\nK.rate = 2",
        "class K: rate = 1\nK.rate = 3",
        "r = K.rate",
    ),
    "a function put into a package": (
        "import fakepkg\nfakepkg.work = lambda x: 1",
        "import fakepkg\nfakepkg.work = lambda x: 2",
        "import fakepkg\nr = fakepkg.work(1)",
    ),
    "a function put into a package that a function of it calls": (
        "import fakepkg\nfakepkg.work = lambda x: 1",
        "import fakepkg\nfakepkg.work = lambda x: 2",
        "import fakepkg\nr = fakepkg.twice(1)",
    ),
    "a constant of a package": (
        "import fakepkg\nfakepkg.limit = 1",
        "import fakepkg\nfakepkg.limit = 2",
        "import fakepkg\nr = fakepkg.limit",
    ),
    "a method put into a class of a package": (
        "import fakepkg\nfakepkg.Thing.go = lambda self: 1\nthing = fakepkg.Thing()",
        "import fakepkg\nfakepkg.Thing.go = lambda self: 2\nthing = fakepkg.Thing()",
        "r = thing.go()",
    ),
    # Values that read alike
    "list and tuple": ("xs = [1, 2]", "xs = (1, 2)", "r = str(xs)"),
    "list and set": ("xs = [1, 2]", "xs = {1, 2}", "r = str(xs)"),
    "set and frozenset": ("xs = {1}", "xs = frozenset({1})", "r = str(xs)"),
    "one, one and true": ("x = 1", "x = True", "r = str(x)"),
    "int and float": ("x = 1", "x = 1.0", "r = str(x)"),
    "zero and minus zero": ("x = 0.0", "x = -0.0", "r = str(x)"),
    "number and text": ("x = 1", "x = '1'", "r = x * 2"),
    "the order of a dictionary": ("d = {'a': 1, 'b': 2}", "d = {'b': 2, 'a': 1}", "r = list(d)"),
    "renamed columns": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2]})",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'c': [2]})",
        "r = list(df.columns)",
    ),
    "columns in another order": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [1]})",
        "import pandas as pd\ndf = pd.DataFrame({'b': [1], 'a': [1]})",
        "r = list(df.columns)",
    ),
    "another index": (
        "import pandas as pd\ns = pd.Series([1, 2])",
        "import pandas as pd\ns = pd.Series([1, 2], index=[1, 2])",
        "r = int(s[1])",
    ),
    "reshaped zeros": (
        "import numpy as np\na = np.zeros((2, 3))",
        "import numpy as np\na = np.zeros((3, 2))",
        "r = a.shape",
    ),
    "retyped zeros": (
        "import numpy as np\na = np.zeros(2)",
        "import numpy as np\na = np.zeros(2, int)",
        "r = str(a.dtype)",
    ),
    "an array that cannot be written to": (
        "import numpy as np\na = np.zeros(2)",
        "import numpy as np\na = np.zeros(2)\na.flags.writeable = False",
        "r = a.flags.writeable",
    ),
    # Names in texts
    "a name in a query": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nlimit = 1",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nlimit = 0",
        "r = df.query('a > @limit')",
    ),
    "a name in an f-string's format": ("w = 5", "w = 7", "r = f'{1:{w}}'"),
}


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
    "an array in another order in memory": (
        "import numpy as np\na = np.arange(6).reshape(2, 3)",
        "import numpy as np\na = np.asfortranarray(np.arange(6).reshape(2, 3))",
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


MODULES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "a function": (
        {"lib.py": "def f(): return 1"},
        {"lib.py": "def f(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a helper of a function": (
        {"lib.py": "def g(): return 1\ndef f(): return g()"},
        {"lib.py": "def g(): return 2\ndef f(): return g()"},
        "from lib import f\nr = f()",
    ),
    "a constant": (
        {"lib.py": "N = 1\ndef f(): return N"},
        {"lib.py": "N = 2\ndef f(): return N"},
        "import lib\nr = lib.f()",
    ),
    "a constant that the step reads": ({"lib.py": "N = 1"}, {"lib.py": "N = 2"}, "import lib\nr = lib.N"),
    "a class": (
        {"lib.py": "class K:\n    n = 1"},
        {"lib.py": "class K:\n    n = 2"},
        "from lib import K\nr = K().n",
    ),
    "a module that it imports": (
        {"lib.py": "import low\ndef f(): return low.g()", "low.py": "def g(): return 1"},
        {"low.py": "def g(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a module that a function of it imports": (
        {"lib.py": "def f():\n    import low\n    return low.g()", "low.py": "def g(): return 1"},
        {"low.py": "def g(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a relative import": (
        {"pack/__init__.py": "from .low import g", "pack/low.py": "def g(): return 1"},
        {"pack/low.py": "def g(): return 2"},
        "import pack\nr = pack.g()",
    ),
    "a relative import inside a function": (
        {
            "pack/__init__.py": "def f():\n    from . import low\n    return low.g()",
            "pack/low.py": "def g(): return 1",
        },
        {"pack/low.py": "def g(): return 2"},
        "import pack\nr = pack.f()",
    ),
    "a star import": (
        {"lib.py": "def f(): return 1"},
        {"lib.py": "def f(): return 2"},
        "from lib import *\nr = f()",
    ),
    "a star import's constant": ({"lib.py": "N = 1"}, {"lib.py": "N = 2"}, "from lib import *\nr = N"),
    "names made as they are asked for": (
        {"lib.py": "def __getattr__(name): return 1"},
        {"lib.py": "def __getattr__(name): return 2"},
        "import lib\nr = lib.anything",
    ),
    "names made from a constant as they are asked for": (
        {"lib.py": "N = 1\ndef __getattr__(name): return N"},
        {"lib.py": "N = 2\ndef __getattr__(name): return N"},
        "from lib import anything\nr = anything",
    ),
    "a fallback for a module that is not there": (
        {"lib.py": "try:\n    from absent import f\nexcept ImportError:\n    def f(): return 1"},
        {"lib.py": "try:\n    from absent import f\nexcept ImportError:\n    def f(): return 2"},
        "import lib\nr = lib.f()",
    ),
}


@pytest.mark.parametrize(("before", "after", "text"), MODULES.values(), ids=MODULES)
def test_an_edited_local_module_makes_steps_run_again(
    pair: Pair, before: dict[str, str], after: dict[str, str], text: str
) -> None:
    write(pair, before)
    assert status(pair, text) == "completed"
    write(pair, after)
    assert status(pair, text) == "cached"  # what is imported is what was imported: a plain kernel has it too
    restart(pair)
    again = step(pair, text)
    assert again.facts["status"] == "completed", again.facts
    restart(pair)
    assert status(pair, text) == "cached"


@pytest.mark.parametrize("how", ["reload", "autoreload"])
@pytest.mark.parametrize(("before", "after", "text"), MODULES.values(), ids=MODULES)
def test_an_edited_local_module_counts_as_what_is_loaded(
    pair: Pair, before: dict[str, str], after: dict[str, str], text: str, how: str
) -> None:
    if how == "autoreload":
        cell(pair, "%load_ext autoreload\n%autoreload 2")
    write(pair, before)
    assert status(pair, text) == "completed"
    write(pair, after)
    edited = next(iter(after)).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    cell(
        pair,
        f"import importlib, sys\nimportlib.reload(sys.modules[{edited!r}])\nNone"
        if how == "reload"
        else "None",
    )
    step(
        pair, text
    )  # the plain kernel says what is right: a name imported from there may still be the old one
    restart(pair)
    again = step(pair, text)
    restart(pair)
    assert status(pair, text) == "cached", again.facts


def test_an_alias_pointed_to_another_local_module(pair: Pair) -> None:
    write(pair, {"one.py": "def f(): return 1", "two.py": "def f(): return 2"})
    cell(pair, "import one as m")
    assert status(pair, "r = m.f()") == "completed"
    cell(pair, "import two as m")
    assert status(pair, "r = m.f()") == "completed"


def test_a_patched_local_module(pair: Pair) -> None:
    write(pair, {"one.py": "N = 1\ndef g(): return N\ndef f(): return g()"})
    text = "import one\nr = one.f()"
    assert status(pair, text) == "completed"
    cell(pair, "import one\none.N = 5")
    assert status(pair, text) == "completed"
    cell(pair, "one.g = lambda: 7")
    assert status(pair, text) == "completed"
    restart(pair)
    assert status(pair, text) == "cached"


def test_another_version_of_a_package(pair: Pair) -> None:
    text = "import fakepkg\nr = fakepkg.work(1)"
    pair.do(Action("install", "1.0"))
    assert status(pair, text) == "completed"
    pair.do(Action("install", "2.0"))
    assert status(pair, text) == "cached"  # the old one is loaded
    restart(pair)
    assert step(pair, text).facts["reason"] == "fakepkg 1.0 → 2.0"
    pair.do(Action("install", "1.0"))
    restart(pair)
    assert status(pair, text) == "cached"


def test_a_package_that_was_upgraded_after_it_was_imported_counts_as_what_is_loaded(pair: Pair) -> None:
    text = "import fakepkg\nr = fakepkg.work(1)"
    pair.do(Action("install", "1.0"))
    cell(pair, "import fakepkg")
    pair.do(Action("install", "2.0"))
    step(pair, text)
    restart(pair)
    assert status(pair, text) == "completed"


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
    assert status(pair, "r = k.get()") == "cached"  # k still is of the class it was made from
    cell(pair, "k = K()")
    assert status(pair, "r = k.get()") == "completed"


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


@pytest.mark.parametrize("line", ["r = !echo {x}", "r = !echo $x", "%env ZENNB_PEER={x}"])
def test_a_name_in_a_shell_or_magic_line_is_expanded_anew(pair: Pair, line: str) -> None:
    for value in ("one", "two", "one"):
        cell(pair, f"x = {value!r}")
        step(pair, line)
    restart(pair)
    cell(pair, "x = 'two'")
    step(pair, line)
    cell(pair, "import os\nsaid = os.environ.get('ZENNB_PEER')")


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
