"""The traceback of a failing step begins with the user's own line, wherever the step ran, and is told once."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

import pytest

from zennb.jupyter.cells.own_traceback import without_hidden_lines

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

POOL = ("%orchestrator register pool --flavor=threads", "%stack register wide -o pool -a default --set")


def lines(ran: Ran) -> list[str]:
    """The frames of the traceback that a cell shows, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
    frames = plain.partition("(most recent call last)")[2]
    return [line.rstrip() for line in frames.splitlines() if line.strip()]


FAILING = {
    "in the cell": ((), "%%step bad\ny = 1 / 0"),
    "by a comment": ((), "#| step: bad\ny = 1 / 0"),
    "once per element": (("xs = [1, 0]",), "%%step bad --map xs\ny = 1 / xs"),
    "with retries": ((), "%%step bad --retries 1\ny = 1 / 0"),
    "in a thread": (POOL, "%%step bad\ny = 1 / 0"),
    "after an empty line": (POOL, "%%step bad\n\ny = 1 / 0"),
}


@pytest.fixture(params=["", ".py"], ids=["terminal", "kernel"])
def cell_files(notebook: Notebook, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The files of cells are called as in a terminal, or as in a kernel, where IPython formats their frames simply."""
    if request.param:
        compiler, numbers = notebook.shell.compile, count()
        monkeypatch.setattr(compiler, "get_code_name", lambda *_: f"/nowhere/{next(numbers)}{request.param}")


@pytest.mark.usefixtures("cell_files")
@pytest.mark.parametrize("case", FAILING)
def test_it_begins_with_the_users_own_line(notebook: Notebook, case: str) -> None:
    before, cell = FAILING[case]
    notebook.run(*before)
    ran = notebook.cell(cell)
    where, *shown = lines(ran)
    assert re.fullmatch(r"Cell In\[\d\], line \d", where)
    assert "pass  #" not in ran.out
    assert "hidden" not in ran.out
    assert not any(re.fullmatch(r"\s*1", line) for line in shown)  # an empty first line
    assert sum(line.startswith("Cell ") for line in lines(ran)) == 1
    assert any(line.startswith("---->") and "y = 1 /" in line for line in shown)


@pytest.mark.parametrize("stack", [(), POOL], ids=["here", "in a thread"])
def test_frames_of_helpers_stay(notebook: Notebook, stack: tuple[str, ...]) -> None:
    notebook.run(*stack, "def ratio(v):\n    return 1 / v")
    ran = notebook.cell("%%step bad\nratio(0)")
    found = [line for line in lines(ran) if line.startswith("Cell ")]
    assert [re.sub(r"\d", "N", line) for line in found] == [
        "Cell In[N], line N",
        "Cell In[N], line N, in ratio(v)",
    ]


@pytest.mark.usefixtures("cell_files")
def test_of_a_run_too(notebook: Notebook) -> None:
    notebook.cell("%%step bad\ny = 1 / 0")
    ran = notebook.cell("%pipeline run")
    assert "run_line_magic" not in ran.out
    assert lines(ran)[:2] == ["Cell In[1], line 2", "----> 2 y = 1 / 0"]


def test_numbers_in_the_text_of_an_error_stay() -> None:
    for told in ("ValueError: rows\n      1 \n      2 b", "Cell In[3], line 9\n      5 \n----> 9 f()"):
        assert without_hidden_lines(told) == told


def test_the_error_is_told_once(notebook: Notebook) -> None:
    ran = notebook.cell("%%step bad\ny = 1 / 0")
    assert "division by zero" in ran.out
    assert "division by zero" not in ran.displays[-1]["data"]["text/plain"]
    assert ran.facts["status"] == "failed"
