"""The filters of warnings stand after reuse as after a run, whatever stood there before."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETS = {
    "a broad one": "warnings.filterwarnings('error')",
    "a message": "warnings.filterwarnings('error', message='hello')",
    "at the end": "warnings.filterwarnings('error', message='other', append=True)",
    "a broad one at the end": "warnings.simplefilter('ignore', append=True)",
}


def _filters() -> list[list[object]]:
    """Return the filters with the text of each pattern: those of Python itself have the text alone."""
    return [[getattr(part, "pattern", part) for part in each] for each in warnings.filters]


@pytest.mark.parametrize("body", SETS.values(), ids=SETS)
def test_a_filter_goes_where_a_run_would_put_it(notebook: Notebook, body: str) -> None:
    above = "import warnings\nwarnings.filterwarnings('ignore', message='hel')"
    notebook.run(above, body)
    plain = _filters()
    notebook.restart()
    notebook.run("import warnings", f"%%step set\n{body}")
    notebook.restart()
    (_, ran) = notebook.run(above, f"%%step set\n{body}")
    assert ran.status == "cached"
    assert _filters() == plain
