"""Data of a library that a step changes under another name, and objects of the notebook that a library keeps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

LIBRARY = """
import array
import numpy as np
TABLE = np.arange(4.0)
ROWS = [[1], [2]]
NAMES = {"a": {"b": 1}}
BYTES = bytearray(b"abc")
KEPT = {}
def total():
    return float(TABLE.sum()) + len(ROWS[0])
"""
HOLD = "(lib.TABLE.tolist(), lib.ROWS, lib.NAMES, bytes(lib.BYTES))"


@pytest.fixture
def _library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home = tmp_path / "site-packages"
    home.mkdir()
    (home / "lib_with_data.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(home))
    yield
    sys.modules.pop("lib_with_data", None)


def _again(notebook: Notebook) -> None:
    notebook.restart()
    sys.modules.pop("lib_with_data")


CHANGES = {
    "a view": "a = lib.TABLE[:]\na[0] = 9",
    "a private view": "_a = lib.TABLE[1:]\n_a[0] = 9",
    "in a function": "def f(t):\n    t[0] = 9\nf(lib.TABLE)",
    "a method": "lib.TABLE.ravel()[0] = 9",
    "a part": "_r = lib.ROWS[0]\n_r.append(5)",
    "a loop": "for _r in lib.ROWS:\n    _r.append(5)",
    "an entry": "_d = lib.NAMES['a']\n_d['b'] = 5",
    "a buffer": "_b = memoryview(lib.BYTES)\n_b[0] = 65",
    "shuffled": "import random\nrandom.seed(1)\nrandom.shuffle(lib.ROWS)",
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("body", CHANGES.values(), ids=CHANGES)
def test_what_a_step_changes_in_data_of_a_library_is_changed_again(notebook: Notebook, body: str) -> None:
    above = "import lib_with_data as lib"
    notebook.run(above, body)
    plain = notebook.cell(HOLD).result
    for _ in range(2):
        _again(notebook)
        (_, step) = notebook.run(above, f"%%step change\n{body}\nx = 1")
        assert notebook.cell(HOLD).result == plain
    assert step.status == "completed"
    assert step.reason.startswith("not cacheable: ")


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    "made", ["v = lib.TABLE[1:]", "v = lib.ROWS[0]", "v = lib.TABLE", "from lib_with_data import TABLE as v"]
)
@pytest.mark.parametrize("above", ["", "%%step view\n"], ids=["plain cell", "step"])
def test_what_a_variable_shares_with_a_library_it_goes_on_sharing(
    notebook: Notebook, above: str, made: str
) -> None:
    for _ in range(3):
        notebook.run(f"{above}import lib_with_data as lib\n{made}", "%%step change\nv[0] = 9")
        (total,) = notebook.run("%%step total\nt = lib.total()")
        assert notebook.cell("(9 in lib.TABLE.tolist()) or 9 in (lib.ROWS[0], *lib.ROWS[0])").result is True
        _again(notebook)
    assert total.status == "cached"


@pytest.mark.usefixtures("_library")
def test_reading_data_of_a_library_is_reused(notebook: Notebook) -> None:
    for _ in range(2):
        (_, ran) = notebook.run(
            "import lib_with_data as lib",
            "%%step read\nx = lib.TABLE[1:].sum() + len(lib.ROWS[0])\ny = dict(lib.NAMES['a'])",
        )
        _again(notebook)
    assert ran.status == "cached"


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("made", "change"),
    [
        ("mine = {'a': 1}", "mine['b'] = 2"),
        ("class Own:\n    pass\nmine = Own()", "mine.b = 2"),
        ("import numpy as np\nmine = np.arange(3)", "mine[0] = 5"),
    ],
    ids=["a dictionary", "an object", "an array"],
)
@pytest.mark.parametrize("above", ["", "%%step keep\n"], ids=["plain cell", "step"])
def test_an_object_of_the_notebook_that_a_library_keeps_is_one_and_the_same(
    notebook: Notebook, above: str, made: str, change: str
) -> None:
    for _ in range(3):
        notebook.run(made, f"{above}import lib_with_data as lib\nlib.KEPT['q'] = mine")
        notebook.run("%%step one\none = [mine]", "%%step two\ntwo = {'k': mine}", f"%%step change\n{change}")
        assert notebook.cell("mine is one[0] is two['k'] is lib.KEPT['q']").result is True
        _again(notebook)
