"""Which statements bring back a cell's modules, functions and classes."""

from __future__ import annotations

import ast
import types

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from zennb.core.reading.source import definitions


def chosen(text: str, names: str) -> list[str] | None:
    tree = ast.parse(TransformerManager().transform_cell(text))
    found = definitions(tree, names.split())
    return None if found is None else [ast.unparse(one) for one in found]


FOUND = [
    ("import a\nx = work()", "a", ["import a"]),
    ("import a, b\nx = work()", "a", ["import a, b"]),
    ("from m import *\nx = work()", "pi", ["from m import *"]),
    ("from __future__ import annotations\nx = work()", "", ["from __future__ import annotations"]),
    ("x = work()\nf = lambda: x", "f", ["f = lambda: x"]),
    ("import a\ng = a.g\nh = g", "h", ["import a", "g = a.g", "h = g"]),
    ("f, g = g, f", "f g", ["f, g = (g, f)"]),
    ("f = make(3)\nf = lambda: 1", "f", ["f = lambda: 1"]),
    ("f = lambda: 1\nf = lambda: 2", "f", ["f = lambda: 1", "f = lambda: 2"]),
    ("try:\n    import a\n    OK = True\nexcept ImportError:\n    a = None", "a", None),
    ("import a\nwork()\ndel a", "", []),
    ("import a\ng = a.g\ndel a, x", "g", ["import a", "g = a.g", "del a"]),
    ("K = 3\nclass C:\n    k = K", "C", ["K = 3", "class C:\n    k = K"]),
    ("%time import a", "a", ["import a"]),
    ("%%time\nimport a\nx = a.work()", "a", ["import a"]),
    ("import a\na.options['x'] = 3\na.limits = [1, 2]\na.run()", "a", None),
    ("with suppress(ImportError):\n    import a", "a", None),
]
WHOLE = [
    "a = namedtuple('Point', 'x y', defaults=[0, 0])",
    "a = collections.namedtuple('Point', ['x', 'y'])",
    "a = Enum('Colour', {'RED': 1})",
    "a = TypeVar('T', bound=b)",
    "def a(x=1): return x",
    "@deco\ndef a(): return x",
    "class a(B): x = work()",
    "if TYPE_CHECKING:\n    from m import a",
    "if sys.version_info >= (3, 12):\n    import a\nelse:\n    import b as a",
    "try:\n    import a\nexcept ImportError:\n    a = None",
    "with suppress(ImportError):\n    import a",
]


@pytest.mark.parametrize(("text", "names", "expected"), FOUND)
def test_the_statements_that_define_are_chosen(text: str, names: str, expected: list[str] | None) -> None:
    if expected is None:
        tree = ast.parse(text)
        kept = [ast.unparse(one) for one in tree.body if not isinstance(one, ast.Expr)]
        assert chosen(text, names) == kept
    else:
        assert chosen(text, names) == expected


@pytest.mark.parametrize("text", WHOLE)
def test_a_statement_that_only_defines_is_kept_whole(text: str) -> None:
    assert chosen(f"x = 1\n{text}\ny = work(x)", "a") == [ast.unparse(ast.parse(text).body[0])]


NONE = [
    ("f = make(3)", "f"),
    ("f = lambda: 1\nf = deco(f)", "f"),
    ("Point = namedtuple('Point', fields())", "Point"),
    ("point = Point('Point', 'x y')", "point"),
    ("f = table['x']", "f"),
    ("if work():\n    import a", "a"),
    ("for m in xs:\n    f = m.f", "f"),
    ("x = work()\ndef f(y=x): return y", "f"),
    ("deco = make()\n@deco\ndef f(): return y", "f"),
    ("model = fit()\npredict = model.predict", "predict"),
    ("def f(): return 1\nf.cache = work()", "f"),
    ("def setup():\n    global f\n    f = make()\nsetup()", "f"),
    ("def setup():\n    global f\n    import f\nimport f\nsetup()", "f"),
    ("exec('import a')", "a"),
    ("%run other.py", "f"),
    ("with work():\n    import a", "a"),
    ("try:\n    import a\nexcept ImportError:\n    install()\n    import a", "a"),
]


@pytest.mark.parametrize(("text", "names"), NONE)
def test_there_are_none_when_work_would_have_to_be_done(text: str, names: str) -> None:
    assert chosen(text, names) is None


def test_executing_them_brings_the_names_back() -> None:
    text = "import math as m\nroot = m.sqrt\ndef f(x, r=root): return r(x)\ny = f(16)\nclass C:\n    z = f(4)\nprint(y)"
    tree = ast.parse(text)
    found = definitions(tree, ["m", "root", "f", "C"])
    assert found is not None
    space: dict[str, object] = {}
    exec(compile(ast.Module(found, type_ignores=[]), "<cell>", "exec"), space)
    assert isinstance(space["f"], types.FunctionType)
    assert space["f"](9) == 3
    assert "y" not in space
