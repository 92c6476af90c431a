"""Annotations that were evaluated when a function was defined: their values are part of what a step reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

START = "import functools, inspect, typing\nfrom typing import Annotated, Literal"
READS = {
    "a literal": ("def f(x: Literal[LIM]): return x", "print(typing.get_type_hints(f))"),
    "metadata": (
        "def f(x: Annotated[int, LIM]): return x",
        "print(typing.get_type_hints(f, include_extras=True))",
    ),
    "a signature": ("def f(x: Annotated[int, LIM]): return x", "print(inspect.signature(f))"),
    "the annotations": ("def f(x: 'int') -> Literal[LIM]: return x", "print(f.__annotations__)"),
    "a value": ("def f(x: LIM): return x", "print(f.__annotations__)"),
    "inside another": ("def f(x: list[dict[str, Literal[LIM]]]): return x", "print(inspect.signature(f))"),
    "a helper": (
        "def f(x: Annotated[int, LIM]): return x\ndef of(g): return g.__annotations__",
        "print(of(f))",
    ),
    "a decorator": (
        (
            "def hints(f):\n    @functools.wraps(f)\n    def w(*a):\n"
            "        return typing.get_type_hints(f, include_extras=True)['x'].__metadata__\n    return w\n"
            "@hints\ndef f(x: Annotated[int, LIM]): return x"
        ),
        "print(f(1))",
    ),
    "a method": ("class C:\n    def m(self, x: Annotated[int, LIM]): return x", "print(C.m.__annotations__)"),
}


@pytest.mark.parametrize("what", READS)
def test_what_an_annotation_was_evaluated_to_counts(notebook: Notebook, what: str) -> None:
    cell, read = READS[what]
    step = f"%%step s\n{read}"
    notebook.run(START, "LIM = 5", cell)
    first = notebook.run(step)[0]
    notebook.restart()
    notebook.run(START, "LIM = 5", cell)
    assert notebook.run(step)[0].status == "cached"
    notebook.run("LIM = 50", cell)
    again = notebook.run(step)[0]
    assert again.status == "completed"
    (plain,) = notebook.run(read)
    assert again.out == plain.out != first.out


def test_a_type_under_another_name_counts(notebook: Notebook) -> None:
    cells = "import functools\n@functools.singledispatch\ndef f(x): return 'object'\n"
    cells += "@f.register\ndef g(x: T): return 'T'\ndef h(x: T): return 1"
    for known in ("int", "str", "int"):
        notebook.run(f"T = {known}", cells)
        (seen,) = notebook.run("%%step s\nprint(h.__annotations__['x'].__name__, f(1))")
        assert seen.out == f"{known} {'T' if known == 'int' else 'object'}\n"
    assert seen.status == "cached"


def test_what_no_annotation_holds_does_not_count(notebook: Notebook) -> None:
    cell = "import typing\ndef f(x: int, y: typing.Literal['a', 3] = 3) -> 'list[int]': return x"
    notebook.run("LIM = 5", cell, "%%step s\nprint(f(1))")
    notebook.restart()
    notebook.run("LIM = 6", cell)
    assert notebook.run("%%step s\nprint(f(1))")[0].status == "cached"
