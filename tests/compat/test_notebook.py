"""Panels show and answer whatever ipykernel calls the thread that handles their messages."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from zennb.compat.notebook import answers_at_once, completed

if TYPE_CHECKING:
    import pytest

    from tests.jupyter.conftest import Notebook


def widget(comm: object, *children: object) -> Any:
    return SimpleNamespace(comm=comm, children=children)


def test_messages_of_all_widgets_in_a_panel_stay_where_they_were_sent() -> None:
    inner, outer = SimpleNamespace(_reply_subshell_for=print), SimpleNamespace(_reply_subshell_for=print)
    answers_at_once(widget(outer, widget(inner)))
    assert (inner._reply_subshell_for, outer._reply_subshell_for) == (None, None)


def test_comms_without_the_private_name_are_left_alone() -> None:
    comm = SimpleNamespace()
    answers_at_once(widget(comm, widget(None)))
    assert vars(comm) == {}


def test_a_panel_shows_where_the_private_name_is_missing(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ipykernel = __import__("ipykernel.comm.comm", fromlist=["BaseComm"])
    monkeypatch.delattr(ipykernel.BaseComm, "_reply_subshell_for", raising=False)
    shown = notebook.cell("%stack picker")
    assert shown.error is None, shown.err
    assert any("application/vnd.jupyter.widget-view+json" in each["data"] for each in shown.displays)


class OldShell:
    """As IPython 8 leaves things when a cell has ended: the shell counts on, and the result says nothing."""

    execution_count = 4

    def transform_cell(self, text: str) -> str:
        if text.startswith("%%"):
            raise ValueError(text)
        return text.replace("%precision 3", "magic('precision 3')")


def result(text: str, *, is_numbered: bool = True) -> Any:
    info = SimpleNamespace(raw_cell=text, store_history=is_numbered)
    return SimpleNamespace(info=info, execution_count=None)


def test_number_and_text_of_a_cell_are_worked_out_where_ipython_tells_neither() -> None:
    found = completed(result("%precision 3\nn = 1"), OldShell())
    assert found.execution_count == 3
    assert found.info.transformed_cell == "magic('precision 3')\nn = 1"
    unnumbered = completed(result("%%bad", is_numbered=False), OldShell())
    assert (unnumbered.execution_count, unnumbered.info.transformed_cell) == (None, "%%bad")
    assert completed(None, OldShell()) is None


def test_what_ipython_tells_of_a_cell_is_left_as_it_is() -> None:
    told = result("n = 1")
    told.execution_count, told.info.transformed_cell = 7, "n = 2"
    found = completed(told, OldShell())
    assert (found.execution_count, found.info.transformed_cell) == (7, "n = 2")


def test_a_step_whose_error_a_magic_around_it_shows_itself_has_failed(notebook: Notebook) -> None:
    def shows(_line: str, cell: str) -> None:
        tree = notebook.shell.transform_ast(ast.parse(notebook.shell.transform_cell(cell)))
        try:
            exec(compile(tree, "<cell>", "exec"), notebook.ns)
        except ZeroDivisionError:
            notebook.shell.showtraceback()

    notebook.shell.register_magic_function(shows, magic_kind="cell", magic_name="shows")
    notebook.cell("1 / 0")  # an earlier error has nothing to do with it
    ran = notebook.cell("%%shows\n%%step s\n1 / 0")
    assert ran.error is None
    assert ran.status == "failed"
