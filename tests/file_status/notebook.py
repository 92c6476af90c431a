"""Owns the notebook that is edited at random: its cells with their variants, the files beside it, the environment."""

from __future__ import annotations

__all__ = ["CELLS", "ENVIRONMENT", "FILES"]

MODEL = """
class Model:
    rate = {rate}
    def __init__(self, n):
        self.n = n
    def get(self):
        return {get}
    def grow(self):
        self.n += {step}
"""
LIBRARY = """
from other import base
RATE = {rate}
def scale(x):
    {comment}
    return x * RATE
def make(n):
    return [{item} for i in range(n)]
{more}
"""

CELLS: dict[str, tuple[str, ...]] = {
    "imports": (
        "import os, random\nfrom pathlib import Path\nimport numpy as np\nimport pandas as pd",
        "import os\nimport random\nfrom pathlib import Path\nimport numpy as np\nimport pandas as pd  # as usual",
    ),
    "seed": ("", "np.random.seed(1)", "np.random.seed(2)", "random.seed(3)\nnp.random.seed(1)"),
    "k": ("K = 3", "K = 4", "K = 3  # the same", "K = 1 + 2", "K = 3.0", "K = len('abc')"),
    "config": (
        "CONFIG = {'depth': 2, 'names': ['a']}",
        "CONFIG = {'depth': 3, 'names': ['a']}",
        "CONFIG = dict(depth=2)",
    ),
    "level": (
        "",
        "os.environ['FILE_LEVEL'] = 'low'",
        "os.environ['FILE_LEVEL'] = 'high'",
        "%env FILE_LEVEL=low",
    ),
    "clean": (
        "def clean(x):\n    return x * K",
        "def clean(x):\n    '''Clean.'''\n    return x * K",
        "def clean(x):\n    return x + K",
        "def clean(x, by=2):\n    return x * by",
        "def clean(x):\n    return x * CONFIG['depth']",
        "clean = lambda x: x - K",
    ),
    "outer": ("def outer(x):\n    return clean(x) + 1", "def outer(x):\n    return clean(x) + 2"),
    "model": (
        MODEL.format(rate=2, get="self.n * self.rate", step=1),
        MODEL.format(rate=5, get="self.n * self.rate", step=1),
        MODEL.format(rate=2, get="clean(self.n)", step="K"),
    ),
    "modules": ("import mylib", "import mylib\nfrom mylib import scale", "import mylib as lib\nimport mylib"),
    "rows": (
        "rows = [1, 2, 3]",
        "rows = [3, 2, 1]",
        "rows = [clean(n) for n in range(3)]",
        "rows = [int(n) for n in Path('numbers.txt').read_text().split()]",
        "rows = mylib.make(K)",
        "rows = list(range(K))",
    ),
    "alias": ("more = rows", "more = list(rows)", "more = [rows]", "more = rows if K > 3 else rows[:]", ""),
    "change": (
        "",
        "more.append(5)",
        "rows.append(K)",
        "rows.sort()",
        "for each in more:\n    print(each)",
        "print(len(rows))",
    ),
    "count": (
        "COUNT = [0]\ndef bump():\n    COUNT[0] += 1\n    return COUNT[0]",
        "COUNT = [0]\ndef bump():\n    global COUNT\n    COUNT = [COUNT[0] + K]\n    return COUNT[0]",
    ),
    "bump": ("", "bump()", "bump()\nbump()", "first = bump()"),
    "%s_sum": (
        "total = sum(map(int, map(str, [len(str(r)) for r in rows]))) + K",
        "total = len(rows) + K",
        "total = len(rows)",
    ),
    "%s_csv": ("df = pd.read_csv('table.csv')\ndf.shape", "df = pd.read_csv('table.csv')"),
    "column": ("", "df['z'] = df['a'] * K", "df = df.assign(z=1)", "view = df\nview['y'] = 2", "df.head()"),
    "%s_mean": ("mean = float(df.select_dtypes('number').sum().sum())", "mean = float(df['a'].sum())"),
    "%s_inplace": ("df['w'] = df['a'] + total", "df['w'] = df['a'] * 2"),
    "%s_after": ("columns = list(df.columns)\nprint(columns)", "columns = len(df.columns) + outer(1)"),
    "%s_write": (
        "Path('out.txt').write_text(str(total))",
        "Path('out.txt').write_text(str(K))",
        "done = True",
    ),
    "%s_read": ("text = Path('out.txt').read_text() if Path('out.txt').exists() else ''", "text = str(K)"),
    "plain_write": ("", "Path('plain.txt').write_text(str(K))", "Path('plain.txt').write_text('x')"),
    "%s_plain": ("plain = open('plain.txt').read() if os.path.exists('plain.txt') else 'none'",),
    "table": ("table = mylib.make(2)", "table = mylib.scale(5)", "table = outer(2)"),
    "%s_module": ("q = mylib.scale(K)", "q = mylib.scale(2) + len(str(table))", "q = str(table)"),
    "%s_env": ("level = os.environ.get('FILE_LEVEL', 'none')", "level = os.getenv('FILE_LEVEL')"),
    "%s_random": (
        "noise = np.random.rand(2).tolist()",
        "noise = [random.random() for _ in range(2)]",
        "noise = K",
    ),
    "object": ("obj = Model(K)", "obj = Model(7)"),
    "grow": ("", "obj.grow()", "obj.n = 5", "Model.rate = 9"),
    "%s_object": ("got = obj.get()", "got = obj.n"),
    "%s_count": ("c = COUNT[0]", "c = bump()"),
    "%s_define": (
        "def third(x):\n    return x + 1\nbase = 5",
        "def third(x):\n    return x + 2\nbase = 5",
        "third = outer\nbase = K",
    ),
    "between": ("", "base = base + 1", "both = [base, rows]"),
    "%s_use": ("u = third(base)", "u = third(base) + 1"),
    "%s_config": ("depth = CONFIG['depth']", "depth = dict(CONFIG)"),
}
"""Slot → its variants; "" is a cell that is not there. Slots that start with % are steps."""

FILES: dict[str, tuple[str, ...]] = {
    "numbers.txt": ("1 2 3", "4 5 6", "1 2 3 4"),
    "table.csv": ("a,b\n1,2\n3,4\n", "a,b\n1,2\n3,5\n", "a,b,c\n1,2,x\n3,4,y\n"),
    "mylib.py": (
        LIBRARY.format(rate=2, comment="", item="base(i)", more=""),
        LIBRARY.format(rate=3, comment="", item="base(i)", more=""),
        LIBRARY.format(rate=2, comment="# the same", item="base(i) + 1", more=""),
        LIBRARY.format(rate=2, comment="", item="base(i)", more="def unused():\n    return 1"),
    ),
    "other.py": (
        "def base(i):\n    return i\n",
        "def base(i):\n    return i + 10\n",
        "BY = 1\ndef base(i):\n    return i * BY\n",
    ),
    "plain.txt": ("old", "older"),
}

ENVIRONMENT: dict[str, tuple[str | None, ...]] = {"FILE_LEVEL": (None, "low", "outside")}
