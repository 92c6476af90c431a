"""Owns the notebook that is edited and run at random: its cells with their variants, and the files beside it."""

from __future__ import annotations

from tests.reuse.kinds import kinds_cells
from tests.reuse.module_texts import LOADED_MODULES, MODULE

__all__ = ["ALSO", "CELLS", "DATA", "FILES", "PACKAGES", "SEEDED"]

CLASS = """
class K({base}):
    {scale}
    def __init__(self, n):
        self.n = n
    def get(self):
        return self.n * self.scale{more}
    def grow(self):
        self.n += h1(1)
    @property
    def twice(self):
        return self.n * {two}
"""

CELLS: dict[str, tuple[str, ...]] = {
    "imports": ("import functools, importlib, os\nimport numpy as np\nimport pandas as pd",),
    "rate": ("RATE = 2", "RATE = 3", "RATE = 2.0", "RATE = True", "RATE = 2  # as before"),
    "limits": ("LIMITS = [1, 2]", "LIMITS = (1, 2)", "LIMITS = {1, 2}", "LIMITS = [1, 2, 3]"),
    "h1": (
        "def h1(x):\n    return x * RATE",
        "def h1(x):\n    return x + RATE",
        "def h1(x):\n    # the same\n    return (x *\n        RATE)",
        "def h1(x):\n    '''Multiply.'''\n    return x * RATE",
        "def h1(x, k=RATE):\n    return x * k",
        "def h1(x, *, k=[5]):\n    return x * k[0]",
        "h1 = lambda x: x - RATE",
    ),
    "h2": (
        "def h2(x):\n    return h1(x) + 1",
        "def h2(x):\n    return h1(x) + len(LIMITS)",
        "h2 = functools.partial(h1)",
        "h2 = h1",
        (
            "def around(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args) + 10\n"
            "    return inner\n@around\ndef h2(x):\n    return h1(x)"
        ),
        "def around(n):\n    return lambda x: h1(x) + n\nh2 = around(RATE)",
        "def h2(x):\n    return h1(x) if x < 1 else h2(x - 1)",
        "def h2(x):\n    import mod_b\n    return mod_b.work(x) + h1(x)",
        "def h2(x):\n    return ascii(h1(x))",
        "def h2(x):\n    return sum(n for n in counted(x))\ndef counted(x):\n    yield h1(x)\n    yield x",
    ),
    "base": (
        "class B:\n    scale = 7\n    def bonus(self):\n        return 1",
        "class B:\n    scale = 7\n    def bonus(self):\n        return h1(2)",
        "class B:\n    scale = 8\n    extra = [1]\n    def bonus(self):\n        return 1",
    ),
    "k": (
        CLASS.format(base="B", scale="scale = 2", more="", two=2),
        CLASS.format(base="B", scale="scale = 3", more="", two=2),
        CLASS.format(base="B", scale="pass", more=" + self.bonus()", two=2),
        CLASS.format(base="", scale="scale = 2", more="", two=3),
        CLASS.format(base="B", scale="__slots__ = ('n',)", more="", two=2),
        (
            "@dataclass\nclass K(B):\n    n: int\n    scale: int = 4\n"
            "    def get(self):\n        return self.n * self.scale\n"
            "    def grow(self):\n        self.n += 1\n    twice = 5"
        ),
    ),
    "colour": (
        "from dataclasses import dataclass\nfrom enum import Enum\nclass Colour(Enum):\n    RED = 1\n    BLUE = 2",
        "from dataclasses import dataclass\nfrom enum import Enum\nclass Colour(Enum):\n    RED = 1\n    BLUE = 3",
    ),
    "alias": ("alias = h1", "alias = h2", "alias = K"),
    "m": ("import mod_a as m", "import mod_b as m", "import pkg_l as m", "from pkg_l import inner as m"),
    "clean": (
        "from mod_a import clean",
        "from mod_b import clean",
        "from mod_a import low as clean",
        "from mod_c import *",
        "try:\n    from absent_mod import clean\nexcept ImportError:\n    from mod_b import clean",
    ),
    "xs": ("xs = [1, 2]", "xs = [2, 1]", "xs = [1.0, 2]", "xs = [RATE, 2]", "xs = list(LIMITS)"),
    "ys": ("ys = xs", "ys = list(xs)", "ys = [xs, 1]", "ys = {'xs': xs}"),
    "arr": ("arr = np.arange(4)", "arr = np.arange(4.0)", "arr = np.zeros(4)", "arr = np.full(4, h1(1))"),
    "view": ("view = arr[1:3]", "view = arr[1:3].copy()", "view = arr.reshape(2, 2)"),
    "df": (
        "df = pd.DataFrame({'a': [1, 2], 'b': [3.0, 4.0]})",
        "df = pd.DataFrame({'b': [1, 2], 'a': [3.0, 4.0]})",
        "df = pd.DataFrame({'a': [1, 2], 'b': [3.0, 4.0]}, index=[5, 6])",
    ),
    "obj": ("obj = K(3)", "obj = K(RATE)", "obj = m.Box(3)"),
    "table": (
        "table = {'f': h1, 'g': lambda x: x + RATE}",
        "table = {'f': h2, 'g': lambda x: x + 1}",
        "table = {'f': clean, 'g': K}",
    ),
    "reload": (
        "importlib.reload(importlib.import_module('mod_a'))\nNone",
        "import mod_b\nimportlib.reload(mod_b)\nNone",
    ),
    "patch": (
        "import mod_a\nmod_a.RATE = 7",
        "import mod_a\nmod_a.low = h1",
        "import mod_b\nmod_b.work = lambda x: -x",
        "import fakepkg\nfakepkg.limit = 50",
        "import fakepkg\nfakepkg.work = h1",
        "import fakepkg\nfakepkg.Thing.go = lambda self: h1(4)",
        "import builtins\nbuiltins.ascii = lambda x: RATE",
        "K.scale = 11",
        "K.get = lambda self: -self.n",
        "obj.n = 12",
        "obj.get = lambda: 13",
        "h1.note = 1",
        "h1.__defaults__ = (9,)",
    ),
    "append": ("xs.append(RATE)", "ys.append(5)", "xs.sort()", "xs += [4]"),
    "write": ("arr[0] = 9", "view[0] = 8", "arr += 1", "arr = arr + 1"),
    "column": (
        "df['z'] = df['a'] * RATE",
        "df.loc[df.index[0], 'a'] = 9",
        "df = df.rename(columns={'a': 'q'})\ndf = df.rename(columns={'q': 'a'})",
    ),
    "grow": ("obj.grow()", "obj.n = obj.n + 1", "obj.seen = [xs]"),
    "seed": (
        "import random\nrandom.seed(1)\nnp.random.seed(1)",
        "import random\nrandom.seed(2)\nnp.random.seed(2)",
        "import random\nrandom.random()\nNone",
    ),
    "env": (
        "os.environ['REUSE_LEVEL'] = 'low'",
        "os.environ['REUSE_LEVEL'] = 'high'",
        "os.environ.pop('REUSE_LEVEL', None)\nNone",
        "%env REUSE_LEVEL=set",
    ),
    "options": (
        "np.set_printoptions(precision=3)",
        "np.set_printoptions(precision=8)",
        "pd.set_option('display.precision', 2)",
        "pd.options.display.precision = 4",
    ),
    "out": (
        "with open('out.txt', 'w') as file:\n    print(RATE, file=file)\ndel file",
        "from pathlib import Path\nPath('out.txt').write_text(str(xs))",
    ),
    "s_h": (
        "r_h = h2(3)\nprint('h', r_h)",
        "r_h = h2(4)\nprint('h', r_h)\nr_h",
        "r_h = [h2(x) for x in range(2)]",
    ),
    "s_alias": ("r_alias = alias(2)", "r_alias = repr(alias(RATE))[:9]"),
    "s_m": (
        "r_m = m.clean(2)\nr_m",
        "r_m = m.Box(2).area()",
        "r_m = m.shape.area()",
        "def through(x):\n    return m.clean(x)\nr_m = through(3)",
    ),
    "s_clean": ("r_c = [clean(x) for x in (1, 2)]",),
    "s_import": (
        "import mod_b as mm\nr_i = mm.work(1)",
        "from pkg_l.inner import deep\nr_i = deep(2)",
        "from pkg_l import extra\nr_i = extra.more(2)",
    ),
    "s_table": ("r_t = table['f'](2)", "r_t = str(table['g'](3))[:9]", "r_t = sorted(table)"),
    "s_k": ("r_k = K(5).get()\nprint(r_k)", "r_k = K(5)", "r_k = K(6).twice"),
    "s_obj": ("r_o = obj.get()", "r_o = [obj, obj.get()]", "r_o = obj.scale"),
    "s_colour": ("r_e = Colour.BLUE", "r_e = Colour(1).name", "r_e = {Colour.RED: Colour.BLUE.value}"),
    "s_xs": (
        "r_x = sum(xs) + len(ys)",
        "r_x = [xs, xs]",
        "total = 0\nfor item in xs:\n    total = total + item",
        "r_x = ys",
        "xs.append(0)\nr_x = len(ys)",
    ),
    "s_arr": (
        "r_a = float(arr.sum())",
        "r_a = arr[::2]",
        "r_a = view\nr_a",
        "arr[1] = 5\nr_a = float(view.sum())",
        "with np.errstate(all='ignore') as state:\n    r_a = arr * 2",
    ),
    "s_df": ("r_d = df.sum()\nr_d", "r_d = df[['b', 'a']]", "r_d = df.assign(w=len(xs))\nr_d.head()"),
    "s_pkg": (
        "import fakepkg\nr_p = fakepkg.work(2)",
        "import fakepkg\nr_p = fakepkg.limit",
        "from fakepkg import Thing\nr_p = Thing().go()",
        "import fakepkg as fp\nr_p = fp.twice(3)",
    ),
    "s_shell": ("r_s = !echo {RATE} $xs",),
    "s_defs": (
        "def made(x):\n    return h1(x) + 1\nr_made = made(2)",
        "class Made(B):\n    def get(self):\n        return h1(1)\nr_made = Made().get()",
        "async def made(x):\n    return h1(x)\nr_made = await made(2)",
        "def made(x):\n    return x\nr_made = made(LIMITS)",
    ),
    "s_made": ("r_again = made(3)", "r_again = r_made"),
    "s_global": (
        "count = 1\ndef bump():\n    global count\n    count += h1(1)",
        "count = 1\ndef bump():\n    global count\n    count += 2",
    ),
    "s_bump": ("bump()\nr_count = count", "bump()"),
    "s_del": ("tmp = RATE\nkept = tmp\ndel tmp", "kept = [RATE]\nkeep = kept\ndel kept"),
    "s_walrus": (
        "r_w = [last := x for x in (1, RATE)]",
        "match [1, RATE]:\n    case [first, *rest]:\n        r_w = rest",
        "if (n := RATE) > 2:\n    r_w = n\nelse:\n    r_w = -n",
    ),
    "s_gen": ("gen = (x for x in (1, 2))\nr_g = list(gen)",),
    "s_file": (
        "r_f = open('data.txt').read()",
        "r_f = int(pd.read_csv('data.csv')['a'].sum())",
        "from pathlib import Path\nr_f = Path('data.txt').read_text() + str(RATE)",
        "r_f = np.loadtxt('data.txt')\nr_f",
        "r_f = sorted(os.listdir('folder'))",
        "r_f = os.path.exists('extra.txt') and open('extra.txt').read()",
    ),
    "s_out": ("r_u = open('out.txt').read()",),
    "s_env": (
        "r_v = os.environ.get('REUSE_LEVEL', 'none')",
        "r_v = os.getenv('REUSE_LEVEL')",
        "r_v = 'REUSE_LEVEL' in os.environ",
    ),
    "s_random": (
        "r_n = float(np.random.rand())\nr_n",
        "import random\nr_n = random.random()",
        "r_n = list(df.sample(1)['a'])",
        "np.random.seed(5)\nr_n = float(np.random.rand())",
        "r_n = float(np.random.default_rng(3).random())",
    ),
    "s_print": ("print(arr / 3)\nr_z = str(np.array([1 / 3]))", "print(df / 3)\nr_z = repr(df)"),
    "s_lock": ("r_l = arr.copy()\nr_l.flags.writeable = False",),
    "s_show": ("display(h1(2), xs)\nprint('shown')\nfor x in (1, 2): print(x, end=' ')",),
    **kinds_cells(),
}
"""The cells of the notebook in their order, each with its variants. Each may be run plain or as a step."""

ALSO = {"r_s = !echo {RATE} $xs": "RATE, xs"}
"""What a cell reads although its bytecode does not tell: an expression."""

MOD_A = """
import math
from mod_b import work
RATE = 5
ITEMS = [1, 2]
def low(x):
    return x * RATE
def clean(x):
    return low(x) + 1
class Box:
    sides = 4
    scale = 1
    def __init__(self, n=1):
        self.n = n
    def area(self):
        return low(self.sides) + self.n
    def get(self):
        return self.n * self.sides
    def grow(self):
        self.n += low(1)
shape = Box()
"""

MOD_B = """
LEVEL = 3
def work(x):
    return x + LEVEL
def clean(x):
    return work(x) * 2
class Box:
    scale = 2
    def __init__(self, n=1):
        self.n = n
    def area(self):
        return self.n
    def get(self):
        return self.area() + 1
    def grow(self):
        self.n += 1
shape = Box(2)
"""

FILES: dict[str, tuple[str, ...]] = {
    "mod_a.py": (
        MOD_A,
        MOD_A.replace("RATE = 5", "RATE = 6"),
        MOD_A.replace("x * RATE", "x * RATE - 1"),
        MOD_A.replace("low(x) + 1", "work(x) + sum(ITEMS)"),
        MOD_A.replace("sides = 4", "sides = 5"),
        MOD_A.replace("import math\n", "import math\n# a remark\n\n"),
        MOD_A.replace("def low(x):", "def low(x):\n    '''Multiply.'''"),
        MOD_A.replace("low(x) + 1", "work(x) * math.floor(2.5)"),
        MOD_A + "\ndef __getattr__(name):\n    return {'late': RATE}[name]\n",
    ),
    "mod_b.py": (
        MOD_B,
        MOD_B.replace("LEVEL = 3", "LEVEL = 4"),
        MOD_B.replace("x + LEVEL", "LEVEL - x"),
        MOD_B.replace("return self.n\n", "return -self.n\n"),
        MOD_B.replace("return work(x) * 2", "from pkg_l.inner import deep\n    return deep(x)"),
    ),
    "mod_d.py": MODULE,
    **LOADED_MODULES,
    "mod_c.py": (
        "def clean(x):\n    return other(x)\ndef other(x):\n    return x + 100\nstar = 1\n",
        "def clean(x):\n    return other(x)\ndef other(x):\n    return x + 200\nstar = 2\n",
        "from mod_a import clean\nstar = [1]\n",
    ),
    "pkg_l/__init__.py": (
        "from .inner import deep as clean, Box\nshape = Box(9)\n",
        "from . import inner\nfrom .inner import Box\ndef clean(x):\n    return inner.deep(x) + 1\nshape = Box(9)\n",
    ),
    "pkg_l/inner.py": (
        "from mod_b import Box\nDEPTH = 3\nshape = Box(7)\ndef deep(x):\n    return x * DEPTH\nclean = deep\n",
        "from mod_b import Box\nDEPTH = 4\nshape = Box(7)\ndef deep(x):\n    return x * DEPTH\nclean = deep\n",
        (
            "from mod_b import Box\nDEPTH = 3\nshape = Box(7)\n"
            "def deep(x):\n    from .extra import more\n    return more(x)\nclean = deep\n"
        ),
    ),
    "pkg_l/extra.py": (
        "from . import inner\ndef more(x):\n    return x + inner.DEPTH\n",
        "def more(x):\n    return x + 70\n",
    ),
}
"""The local modules, each with its variants."""

DATA: dict[str, tuple[str, ...]] = {
    "data.txt": ("1\n2\n", "1\n3\n", "1\n2\n\n"),
    "data.csv": ("a,b\n1,2\n", "a,b\n3,2\n"),
    "folder/one.txt": ("one", "1"),
    "folder/two.txt": ("two",),
    "extra.txt": ("extra", "more"),
}
"""Files that steps read, each with its variants; the last two are not there at first."""

SEEDED = "import random\nimport numpy as np\nrandom.seed(0)\nnp.random.seed(0)\n_ticks = 0"
"""What a new kernel runs first: without it, two kernels draw other numbers, with zennb or without.

A step would keep `_ticks` to itself, where it is no function that binds it."""

PACKAGE = """
__version__ = {version!r}
limit = 5
def work(x):
    return x + {added}
def twice(x):
    return work(x) * 2
class Thing:
    def go(self):
        return {added}
"""

PACKAGES = {
    version: PACKAGE.format(version=version, added=added)
    for version, added in (("1.0", 1), ("1.1", 2), ("2.0", 3))
}
"""An installed package: version → its code."""
