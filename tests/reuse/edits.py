"""Owns edits of what a step reaches: cells before, cells after, and the step, which must run again."""

from __future__ import annotations

__all__ = ["CELLS"]

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
