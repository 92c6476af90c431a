"""Cells that are reused although they do something that looks dangerous, and the edits after which they still run."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

SYMPY = "import sympy as sp\nx, y = sp.symbols('x y')"
MOVE = "class Move:\n    items = [1]\n    def __init__(self, n):\n        self.n = n"

REUSED: dict[str, tuple[str, ...]] = {
    "parts that expressions share": (
        SYMPY,
        "e = sp.Eq(x**2 + y, 3)",
        "solved = sp.solve(e, x)\nsolved",
        "d = sp.diff(sp.sin(x) * x**2, x)\nd",
        "m = sp.Matrix([[x, 1], [y, 2]])",
        "m[0, 0] = y\nm.det()",
        "d.is_real, d.free_symbols, e.lhs",
    ),
    "functions without a definition": (
        SYMPY,
        "f, g = sp.symbols('f g', cls=sp.Function)",
        "sp.dsolve(sp.Eq(f(x).diff(x), f(x)))",
        "class half(sp.Function):\n    @classmethod\n    def eval(cls, n):\n        return n / 2 if n.is_Number else n",
        "half(x) + half(sp.Integer(4))",
    ),
    "polynomials": (
        SYMPY,
        "p = sp.Poly(x**2 + 2 * x, x, modulus=3)",
        "p.domain, p.all_coeffs()",
        "ring, a, b = sp.ring('a, b', sp.ZZ)",
        "product = (a + b) * a",
        "str(product), hash(product) == hash(a * a + a * b)",
    ),
    "functions with the names of builtins": (
        "def eval(model):\n    return model * 2\ndef exec(a):\n    return input(a)\ndef input(a):\n    return a + 1",
        "def globals():\n    return {'a': eval(1)}",
        "eval(3), exec(3), input(3), globals()",
    ),
    "classes in containers and types": (
        MOVE,
        "table = {'m': Move}\nmoves = list[Move]\nmaybe = Move | None",
        "table['m'](3).n, isinstance(table['m'](1), Move)",
        "from typing import Generic, Optional, TypeVar\nT = TypeVar('T')\nqueue = Optional[Move]",
        "class Stack(Generic[T]):\n    def __init__(self) -> None:\n        self.items: list[T] = []",
        "s = Stack[Move]()\ns.items.append(Move(4))",
        "s.items[0].n, type(s) is Stack",
    ),
    "a function under a cache of its own name": (
        "from functools import lru_cache\ndef c(n, k):\n    return c(n - 1, k - 1) + c(n - 1, k) if 0 < k < n else 1",
        "c = lru_cache(None)(c)",
        "c(10, 3)",
    ),
    "an import within catch_warnings": (
        "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    import colorsys",
        "colorsys.rgb_to_hsv(1, 1, 1)",
    ),
    "a method that counts, where it is only defined": (
        "class Agent:\n    count = 0\n    def __init__(self):\n        Agent.count += 1\n        type(self).n = 1",
        "import decimal\ndef precise():\n    decimal.extra = 1",
        "Agent.count",
    ),
    "ufuncs of a function": (
        "import numpy as np\ndef f(a):\n    return a + 1",
        "uf = np.frompyfunc(f, 1, 1)\ntotal = np.frompyfunc(lambda a, b: a + b, 2, 1, identity=0)\nadd = np.add",
        "v = np.vectorize(f, otypes=[float])",
        "uf(np.arange(3)), total.reduce(np.array([1, 2], object)), total.identity, add is np.add",
        "v(np.arange(3))",
        "v(np.arange(4))",
    ),
    "drawing in an image": (
        "from PIL import Image, ImageDraw, ImageFont\nimg = Image.new('RGB', (20, 20))",
        "draw = ImageDraw.Draw(img, 'RGBA')\nfont = ImageFont.load_default()",
        "draw.rectangle((0, 0, 9, 9), fill=(255, 0, 0, 128))",
        "draw.text((1, 1), 'x', font=font)",
        "draw.text((9, 9), 'y')",
        "draw._image is img, img.getpixel((1, 1)), sum(img.tobytes())",
    ),
    "what says that it cannot be pickled yet": (
        "import pandas as pd, patsy\ndf = pd.DataFrame({'y': [1.0, 2, 3, 4], 'x': [1.0, 3, 2, 5], 'g': list('abab')})",
        "y, X = patsy.dmatrices('y ~ x + g', df)",
        "X.design_info.column_names, X.sum(), type(X) is type(y)",
        "Z = patsy.build_design_matrices([X.design_info], df)[0]\nZ.tolist()",
    ),
    "files that are moved": (
        "import os\nfrom pathlib import Path\nfirst = Path('a.txt').write_text('1') + Path('b.txt').write_text('2')",
        "os.rename('a.txt', 'c.txt')",
        "os.remove('b.txt')",
        "[os.path.exists(each) for each in ('a.txt', 'b.txt')], Path('c.txt').read_text()",
        "Path('c.txt').rename('d.txt')",
        "os.path.exists('c.txt'), Path('d.txt').read_text()",
    ),
    "a cache that is cleared": (
        "from functools import lru_cache\nk = 1\n@lru_cache\ndef f(n):\n    return n * k",
        "f(3)",
        "k = 2",
        "f.cache_clear()",
        "f(3)",
        "k = 3\nf.cache_clear()\nf(3)",
    ),
    "a protocol that is asked for": (
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass Walks(Protocol):\n    go: int",
        "isinstance(3, Walks)",
    ),
    "folders and where one is": (
        "!mkdir -p out/raw",
        "from pathlib import Path\nPath('out/raw/a.txt').write_text('x')",
        "import os\nos.listdir('out/raw')",
        "!echo done",
        "names = !ls out\nlist(names)",
        "ls out",
        "where = %pwd\nwhere == os.getcwd()",
    ),
}

EDITED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "assumptions of a symbol": (
        (SYMPY, "z = sp.Symbol('z')", "(z**2) ** 0.5"),
        1,
        "z = sp.Symbol('z', positive=True)",
    ),
    "assumptions of a function": (
        (SYMPY, "f = sp.Function('f')", "e = f(x)", "e.is_real"),
        1,
        "f = sp.Function('f', real=True)",
    ),
    "the numbers of a polynomial": (
        (SYMPY, "p = sp.Poly(x**2, x)", "p.domain"),
        1,
        "p = sp.Poly(x**2, x, modulus=3)",
    ),
    "a function with the name of a builtin": (
        ("def eval(a):\n    return a * 2", "eval(3)"),
        0,
        "def eval(a):\n    return a * 3",
    ),
    "the builtin under its own name": (
        ("import builtins\nk = 3", "eval = builtins.eval", "eval('k')"),
        0,
        "import builtins\nk = 4",
    ),
    "a file that is moved": (
        (
            "import os\nfrom pathlib import Path\nn = Path('a.txt').write_text('1')",
            "os.rename('a.txt', 'c.txt')",
            "Path('c.txt').read_text()",
        ),
        0,
        "import os\nfrom pathlib import Path\nn = Path('a.txt').write_text('22')",
    ),
    "a class that says no module": (
        ("class B:\n    __module__ = None\n    def v(self): return 3", "b = B()", "b.v()"),
        0,
        "class B:\n    __module__ = None\n    def v(self): return 4",
    ),
    "the function of a ufunc": (
        (
            "import numpy as np\ndef f(a):\n    return a + 1",
            "uf = np.frompyfunc(f, 1, 1)",
            "uf(np.arange(3))",
        ),
        0,
        "import numpy as np\ndef f(a):\n    return a + 2",
    ),
    "the image that is drawn in": (
        (
            "from PIL import Image, ImageDraw\nimg = Image.new('L', (4, 4))\ndraw = ImageDraw.Draw(img)",
            "draw.point((0, 0), 3)",
            "img.tobytes()",
        ),
        1,
        "draw.point((0, 0), 4)",
    ),
    "the formula of a design": (
        (
            "import pandas as pd, patsy\ndf = pd.DataFrame({'x': [1.0, 3, 2, 5]})",
            "X = patsy.dmatrix('x', df)",
            "X.design_info.column_names",
        ),
        1,
        "X = patsy.dmatrix('x - 1', df)",
    ),
    "a class in a container": (
        (MOVE, "table = {'m': Move}", "table['m'](3).n"),
        0,
        MOVE.replace("self.n = n", "self.n = n + 1"),
    ),
    "the function under a cache": (
        ("def c(n):\n    return n", "from functools import lru_cache\nc = lru_cache(None)(c)", "c(10)"),
        0,
        "def c(n):\n    return n + 1",
    ),
    "an element of a matrix": ((SYMPY, "m = sp.Matrix([[x, 1]])", "m"), 1, "m = sp.Matrix([[x, 2]])"),
}
"""Kind → the cells, which of them is edited, and how it reads then; the last cell shows what depends on it."""


@pytest.mark.parametrize("kind", REUSED)
def test_a_cell_that_needs_not_run_is_reused(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells = REUSED[kind]
    _skip_without_library(cells)
    plain = _plain(notebook, tmp_path, cells)
    first = _steps(notebook, cells)
    notebook.restart()
    again = _steps(notebook, cells)
    assert [ran.reason for ran in again if ran.status != "cached"] == []
    assert [_shown(ran) for ran in first] == plain
    assert [_shown(ran) for ran in again] == plain


RUN: dict[str, tuple[tuple[str, ...], int]] = {
    "a part of a class beside the class": (
        (MOVE, "table = {'m': Move, 'parts': Move.items}", "Move.items.append(2)\ntable"),
        1,
    ),
    "a class that code registers": (
        (
            "from abc import ABC\nclass Base(ABC): pass\nclass Other: pass\nBase.register(Other)",
            "isinstance(Other(), Base)",
        ),
        0,
    ),
    "a class that a call changes": (
        ("class A:\n    items = []\nA.items.append(3)\nsetattr(A, 'x', 1)", "A.items, A.x"),
        0,
    ),
    "what is written through an extension's own object": (
        (
            "from PIL import Image\nimg = Image.new('RGB', (4, 4))",
            "pixels = img.load()",
            "pixels[2, 2] = (1, 2, 3)",
            "img.getpixel((2, 2))",
        ),
        1,
    ),
    "a class that its instances count": (
        ("class A:\n    n = 0\n    def __init__(self): A.n += 1", "a = A()\nb = A()", "A.n"),
        1,
    ),
    "a function that gets another branch": (
        (
            "from functools import singledispatch\n@singledispatch\ndef f(x): return 'o'\nf.register(int, len)",
            "f.dispatch(int) is len",
        ),
        0,
    ),
}
"""Kind → the cells, and which of them has to run every time."""


@pytest.mark.parametrize("kind", RUN)
def test_a_cell_runs_where_reuse_would_give_something_else(
    notebook: Notebook, tmp_path: Path, kind: str
) -> None:
    cells, at = RUN[kind]
    plain = _plain(notebook, tmp_path, cells)
    assert [_shown(ran) for ran in _steps(notebook, cells)] == plain
    notebook.restart()
    again = _steps(notebook, cells)
    assert again[at].status == "completed"
    assert [_shown(ran) for ran in again] == plain


@pytest.mark.parametrize("kind", EDITED)
def test_a_cell_runs_when_what_it_reads_was_edited(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells, at, edited = EDITED[kind]
    _skip_without_library(cells)
    _steps(notebook, cells)
    changed = (*cells[:at], edited, *cells[at + 1 :])
    notebook.restart()
    again = _steps(notebook, changed)
    notebook.restart()
    assert [_shown(ran) for ran in again] == _plain(notebook, tmp_path, changed)
    assert again[-1].status == "completed"


HELPERS = """import random
import numpy as np
def seed_everything(seed=42):
    \"\"\"Seed all.\"\"\"
    random.seed(seed)
    np.random.seed(seed + 1)
def prepare(n):
    print("seeding")
    seed_everything(n)
def maybe(n):
    if n is None:
        return
    seed_everything(n)
def late(n):
    random.random()
    random.seed(n)
class Settings:
    seed = 3
"""

SEEDED = {
    "seed_everything(1)": True,
    "seed_everything(seed=Settings.seed)": True,
    "prepare(3)": True,
    "n = 3\nprepare(n)": True,
    "def again(n):\n    prepare(n)\nagain(2)": True,
    "np.random.seed(Settings.seed)\nrandom.seed(Settings.seed)": True,
    "maybe(None)": False,
    "late(3)": False,
    "def lazy():\n    seed_everything(1)\n    yield\nlazy()": False,
    "before = random.random()\nseed_everything(1)": False,
    "if np.random.rand() < 2:\n    seed_everything(1)": False,
    "random = np.random\nrandom.seed(3)\nimport random": False,
}
"""How a cell begins, and whether the random numbers it draws then do not depend on the state before."""


@pytest.mark.parametrize("start", SEEDED)
def test_a_step_that_seeds_first_does_not_depend_on_the_state_before(notebook: Notebook, start: str) -> None:
    drawing = f"%%step drawn\n{start}\nx = random.random(), np.random.rand()\nx"
    notebook.run(HELPERS, "random.seed(7)\nnp.random.seed(7)", drawing)
    notebook.restart()
    *_, again = notebook.run(HELPERS, "random.seed(8)\nnp.random.seed(8)", drawing)
    assert again.status == ("cached" if SEEDED[start] else "completed"), again.reason
    notebook.restart()
    *_, plain = notebook.run(HELPERS, "random.seed(8)\nnp.random.seed(8)", drawing.partition("\n")[2])
    assert _shown(again) == _shown(plain)


def test_a_cache_that_reuse_clears_keeps_no_result_of_other_code(notebook: Notebook) -> None:
    notebook.run("from functools import lru_cache\n@lru_cache\ndef f(n):\n    return n * k")
    for k in (1, 2, 1, 2):
        *_, asked = notebook.run(f"k = {k}", "%%step clear\nf.cache_clear()", "%%step ask\nf(3)")
        assert f": {3 * k}\n" in _shown(asked)


def test_a_cell_magic_below_the_step_line_is_refused_in_a_sentence(notebook: Notebook) -> None:
    ran = notebook.cell("%%step s\n%%bash\nif true; then echo hi; fi")
    assert "Put it on the first line, and `#| step: NAME` on the second" in str(ran.error)


@pytest.mark.parametrize(
    ("cell", "shows"),
    [
        ("%%writefile notes.txt\n#| step: s\nhello", "notes.txt"),
        ("%%capture said\n#| step: s\nprint(3)", ""),
        ("%%time\n#| step: s\nvalue = 3", ""),
        ("%%html\n#| step: s\n<b>hi</b>", ""),
    ],
)
def test_a_cell_with_a_cell_magic_is_a_step_by_its_second_line(
    notebook: Notebook, cell: str, shows: str
) -> None:
    (first,) = notebook.run(cell)
    assert first.status == "completed"
    assert shows in first.out
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    assert notebook.ns.get("value", 3) == 3


def test_a_cell_magic_with_unknown_effects_runs_every_time(notebook: Notebook) -> None:
    cell = "%%bash\n#| step: s\necho hi"
    notebook.run(cell)
    (again,) = notebook.run(cell)
    assert "it runs `%%bash`, whose effects cannot be seen" in again.reason


def _skip_without_library(cells: tuple[str, ...]) -> None:
    for library in ("sympy", "patsy"):
        if any(library in text for text in cells) and find_spec(library) is None:
            pytest.skip(f"needs {library}")


def _plain(notebook: Notebook, tmp_path: Path, cells: tuple[str, ...]) -> list[str]:
    """Return what the cells show as plain ones, in a folder of their own."""
    folder = tmp_path / "plain"
    folder.mkdir()
    notebook.shell.run_line_magic("cd", f"-q {folder}")
    shown = [_shown(ran) for ran in notebook.run(*cells)]
    notebook.shell.run_line_magic("cd", f"-q {tmp_path}")
    notebook.restart()
    return shown


def _steps(notebook: Notebook, cells: tuple[str, ...]) -> list[Ran]:
    return notebook.run(*(f"%%step s{number}\n{text}" for number, text in enumerate(cells)))


def _shown(ran: Ran) -> str:
    """Return what a cell printed and its last value as text, whether it ran or was reused."""
    values = [
        shown["data"].get("text/plain", "") for shown in ran.displays if "zennb" not in shown["metadata"]
    ]
    return ran.out + "".join(values)
