"""Names that a cell binds before it reads them: they are no inputs, whether they are loaded or wait in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MAKE = (
    "%%step make\nbase = list(range(400_000))\nmodel = {'of': base, 'n': 1}\nresult = {'model': model}\n"
    "sizes = [base, 1]"
)
CELLS = {
    "bound to something new": "model = {'of': list(base), 'n': 2}\nprint(len(base))",
    "bound to another with the same part": "model = {'of': base, 'n': 2}\nprint(len(base))",
    "two of them": "model = {'of': base}\nsizes = 1\nprint(len(base))",
    "bound by a loop as well": "model = 0\nfor model in (1, 2):\n    print(len(base), model)",
}


@pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)
def test_a_name_that_is_overwritten_is_no_input_in_a_new_kernel_either(notebook: Notebook, text: str) -> None:
    cells = [MAKE, f"%%step change\n{text}", "%%step end\nend = (len(base), str(model)[:20])"]
    look = "print(end, len(base), str(model)[:20], str(result)[:20], str(sizes)[:20], result['model']['of'] is base)"
    first = notebook.run(*cells, look)
    notebook.restart()
    again = notebook.run(*cells, look)
    assert [ran.status for ran in again[:3]] == ["cached"] * 3, [ran.reason for ran in again[:3]]
    assert again[-1].out == first[-1].out
