"""Docstrings that libraries read, or that are read in other spellings: editing one runs such a step again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CODE = 'class C:\n    """text one"""\n    def m(self):\n        """text one"""\ndef f():\n    """text one"""'
MODEL = 'from pydantic import BaseModel\nclass PM(BaseModel):\n    """text one"""\n    a: int = 1'
APP = 'import typer\napp = typer.Typer()\n@app.command()\ndef c():\n    """text one"""'
CLICK = 'import click\n@click.command()\ndef c():\n    """text one"""'
READS = {
    "attrgetter": (CODE, "import operator\nprint(operator.attrgetter('__doc__')(f))"),
    "attrgetter of a part": (CODE, "import operator\nprint(operator.attrgetter('m.__doc__')(C))"),
    "the dictionary of a class": (CODE, "print(C.__dict__['__doc__'])"),
    "vars": (CODE, "print(vars(C).get('__doc__'))"),
    "a name in a variable": (f"{CODE}\nname = '__doc__'", "print(getattr(C, name))"),
    "a name of two parts": (CODE, "print(getattr(C, '__' + 'doc__'))"),
    "a wrapper": (CODE, "from functools import *\np = update_wrapper(partial(f), f)\nprint(p.__doc__)"),
    "constants": (CODE, "print(f.__code__.co_consts)"),
    "a schema": (MODEL, "print(PM.model_json_schema())"),
    "a schema of an instance": (f"{MODEL}\npm = PM()", "print(pm.model_json_schema())"),
    "an adapter": (MODEL, "from pydantic import TypeAdapter\nprint(TypeAdapter(list[PM]).json_schema())"),
    "help of an application": (
        APP,
        "from typer.testing import CliRunner as R\nprint('text one' in R().invoke(app, ['--help']).output)",
    ),
    "help of a command": (
        CLICK,
        "from click.testing import CliRunner as R\nprint('text one' in R().invoke(c, ['--help']).output)",
    ),
    "help without a runner": (CLICK, "print(c.get_help(c.make_context('c', [])))"),
}


@pytest.mark.parametrize("what", READS)
def test_a_docstring_that_is_shown_counts(notebook: Notebook, what: str) -> None:
    before, read = READS[what]
    if before in (APP, CLICK) or before.startswith(MODEL):
        pytest.importorskip(before.split()[1])
    step = f"%%step s\n{read}"
    notebook.run(before)
    first = notebook.run(step)[0]
    notebook.restart()
    notebook.run(before)
    assert notebook.run(step)[0].status == "cached"
    notebook.restart()
    notebook.run(before.replace("text one", "text two"))
    again = notebook.run(step)[0]
    assert again.status == "completed"
    assert again.out == notebook.run(read)[0].out != first.out


def test_a_docstring_that_nothing_shows_does_not_count(notebook: Notebook) -> None:
    notebook.run(CODE, "%%step s\nprint(f(), C().m(), '__docs__')")
    notebook.restart()
    notebook.run(CODE.replace("text one", "text two"))
    assert notebook.run("%%step s\nprint(f(), C().m(), '__docs__')")[0].status == "cached"
