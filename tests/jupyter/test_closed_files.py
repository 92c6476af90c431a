"""Steps that read and write files: what `with open(...) as file` leaves is no reason to run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


def test_the_file_of_a_with_statement_does_not_keep_a_step_from_being_reused(notebook: Notebook) -> None:
    Path("in.txt").write_text("one\ntwo\n")
    cell = "%%step read\nwith open('in.txt') as file:\n    lines = [line.strip() for line in file]"
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert (again.status, notebook.ns["lines"], notebook.ns["file"].closed) == (
        "cached",
        ["one", "two"],
        True,
    )
