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
    *("s_data", "s_mod", "s_seed", "s_draw", "s_out", "p_touch"),
)

FILES: dict[str, tuple[str, ...]] = {
    "data.txt": ("1 2 3", "1 2 4", "5"),
    "folder/one.txt": ("one", "two"),
    "folder/two.txt": ("x", "y"),
    "out.txt": ("by hand",),
    "mylib.py": (
        "RATE = 2\ndef grow(v):\n    return v * RATE\n",
        "RATE = 3\ndef grow(v):\n    return v * RATE\n",
        "RATE = 2\ndef grow(v):\n    return v * RATE + 1\n",
        "RATE = 2\ndef grow(v):\n    # grows\n    return v * RATE\ndef unused():\n    return 1\n",
    ),
}
