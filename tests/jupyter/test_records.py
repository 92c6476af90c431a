"""Rows of structured arrays: writing to one writes to the array, also after reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETUP = "import numpy as np\nmade = [(1., 'a'), (2., 'b')]\ntype_ = [('x', 'f8'), ('n', 'U4')]"
CELLS = {
    "a row": [
        "%%step a\ntable = np.array(made, dtype=type_)",
        "%%step b\nr = table[1]",
        "%%step c\nr['x'] = 9",
    ],
    "made at once": [
        "%%step a\ntable = np.array(made, dtype=type_).view(np.recarray)\nr = table[0]",
        "r.x = 7",
    ],
    "of a loop": [
        "table = np.array(made, dtype=type_)",
        "%%step a\nfor r in table:\n    total = r['x'] + 1",
        "r['x'] = 3",
    ],
    "in a list": ["%%step a\ntable = np.array(made, dtype=type_)\nr = list(table)", "r[0]['x'] = 3"],
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_what_is_written_to_a_row_is_in_the_array(notebook: Notebook, cells: list[str]) -> None:
    found = []
    for _ in range(2):
        notebook.run(SETUP, *cells, "seen = str((table, r))")
        found.append(notebook.ns["seen"])
        notebook.restart()
    assert found[0] == found[1]


def test_a_copy_of_a_row_is_data(notebook: Notebook) -> None:
    for _ in range(2):
        _, made = notebook.run(SETUP, "%%step a\nr = np.array(made, dtype=type_)[1].copy()")
        notebook.restart()
    assert made.status == "cached", made.reason
