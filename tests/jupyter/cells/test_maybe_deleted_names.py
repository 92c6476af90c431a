"""Names that a step deletes on some of its paths: a record from before they existed does not say that they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CELLS = {
    "error": "try:\n    1 / 0\nexcept ZeroDivisionError as k:\n    e = str(k)",
    "condition": "e = 1\nif e:\n    k = 2\n    del k",
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
def test_a_name_that_a_reused_step_may_delete_is_deleted(notebook: Notebook, cell: str) -> None:
    step = f"%%step a\n{cell}"
    notebook.run(step)
    assert notebook.run(step)[0].status == "cached"
    notebook.restart()
    ran, again = notebook.run("k = 5", step, "k = 6", step)[1::2]
    assert (ran.status, ran.reason) == ("completed", "it may delete `k`, which did not exist when it ran")
    assert again.status == "cached"
    assert "k" not in notebook.ns


def test_a_name_that_a_step_binds_after_deleting_it_does_not_matter(notebook: Notebook) -> None:
    step = "%%step a\ntry:\n    1 / 0\nexcept ZeroDivisionError as k:\n    pass\nk = 3"
    notebook.run(step, "k = 5")
    assert notebook.run(step)[0].status == "cached"
    assert notebook.ns["k"] == 3
