"""A class that a call has made stays one class: what is loaded is an instance of the one that others hold."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

MADE: dict[str, tuple[str, str]] = {
    "a named tuple": ("import collections\nK = collections.namedtuple('Point', 'a')", "K(1)"),
    "a typed tuple": ("import typing\nK = typing.NamedTuple('Point', [('a', int)])", "K(1)"),
    "a new class": ("import types\nK = types.new_class('K', (), {})", "K()"),
    "a type": ("K = type('Shape', (), {'a': 1})", "K()"),
    "an error": ("K = type('Shape', (ValueError,), {})", "K('a')"),
    "an enumeration": ("import enum\nK = enum.Enum('Colour', 'RED BLUE')", "K.RED"),
    "a class of a function": (
        "def make():\n    class Inner:\n        pass\n    return Inner\nK = make()",
        "K()",
    ),
}
HELD: dict[str, tuple[str, str, str]] = {
    "a dictionary": (
        "kinds = {}\nfor n in 'AB':\n    kinds[n] = type(n, (), {})",
        "kinds['A']()",
        "kinds['A']",
    ),
    "an object": (
        "import collections\nclass Holder:\n    pass\nh = Holder()\nh.K = collections.namedtuple('P', 'a')",
        "h.K(1)",
        "h.K",
    ),
    "a class": (
        "import collections\nclass Holder:\n    K = collections.namedtuple('P', 'a')",
        "Holder.K(1)",
        "Holder.K",
    ),
    "a default argument": (
        "import collections\ndef make(a, kind=collections.namedtuple('P', 'a')):\n    return kind(a)",
        "make(1)",
        "make.__defaults__[0]",
    ),
    "a closure": (
        "def outer():\n    class Inner:\n        pass\n    return lambda: Inner()\nmake = outer()",
        "make()",
        "type(make())",
    ),
}


@pytest.mark.parametrize(("made", "value"), MADE.values(), ids=MADE)
@pytest.mark.parametrize("above", ["", "%%step made\n"], ids=["plain cell", "step"])
def test_values_are_of_the_class_that_a_variable_holds(
    notebook: Notebook, above: str, made: str, value: str
) -> None:
    for _ in range(3):
        notebook.run(above + made, f"%%step one\nx = {value}")
        (kept,) = notebook.run("%%step more\nys = [x]\nsame = isinstance(x, K)")
        assert notebook.cell("type(x) is type(ys[0]) is K and same").result is True
        notebook.restart()
    assert kept.status == "cached"


@pytest.mark.parametrize(("made", "value", "kind"), HELD.values(), ids=HELD)
def test_values_are_of_the_class_that_something_holds(
    notebook: Notebook, made: str, value: str, kind: str
) -> None:
    for _ in range(3):
        notebook.run(made, f"%%step one\nx = {value}", "%%step more\nys = [x]")
        assert notebook.cell(f"type(x) is type(ys[0]) is {kind}").result is True
        notebook.restart()


@pytest.mark.parametrize("folder", ["", "site-packages"], ids=["local", "package"])
def test_values_are_of_the_class_that_a_module_holds(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    home = tmp_path / folder
    home.mkdir(exist_ok=True)
    home.joinpath("shapes_made.py").write_text(
        "import collections\nK = collections.namedtuple('Point', 'a')\n_P = collections.namedtuple('Own', 'a')\n"
    )
    monkeypatch.syspath_prepend(str(home))
    for _ in range(3):
        notebook.run("import shapes_made as m", "%%step one\nx = [m.K(1), m._P(2)]")
        (kept,) = notebook.run("%%step more\nys = [x[0]]")
        assert notebook.cell("(type(x[0]), type(x[1]), type(ys[0])) == (m.K, m._P, m.K)").result is True
        notebook.restart()
        sys.modules.pop("shapes_made")
    assert kept.status == "cached"


def test_a_class_under_another_variable_is_another_class(notebook: Notebook) -> None:
    make = "import collections\n{}, {} = [collections.namedtuple('P', n) for n in ('a', 'b')]"
    for names in ("AB", "BA"):
        first, second = names
        notebook.run(make.format(first, second), f"x = {first}(1)", "%%step more\nys = [x]")
        assert notebook.cell(f"type(ys[0]) is {first} and ys[0].a").result == 1
        notebook.restart()
