"""Owns the notebook that plans are tried on: its cells with their variants, and the files around it."""

from __future__ import annotations

__all__ = ["FILES", "PLAIN", "SLOTS", "STEPS"]

BOX = """class Box:
    step = {step}
    def __init__(self):
        self.items = []
    def put(self, v):
        self.items.append(v * self.step)
box = Box()"""

PLAIN: dict[str, tuple[str, ...]] = {
    "p_imports": (
        "import importlib, os, random, sys\nimportlib.invalidate_caches()\nimport mylib\nimportlib.reload(mylib)",
        "import os, random, sys\nimport mylib",
    ),
    "p_const": ("K = 1", "K = 2", "K = 3", "K = 1.0", "K = True", "K = 1  # the same"),
    "p_more": ("W = 'a'\nV = [1, 2]", "W = 'b'\nV = [1, 2]", "W = 'a'\nV = [1, 3]"),
    "p_helper": (
        "def helper(v):\n    return v * 2",
        "def helper(v):\n    return v * 3",
        "def helper(v):\n    # doubles\n    return v * 2",
        "def inner(v):\n    return v + K\ndef helper(v):\n    return inner(v)",
    ),
    "p_class": (
        BOX.format(step=1),
        BOX.format(step=2),
    ),
    "p_list": ("xs = [1]", "xs = [2]", "xs = [1]\nys = xs", "xs = list(V)"),
    "p_n": ("n = 10", "n = 3", "n = 10 + K"),
    "p_seed": ("random.seed(1)", "random.seed(2)", "random.seed(1)\nrandom.random()", "pass"),
    "p_env": (
        "os.environ['ZT_MODE'] = 'x'",
        "os.environ['ZT_MODE'] = 'y'",
        "os.environ.pop('ZT_MODE', None)",
    ),
    "p_libraries": (
        "import decimal, logging\nimport numpy as np\nimport pandas as pd",
        "import pandas as pd\nimport decimal, logging\nimport numpy as np",
    ),
    "p_made": (
        "def made_by(n):\n    return lambda v: v + n\nadd = made_by(1)",
        "def made_by(n):\n    return lambda v: v + n\nadd = made_by(2)",
        "def made_by(n):\n    return lambda v: v * n\nadd = made_by(K)",
        "def made_by(n):\n    return lambda v, seen=xs: v + n + len(seen)\nadd = made_by(1)",
    ),
    "p_share": ("ys = xs", "ys = [xs]", "ys = list(xs)", "zs = ys = xs"),
    "p_view": ("part = big[:2]", "part = big[:2].copy()", "part = None"),
    "p_settings": (
        "np.set_printoptions(precision=3)",
        "np.set_printoptions(precision=8)",
        "pd.set_option('display.precision', 2)",
        "decimal.getcontext().prec = 5",
        "decimal.getcontext().prec = 28",
        "logging.getLogger('zt').setLevel(10)",
        "logging.getLogger('zt').setLevel(0)",
        "_ = np.seterr(divide='ignore')",
    ),
    "p_folder": (
        "home = globals().get('home') or os.getcwd()\nos.chdir(home)",
        (
            "home = globals().get('home') or os.getcwd()\nos.makedirs(os.path.join(home, 'folder'), exist_ok=True)\n"
            "os.chdir(os.path.join(home, 'folder'))"
        ),
    ),
    "p_package": (
        "import importlib, pack, pack.low\nimportlib.reload(pack.low)\nimportlib.reload(pack)",
        "import pack, pack.low",
        "import pack, pack.low\npack.low.DEPTH = 8",
    ),
    "p_touch": ("xs.append(9)", "a = 5", "V.append(K)", "pass", "box.items.append(0)", "mylib.RATE = 4"),
}

STEPS: dict[str, tuple[str, ...]] = {
    "s_a": ("a = K + 1", "a = K + 2", "a = K * 2 if W == 'a' else K", "a = 7"),
    "s_b": ("b = helper(a)", "b = helper(a) + 1", "b = [helper(v) for v in V]"),
    "s_grow": ("xs.append(a)", "xs.append(len(V))", "xs[0] = a", "xs.extend(V)"),
    "s_sum": ("total = sum(xs)", "total = len(xs)", "total = sum(xs) + sum(V)"),
    "s_n": ("n = n + 1", "n = 3", "m = n * 2", "n += a"),
    "s_m": ("q = n * 2", "q = str(n)"),
    "s_box": ("box.put(a)", "box.put(1)\nlast = box.items[-1]"),
    "s_boxes": ("held = list(box.items)", "held = len(box.items)"),
    "s_write": (
        "from pathlib import Path\n_ = Path('out.txt').write_text(str(a))",
        "from pathlib import Path\n_ = Path('out.txt').write_text('fixed')",
        "import os\nos.makedirs('folder', exist_ok=True)\nwith open('folder/new.txt', 'w') as f: _ = f.write(str(K))",
        "written = 0",
    ),
    "s_read": (
        "from pathlib import Path\ntext = Path('out.txt').read_text() if Path('out.txt').exists() else ''",
        "try:\n    text = open('out.txt').read()\nexcept FileNotFoundError:\n    text = 'none'",
        "import os\ntext = sorted(os.listdir('folder'))",
    ),
    "s_data": (
        "rows = [int(v) for v in open('data.txt').read().split()]",
        "rows = open('data.txt').read()",
        "rows = open('folder/one.txt').read()",
    ),
    "s_mod": ("grown = mylib.grow(a)", "grown = mylib.grow(2)", "from mylib import RATE\ngrown = RATE"),
    "s_env": ("mode = os.environ.get('ZT_MODE', '')", "mode = os.environ.get('ZT_MODE', '').upper()"),
    "s_setenv": ("os.environ['ZT_MODE'] = 'step'", "mark = 1"),
    "s_seed": ("random.seed(K)", "seeded = 1", "random.seed(5)\nfirst = random.random()"),
    "s_draw": ("drawn = random.random()", "drawn = random.randint(0, 9)"),
    "s_add": ("added = add(a)", "own = made_by(a)\nadded = own(1)", "added = [add, add(2)]"),
    "s_shared": ("ys.append(a)", "total_shared = len(ys)", "ys = list(ys)", "held_both = [xs, ys]"),
    "s_delete": ("tmp = a\nkept = tmp\ndel tmp", "kept = [K]", "del W\nW = 'a'", "if K > 1:\n    kept = K"),
    "s_options": (
        "-o chosen\nchosen = a\nother = 1",
        "--no-cache\nchosen = a",
        "-i W\nchosen = len([name for name in ('W',)])",
        "--after s_b\nchosen = 5",
        "--depends-on data.txt\nchosen = 6",
        "--ignore K\nchosen = K",
        "--expires 1h\nchosen = K",
        "--no-store other\nchosen = K\nother = [K]",
        "chosen = K",
    ),
    "s_chosen": ("taken = chosen", "taken = [chosen, K]", "--ignore chosen\ntaken = chosen"),
    "s_big": ("big = np.full(20_000, K)", "big = np.arange(20_000)", "big = np.full(4, a)"),
    "s_sum_big": (
        "big_sum = int(big.sum())",
        "big[0] = 5",
        "big_sum = float(big.mean())",
        "big_sum = part is None",
    ),
    "s_flaky": (
        "if W == 'b':\n    raise ValueError('not b')\nflaky = K",
        "--retries 1\nif W == 'b' or 'out' in text:\n    raise ValueError(W)\nflaky = a",
        "flaky = 1",
        "if os.environ.get('ZT_MODE') == 'y':\n    raise KeyError('mode')\nflaky = 2",
    ),
    "s_after": ("calm = flaky", "calm = 3"),
    "s_frame": ("df = pd.DataFrame({'a': V})", "df = pd.DataFrame({'a': [K, a]})"),
    "s_column": ("df['b'] = a", "df = df.assign(c=K)", "df_sum = int(df['a'].sum())"),
    "s_settings": (
        "print(np.array([1 / 3]))",
        "third = str(decimal.Decimal(1) / 3)",
        "print(df)",
        "np.set_printoptions(precision=2)",
        "decimal.getcontext().prec = 7",
        "level = logging.getLogger('zt').level",
        "pd.set_option('display.precision', 3)",
        "logging.getLogger('zt').setLevel(30)",
    ),
    "s_draws": (
        "np.random.seed(1)\ndrawn_too = np.random.rand()",
        "drawn_too = np.random.rand()",
        "drawn_too = random.sample(V, 1)",
    ),
    "s_made_file": (
        "with open('made.txt', 'w') as _f: _ = _f.write(W)",
        "with open('made.txt', 'a') as _f: _ = _f.write(W)",
        "import shutil\n_ = shutil.copy('data.txt', 'made.txt')",
        "if os.path.exists('made.txt'): os.remove('made.txt')",
    ),
    "s_used_file": (
        "made = os.path.exists('made.txt')",
        "made = open('made.txt').read() if os.path.exists('made.txt') else None",
        "import glob\nmade = sorted(glob.glob('*.txt'))",
    ),
    "s_package": (
        "deep = pack.low.deep(a)",
        "deep = pack.clean(1)",
        "from pack.low import DEPTH\ndeep = DEPTH",
    ),
    "s_global": ("def bump():\n    global counted\n    counted = K\nbump()", "counted = 1"),
    "s_define": (
        "def own_helper(v):\n    return helper(v) + K",
        "class Own:\n    rate = K\n    def get(self):\n        return a",
    ),
    "s_defined": (
        "used = own_helper(2) if 'own_helper' in dir() else 0",
        "used = Own().get() if W else 0",
        "used = own_helper(3)",
    ),
    "s_out": ("print(total)\nshown = total", "shown = total\nshown"),
}

SLOTS = (
    *("p_imports", "p_const", "p_more", "p_helper", "p_class", "p_list", "p_n", "p_env", "p_seed"),
    *(
        "s_a",
        "s_b",
        "s_grow",
        "s_sum",
        "s_n",
        "s_m",
        "s_box",
        "s_boxes",
        "s_setenv",
        "s_env",
        "s_write",
        "s_read",
    ),
    *("p_libraries", "p_settings", "p_made", "p_share", "p_package"),
    *(
        "s_add",
        "s_shared",
        "s_delete",
        "s_options",
        "s_chosen",
        "s_big",
        "p_view",
        "s_sum_big",
        "s_flaky",
        "s_after",
    ),
    *("s_frame", "s_column", "s_settings", "s_draws", "s_made_file", "s_used_file", "s_package", "s_global"),
    *("s_define", "s_defined", "s_data", "s_mod", "s_seed", "s_draw", "s_out", "p_touch"),
)

FILES: dict[str, tuple[str, ...]] = {
    "data.txt": ("1 2 3", "1 2 4", "5"),
    "folder/one.txt": ("one", "two"),
    "folder/two.txt": ("x", "y"),
    "out.txt": ("by hand",),
    "made.txt": ("by hand", "again"),
    "pack/__init__.py": (
        "from .low import deep as clean\n",
        "from . import low\ndef clean(x):\n    return low.deep(x) + 1\n",
    ),
    "pack/low.py": (
        "DEPTH = 3\ndef deep(x):\n    return x * DEPTH\n",
        "DEPTH = 4\ndef deep(x):\n    return x * DEPTH\n",
        "DEPTH = 3\ndef deep(x):\n    return x * DEPTH + 1\n",
    ),
    "mylib.py": (
        "RATE = 2\ndef grow(v):\n    return v * RATE\n",
        "RATE = 3\ndef grow(v):\n    return v * RATE\n",
        "RATE = 2\ndef grow(v):\n    return v * RATE + 1\n",
        "RATE = 2\ndef grow(v):\n    # grows\n    return v * RATE\ndef unused():\n    return 1\n",
    ),
}
