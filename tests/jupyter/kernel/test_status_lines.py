"""What a run of the pipeline makes of the lines that stand below the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

LOAD = "%%step load\nprint('rows of', source)\nrows = len(source)"
TOTAL = "%%step total\ntotal = rows * 2"


def line_id(ran: Ran) -> str:
    return str(ran.displays[-1]["transient"]["display_id"])


def updates(ran: Ran) -> dict[str, Any]:
    """Display id → the text that a cell put there."""
    return {
        shown["transient"]["display_id"]: shown["data"]["text/plain"]
        for shown in ran.displays
        if shown["update"] and "zennb" in shown["metadata"]
    }


def test_lines_of_steps_that_ran_are_updated_and_say_whose_output_is_above(notebook: Notebook) -> None:
    _, load, total = notebook.run("source = 'a.csv'", LOAD, TOTAL)
    _, run = notebook.run("source = 'b.parquet'", "%pipeline run")
    found = updates(run)
    assert found[line_id(load)].splitlines()[0].startswith("✔ load  completed")
    assert "above is the output of run 1; run the cell to see that of run 2" in found[line_id(load)]
    assert found[line_id(total)].startswith("✔ total  completed")
    assert "above is" not in found[line_id(total)]  # it has shown nothing
    (again,) = notebook.run("%pipeline run")
    assert "above is the output of run 1" in updates(again)[line_id(load)]
    assert line_id(total) not in updates(again)
    (load,) = notebook.run(LOAD)
    (again,) = notebook.run("%pipeline run")
    assert line_id(load) not in updates(again)  # what is above is what the cell shows now


def test_cells_that_cannot_be_updated_are_named_in_one_line(notebook: Notebook) -> None:
    notebook.run("source = 'a.csv'", LOAD, TOTAL)
    notebook.shell.zennb_step.status_lines._shown.clear()  # as if another kernel had run the cells
    _, run = notebook.run("source = 'b.parquet'", "%pipeline run")
    assert (
        run.displays[-1]["data"]["text/plain"] == "load ran again: its cell above still shows an earlier run."
    )
