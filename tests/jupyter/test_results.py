"""The values that IPython calls `_` and `Out[n]`, when the steps that showed them are reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.parametrize(
    "reader", ["seen = _ + 1", "%%step read\nseen = _ + 1", "seen = Out[len(In) - 2] + 1"]
)
def test_a_plain_value_without_a_name_is_there_after_reuse(notebook: Notebook, reader: str) -> None:
    cells = ["%%step answer\n40 + 2", reader]
    notebook.run(*cells)
    assert notebook.ns["seen"] == 43
    notebook.restart()
    ran = notebook.run("1000", *cells)
    assert ran[1].status == "cached"
    assert notebook.ns["seen"] == 43
    assert notebook.ns["__"] == 1000


def test_a_number_of_numpys_is_there_too(notebook: Notebook) -> None:
    cells = ["import numpy as np", "%%step mean\nnp.arange(5).mean()", "seen = _ * 2"]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"
    assert notebook.ns["seen"] == 4.0


def test_any_other_value_without_a_name_is_there_when_a_cell_names_it(notebook: Notebook) -> None:
    cell = "%%step rows\n[1, 2]"
    notebook.run(cell)
    notebook.restart()
    notebook.run("'before'", cell)
    assert "what step 'rows' showed" in repr(notebook.ns["_"])
    (shown,) = notebook.run("print(_)")
    assert shown.out == "[1, 2]\n"
    assert notebook.run("_ + [3]")[0].result == [1, 2, 3]
