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


def test_a_step_that_reads_the_history_leaves_it_to_the_shell(notebook: Notebook) -> None:
    cells = ["%%step a\n1 + 3", "%%step b\nOut[1] * 10", "%%step c\n[2.5]", "%%step d\nOut[2] + Out[3][0]"]
    for status in ("completed", "cached"):
        ran = notebook.run(*cells)
        assert [each.status for each in ran] == [status] * 4
        assert [each.outputs for each in ran] == [[]] * 4
        assert ran[3].result == 42.5 or status == "cached"
        assert notebook.ns["Out"] is notebook.ns["_oh"]
        notebook.run("last = (Out[2], Out[3], Out[4])")
        assert notebook.ns["last"] == (40, [2.5], 42.5)
        notebook.restart()


def test_values_of_other_steps_count_where_a_step_reads_the_history(notebook: Notebook) -> None:
    for shown in (1.5, 2.5):
        notebook.run(f"%%step a\n[{shown}]", "%%step b\nlen(Out)", "%%step c\nx = Out[1][0] * 2")
        assert notebook.ns["x"] == 2 * shown
        notebook.restart()
    notebook.run("%%step a\n[1]", "%%step b\ny = len(Out)", "%%step c\n[3]", "%%step d\nx = Out[3][0]")
    assert notebook.ns["x"] == 3


def test_values_of_plain_cells_count_where_a_step_reads_the_history(notebook: Notebook) -> None:
    for shown in (1, 2):
        notebook.run(str(shown), "%%step twice\nx = Out[1] * 2")
        assert notebook.ns["x"] == 2 * shown
        notebook.restart()
    notebook.run("5", "%%step twice\nx = Out[1] * 2", "7", "%%step third\nx = Out[3]")
    assert notebook.ns["x"] == 7


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("Out[1].append(2)", "it changes `Out`"),
        ("del Out[1]", "it changes `Out`"),
        ("xs = Out[1]", "`xs` is a part of `Out`"),
    ],
)
def test_a_step_that_changes_or_keeps_what_cells_showed_runs_every_time(
    notebook: Notebook, code: str, reason: str
) -> None:
    for _ in range(2):
        ran = notebook.run("[1]", f"%%step change\n{code}")[1]
        assert ran.status == "completed"
        assert f"not cacheable: {reason}" in ran.displays[-1]["data"]["text/plain"]
        notebook.restart()
