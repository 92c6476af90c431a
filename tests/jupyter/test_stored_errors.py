"""Exceptions that a step has caught: what they say of where they were raised comes back with them."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

RAISED: dict[str, tuple[str, str]] = {
    "raised in a function": (
        "def deep():\n    raise ValueError('x')\ntry:\n    deep()\nexcept ValueError as e:\n    err = e",
        "err",
    ),
    "with a cause and a note": (
        (
            "try:\n    try:\n        {}['k']\n    except KeyError as k:\n        raise ValueError('v') from k\n"
            "except ValueError as e:\n    e.add_note('hint')\n    err = e"
        ),
        "err",
    ),
    "in a library": ("import json\ntry:\n    json.loads('{')\nexcept ValueError as e:\n    err = e", "err"),
    "in a dictionary": (
        (
            "results = {}\nfor k in 'a1':\n    try:\n        results[k] = int(k)\n    except ValueError as e:\n"
            "        results[k] = e"
        ),
        "results['a']",
    ),
    "in a group": (
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    err = ExceptionGroup('g', [e])",
        "err.exceptions[0]",
    ),
    "of a class of the notebook": (
        (
            "class Own(Exception):\n    def __init__(self, a, b):\n        super().__init__(a, b)\n        self.b = b\n"
            "try:\n    raise Own(1, 2)\nexcept Own as e:\n    err = e"
        ),
        "err",
    ),
    "never raised": ("err = ValueError('x')", "err"),
}


@pytest.mark.parametrize(("body", "name"), RAISED.values(), ids=RAISED)
def test_an_error_says_after_reuse_where_it_was_raised(notebook: Notebook, body: str, name: str) -> None:
    seen = []
    for _ in range(3):
        (ran,) = notebook.run(f"%%step catch\n{body}")
        error = notebook.cell(name).result
        assert isinstance(error, BaseException)
        frames = traceback.extract_tb(error.__traceback__)
        lines = [each for each in traceback.format_exception(error) if "File" not in each]
        seen.append(([(each.name, each.lineno, each.line) for each in frames], lines))
        notebook.restart()
    assert ran.status == "cached"
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize(
    ("above", "body"),
    [
        ("import sys", "r = str(sys.last_value)"),
        ("", "from sys import last_value\nr = str(last_value)"),
        (
            "import io, traceback",
            "_out = io.StringIO()\ntraceback.print_last(file=_out)\nr = _out.getvalue()",
        ),
    ],
)
def test_the_last_error_is_that_of_the_notebook(notebook: Notebook, above: str, body: str) -> None:
    for text in ("one", "two"):
        notebook.run(above)
        notebook.cell(f"raise ValueError('{text}')")
        (ran,) = notebook.run(f"%%step ask\n{body}")
        assert text in notebook.ns["r"]
        notebook.restart()
    assert "for the last error" in ran.reason
