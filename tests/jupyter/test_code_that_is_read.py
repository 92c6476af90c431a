"""Code that is read as a value: subclasses, registries, members of modules, docstrings and source."""

from __future__ import annotations

import importlib
import linecache
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

BASE = "class Base:\n    def n(self): return 0"
ONE = "class One(Base):\n    def n(self): return 1"
TWO = "class Two(Base):\n    def n(self): return 2"
OTHER = "class Two(Base):\n    def n(self): return 3"
NAMES = "r = sorted(c.__name__ for c in Base.__subclasses__())"
VALUES = "r = max(c().n() for c in Base.__subclasses__())  # the earlier class may still be among them"
ALL = "def every(cls):\n    for c in cls.__subclasses__():\n        yield c\n        yield from every(c)"
DOC = "def f():\n    '''One.'''\n    return 1"
DOC2 = "def f():\n    '''Two.'''\n    return 1"
COMMENT = "def f():\n    # one\n    return 1"
COMMENT2 = "def f():\n    # two\n    return 1"
CLASS = "class C:\n    '''One.'''\n    def m(self):\n        '''Three.'''\n        return 1"
CLASS2 = CLASS.replace("One", "Two")
CLASS3 = CLASS.replace("Three", "Four")

CASES: dict[str, tuple[list[str], str, str]] = {
    "a new subclass": ([BASE, ONE], NAMES, TWO),
    "an edited subclass": ([BASE, ONE, TWO], VALUES, OTHER),
    "a subclass of a subclass": (
        [BASE, ONE, ALL],
        "r = sorted(c.__name__ for c in every(Base))",
        "class Two(One): pass",
    ),
    "subclasses got by a method": (
        [
            BASE
            + "\n    @classmethod\n    def all(cls): return sorted(c.__name__ for c in cls.__subclasses__())",
            ONE,
        ],
        "r = Base.all()",
        TWO,
    ),
    "subclasses of an object's class": (
        [BASE, ONE, "b = Base()"],
        "r = sorted(c.__name__ for c in type(b).__subclasses__())",
        TWO,
    ),
    "subclasses got under a computed name": (
        [BASE, ONE],
        "r = sorted(c.__name__ for c in getattr(Base, '__subclasses__')())",
        TWO,
    ),
    "a registry of `__init_subclass__`": (
        ["class Base:\n    known = []\n    def __init_subclass__(cls): Base.known.append(cls)", ONE],
        "r = [c.__name__ for c in Base.known]",
        TWO,
    ),
    "a registry of names": (
        ["class Base:\n    known = {}\n    def __init_subclass__(cls): Base.known[cls.__name__] = cls", ONE],
        "r = sorted(c().n() for c in Base.known.values())",
        TWO,
    ),
    "a registry of a metaclass": (
        [
            "class Meta(type):\n    known = []\n    def __init__(cls, *a): Meta.known.append(cls.__name__)",
            "class Base(metaclass=Meta): pass",
        ],
        "r = list(Meta.known)",
        "class Two(Base): pass",
    ),
    "a class registered with an abstract one": (
        ["from abc import ABC\nclass Shape(ABC): pass"],
        "r = issubclass(int, Shape)",
        "Shape.register(int)",
    ),
    "a function registered for a type": (
        ["from functools import singledispatch\n@singledispatch\ndef show(x): return 'any'"],
        "r = show(1)",
        "@show.register(int)\ndef _(x): return 'int'",
    ),
    "a docstring": ([DOC], "r = f.__doc__", DOC2),
    "a docstring got by `getattr`": ([DOC], "r = getattr(f, '__doc__')", DOC2),
    "a docstring that inspect gives": ([DOC], "import inspect\nr = inspect.getdoc(f)", DOC2),
    "a docstring that a helper reads": ([DOC, "def doc(g): return g.__doc__"], "r = doc(f)", DOC2),
    "a docstring of a class": ([CLASS], "r = C.__doc__", CLASS2),
    "a docstring of an object's class": ([CLASS, "c = C()"], "r = c.__doc__", f"{CLASS2}\nc = C()"),
    "a docstring of a method": ([CLASS], "r = C.m.__doc__", CLASS3),
    "a docstring of a method of an object": ([CLASS, "c = C()"], "r = c.m.__doc__", f"{CLASS3}\nc = C()"),
    "the description of a parser": (
        [DOC],
        "import argparse\nr = argparse.ArgumentParser(prog='p', description=f.__doc__).format_help()",
        DOC2,
    ),
    "help": (
        [DOC],
        "import io, contextlib\nwith contextlib.redirect_stdout(io.StringIO()) as _out: help(f)\nr = _out.getvalue()",
        DOC2,
    ),
    "what pydoc renders": ([DOC], "import pydoc\nr = pydoc.render_doc(f)", DOC2),
    "examples in a docstring": (
        ["def f():\n    '''\n    >>> 1\n    1\n    '''"],
        "import doctest\nr = len(doctest.DocTestFinder().find(f, 'f')[0].examples)",
        "def f():\n    '''\n    >>> 1\n    1\n    >>> 2\n    2\n    '''",
    ),
    "the source": ([COMMENT], "import inspect\nr = inspect.getsource(f)", COMMENT2),
    "the source, imported by name": (
        [COMMENT, "from inspect import getsource as text"],
        "r = text(f)",
        COMMENT2,
    ),
    "the source that a helper reads": (
        [COMMENT, "import inspect\ndef text(g): return inspect.getsource(g)"],
        "r = text(f)",
        COMMENT2,
    ),
    "the lines of the source": ([COMMENT], "import inspect\nr = inspect.getsourcelines(f)[0]", COMMENT2),
    "a comment above": (
        ["# one\ndef f(): return 1"],
        "import inspect\nr = inspect.getcomments(f)",
        "# two\ndef f(): return 1",
    ),
    "the first line": ([COMMENT], "r = f.__code__.co_firstlineno", "x = 1\n" + COMMENT),
}

FILES: dict[str, tuple[str, str, str]] = {
    "members of a module": (
        "import inspect, lib\nr = [n for n, _ in inspect.getmembers(lib, inspect.isfunction)]",
        "def f(): return 1",
        "def f(): return 1\ndef g(): return 2",
    ),
    "private members of a module": (
        "import lib\nr = sorted(n for n in vars(lib) if n.startswith('_x'))",
        "_x = 1",
        "_x = 1\n_xx = 2",
    ),
    "names of a module": ("import lib\nr = [n for n in dir(lib) if n[:1] != '_']", "a = 1", "a = 1\nb = 2"),
    "the docstring of a module": ("import lib\nr = lib.__doc__", "'''One.'''", "'''Two.'''"),
    "what a module says it offers": (
        "import lib\nr = lib.__all__",
        "__all__ = ['a']\na = 1",
        "__all__ = ['a', 'b']\na = b = 1",
    ),
    "a docstring in a module": ("import lib\nr = lib.f.__doc__", DOC, DOC2),
    "a docstring imported by name": ("from lib import f\nr = f.__doc__", DOC, DOC2),
    "a docstring of a class in a module": ("import lib\nr = lib.C.__doc__", CLASS, CLASS2),
    "source in a module": ("import lib, inspect\nr = inspect.getsource(lib.f)", COMMENT, COMMENT2),
    "the source of a module": (
        "import lib, inspect\nr = inspect.getsource(lib)",
        "# one\na = 1",
        "# two\na = 1",
    ),
    "subclasses in a module": (
        "import lib\nr = [c.__name__ for c in lib.Base.__subclasses__()]",
        f"{BASE}\n{ONE}",
        f"{BASE}\n{ONE}\n{TWO}",
    ),
    "a registry in a module": (
        "import lib\nr = sorted(lib.REG)",
        "REG = {}\ndef reg(f):\n    REG[f.__name__] = f\n    return f\n@reg\ndef a(): pass",
        "REG = {}\ndef reg(f):\n    REG[f.__name__] = f\n    return f\n@reg\ndef a(): pass\n@reg\ndef b(): pass",
    ),
}


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    yield
    forget()


def forget() -> None:
    sys.modules.pop("lib", None)
    importlib.invalidate_caches()


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_of_code_counts(notebook: Notebook, case: str) -> None:
    cells, step, edit = CASES[case]
    text = f"%%step s\n{step}"
    notebook.run(*cells, text)
    first = notebook.ns["r"]
    assert notebook.run(text)[0].status == "cached"
    notebook.run(edit)
    again = notebook.run(text)[0]
    got = notebook.ns["r"]
    notebook.run(step)
    assert got == notebook.ns["r"], again.reason
    assert got != first
    assert again.status == "completed"


@pytest.mark.parametrize("case", CASES)
def test_what_is_read_of_code_counts_in_a_new_kernel(notebook: Notebook, case: str) -> None:
    cells, step, edit = CASES[case]
    text = f"%%step s\n{step}"
    notebook.run(*cells, text)
    notebook.restart()
    assert notebook.run(*cells, text)[-1].status == "cached"
    notebook.restart()
    notebook.run(*cells, edit, text)
    got = notebook.ns["r"]
    notebook.run(step)
    assert got == notebook.ns["r"]


@pytest.mark.parametrize("case", FILES)
def test_what_is_read_of_a_module_counts(notebook: Notebook, tmp_path: Path, case: str) -> None:
    step, before, after = FILES[case]
    text = f"%%step s\n{step}"
    start = "import sys\nsys.path.insert(0, '')\nsys.dont_write_bytecode = True"
    found = []
    for source in (before, before, after):
        (tmp_path / "lib.py").write_text(source)
        forget()
        notebook.restart()
        found.append((notebook.run(start, text)[-1].status, notebook.ns["r"]))
    notebook.run(step)
    assert [status for status, _ in found[:2]] == ["completed", "cached"]
    assert found[2] == ("completed", notebook.ns["r"])


def test_docstrings_and_comments_that_nothing_reads_do_not_count(notebook: Notebook) -> None:
    text = "%%step s\nr = f()"
    notebook.run(DOC, text)
    notebook.run(DOC2.replace("return", "# two\n    return"))
    assert notebook.run(text)[0].status == "cached"


def test_a_subclass_that_nothing_asks_for_does_not_count(notebook: Notebook) -> None:
    text = "%%step s\nr = Base().n()"
    notebook.run(BASE, ONE, text)
    notebook.run(TWO)
    assert notebook.run(text)[0].status == "cached"


@pytest.mark.parametrize("read", ["f.__doc__", "__import__('inspect').getsource(f)"])
def test_a_docstring_of_the_step_itself_counts(notebook: Notebook, read: str) -> None:
    text = f"%%step s\n{DOC}\nr = {read}"
    notebook.run(text)
    assert notebook.run(text)[0].status == "cached"
    edited = text.replace("One", "Two")
    assert notebook.run(edited)[0].status == "completed"
    assert "Two" in notebook.ns["r"]


def test_what_a_question_mark_shows_counts(notebook: Notebook) -> None:
    notebook.run(DOC, "%%step s\nf?")
    assert notebook.run("%%step s\nf?")[0].status == "cached"
    notebook.run(DOC2)
    assert notebook.run("%%step s\nf?")[0].status == "completed"


@pytest.mark.parametrize(
    ("above", "body"),
    [
        ("import linecache", "line = linecache.getline('kept.py', 2)"),
        ("import linecache", "linecache.checkcache()\nline = linecache.getlines('kept.py')[1:]"),
        ("", "from linecache import getline\nline = getline('kept.py', 2)"),
        (
            "import linecache\ndef second(name):\n    return linecache.getline(name, 2)",
            "line = second('kept.py')",
        ),
    ],
)
def test_lines_that_python_keeps_of_files_are_those_of_today(
    notebook: Notebook, tmp_path: Path, above: str, body: str
) -> None:
    for text in ("old", "new"):
        (tmp_path / "kept.py").write_text(f"# a file\n# {text}\n")
        linecache.clearcache()
        (_, ran) = notebook.run(above, f"%%step read\n{body}")
        assert text in str(notebook.ns["line"])
        assert ran.reason.startswith("not cacheable: it asks `linecache`") or text == "old"
        notebook.restart()
