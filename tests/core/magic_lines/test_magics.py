"""What IPython's own transformer makes of magic and shell lines is read as what was typed."""

from __future__ import annotations

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.utils.text import DollarFormatter

from zennb.core.reading.embedded_names import expanded
from zennb.core.reading.source import Analysis, analyse


def cell(text: str) -> Analysis:
    """Analyse a cell as IPython transforms it."""
    return analyse(ast.parse(TransformerManager().transform_cell(text)))


PYTHON = [
    ("%time y = f(x)", "f x", "y"),
    ("%time --no-raise-error y = f(x)", "f x", "y"),
    ("%time", "", ""),
    ("y = %time f(x)", "f x", "y"),
    ("y = 1\n%time z = y", "", "y z"),
    ("%time import numpy as np", "", "np"),
    ("%time y = '{x}'", "", "y"),
    ("%timeit y = f(x)", "f x", ""),
    ("%timeit -n 3 -r2 -q f(x)", "f x", ""),
    ("%timeit -oq f(x)", "f x", ""),
    ("%timeit -n3 -v took f(x)", "f x", "took"),
    ("t = %timeit -o f(x)", "f x", "t"),
    ("%timeit -x", "x", ""),
    ("%prun -s cumulative -l 5 y = f(x)", "f x", "y"),
    ("%memit -r 2 f(x)", "f x", ""),
    ("%mprun -f g y = f(x)", "g f x", "y"),
    ("%lprun -f g -f m.h f(x)", "g m f x", ""),
    ("%%time\ny = f(x)\nz = y", "f x", "y z"),
    ("%%timeit y = a\nz = y + b", "a b", ""),
    ("%%timeit -n 3\nz = b", "b", ""),
    ("%%prun -q\ny = x", "x", "y"),
    ("%%capture\ny = x", "x", "y"),
    ("%%capture out --no-stderr\ny = x", "x", "y out"),
    ("%%capture out\nf(x);", "f x", ""),
    ("%%time\n%time y = x\n!ls {z}", "x z", "y _exit_code"),
    ("%%time\ny = !ls {z}\nw = %time x\ny?", "x z", "y w"),
    ("%%time\nif a:\n    !ls\n    x = 5 %b", "a b", ""),
    ("def f():\n    %time y = x\n    return z\nf()", "x z", "f"),
    ("def f(n):\n    %timeit y = x + n\nf(1)", "x", "f"),
    ("%time def f(): return K\nf()", "K", "f"),
    ("for i in (1, 2):\n    %time y = i", "", "i y"),
]


@pytest.mark.parametrize(("text", "reads", "surely"), PYTHON)
def test_magics_that_run_python_are_read_as_python(text: str, reads: str, surely: str) -> None:
    found = cell(text)
    assert set(found.reads) == set(reads.split())
    assert found.surely == set(surely.split())
    assert found.dynamic == ()


TEXT = [
    ("!ls", "", "_exit_code"),
    ("!ls {x} $y.z '$w' $$v {{u}}", "x y", "_exit_code"),
    ("!ls {a[1:3]} {f(b)!r}", "a f b", "_exit_code"),
    ("!awk '{print $1}' {x}", "", "_exit_code"),
    ("!echo } {x}", "", "_exit_code"),
    ("files = !ls {x}", "x", "files"),
    ("a, b = !ls {x}", "x", "a b"),
    ("!!ls $x", "x", ""),
    ("x = 'd'\n!ls {x}", "", "x _exit_code"),
    ("def f(d):\n    !ls {d} {e}\nf(1)", "e", "f"),
    ("[i for i in get_ipython().getoutput('ls {i}')]", "i", ""),
    ("%matplotlib inline", "", ""),
    ("%cd {home}/data", "home", ""),
    ("%env PATH=$path", "path", ""),
    ("%xdel x", "", ""),
    ("%R -i x,y -o z z <- x + y", "x y", "z"),
    ("%%R -i df -o fit,res\nfit <- lm(df)", "df", "fit res"),
    ("%%bash -s {x} --out out --err err\necho {y}", "x", "out err"),
    ("%%html\n<b>{x}</b>", "", ""),
    ("%%writefile {name}.py\nx = y", "name", ""),
    ("df.shape?", "df", ""),
    ("?df", "df", ""),
    ("df??", "df", ""),
    ("%time?", "", ""),
]


@pytest.mark.parametrize(("text", "reads", "surely"), TEXT)
def test_other_lines_read_the_names_ipython_expands(text: str, reads: str, surely: str) -> None:
    found = cell(text)
    assert set(found.reads) == set(reads.split())
    assert found.surely == set(surely.split())
    assert found.dynamic == ()


EXPANDED = [
    "{a}",
    "$a",
    "$a.b",
    "{a[0]}",
    "$$a",
    "{{a}}",
    "'$a'",
    '"$a"',
    "{a!r} {b}",
    "{a +}",
    "{",
    "it's $a",
    "{a:b}",
]


class Shown:
    """Has every attribute and item, and notes its name when it is turned into text."""

    def __init__(self, name: str, shown: set[str]) -> None:
        self.name, self.shown = name, shown

    def __getattr__(self, _: str) -> Shown:
        return self

    def __getitem__(self, _: object) -> Shown:
        return self

    def __repr__(self) -> str:
        self.shown.add(self.name)
        return self.name


@pytest.mark.parametrize("text", EXPANDED)
def test_expansion_finds_the_names_that_ipython_itself_looks_up(text: str) -> None:
    shown: set[str] = set()
    try:
        DollarFormatter().vformat(text, args=[], kwargs={name: Shown(name, shown) for name in "ab"})
    except (SyntaxError, ValueError):
        shown.clear()
    found = {node.id for one in expanded(text) for node in ast.walk(one) if isinstance(node, ast.Name)}
    assert found == shown


LINES = [
    ("%time y = f(x)", [(1, "%time y = f(x)")]),
    ("x = 1\n!ls {x}", [(2, "!ls {x}")]),
    ("x = !ls", [(1, "x = !ls")]),
    ("a, b = %sx ls", [(1, "a, b = %sx ls")]),
    ("!!ls", [(1, "!!ls")]),
    ("%matplotlib inline\n%load_ext foo", [(1, "%matplotlib inline"), (2, "%load_ext foo")]),
    ("%%time\nx = 1\n!ls", [(1, "%%time"), (3, "!ls")]),
    ("%%capture out\nx = 1\n\n%time x\n", [(1, "%%capture out"), (4, "%time x")]),
    ("def f():\n    !ls", [(2, "!ls")]),
    ("df?", [(1, "df?")]),
    ("for i in xs:\n    !ls {i}", [(2, "!ls {i}")]),
]


@pytest.mark.parametrize(("text", "lines"), LINES)
def test_magic_lines_are_told_as_typed(text: str, lines: list[tuple[int, str]]) -> None:
    assert [(magic.line, magic.text) for magic in cell(text).magics] == lines


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("%run other.py", "%run"),
        ("%pylab", "%pylab"),
        ("%store -r x", "%store"),
        ("%%cython\ndef f(): pass", "%%cython"),
        ("%%time\n)(", "%%time"),
    ],
)
def test_magics_that_reading_cannot_see_through_are_dynamic(text: str, phrase: str) -> None:
    assert cell(text).dynamic == (phrase,)


def test_a_shell_call_typed_by_hand_reads_the_shell() -> None:
    assert set(cell("ip = get_ipython()\nip.x").reads) == {"get_ipython"}


def test_a_deleting_magic_deletes() -> None:
    assert cell("%xdel x").deletes == {"x"}
