"""What a kernel does before and after its cells when an interrupt comes just then."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from zennb import api
from zennb.jupyter.kernel import session as module

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook
    from zennb.jupyter.kernel.session import KernelSession


@pytest.fixture
def session(notebook: Notebook) -> KernelSession:
    found: KernelSession = notebook.shell.zennb_step
    return found


@pytest.mark.parametrize("cell", ["x = 1", "%%step s\nx = 1"], ids=["plain", "step"])
def test_an_interrupt_before_the_first_line_of_a_cell_keeps_it_from_running(
    notebook: Notebook, session: KernelSession, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.provenance, "cell_begins", lambda: signal.raise_signal(signal.SIGINT))
        ran = notebook.cell(cell)
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "Error in callback" not in ran.out + ran.err
    assert "x" not in notebook.ns
    notebook.run(cell)
    assert notebook.ns["x"] == 1


def test_an_interrupt_after_a_cell_does_not_keep_zennb_from_tidying_up(
    notebook: Notebook, session: KernelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("xs = [1]")
    with monkeypatch.context() as patch:
        patch.setattr(session.variables, "code_ran", lambda: signal.raise_signal(signal.SIGINT))
        ran = notebook.cell("%%step s\ny = 1\nxs.append(2)\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "Error in callback" not in ran.out + ran.err
    assert (notebook.ns["xs"], "y" in notebook.ns, session.depth) == ([1], False, 0)


def test_a_step_of_whose_end_the_shell_has_not_told_ends_with_the_next_cell(
    notebook: Notebook, session: KernelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "request_of", lambda _shell: "first message")
    notebook.shell.events.unregister(
        "post_run_cell", session.after_cell
    )  # as an interrupt just before it does
    notebook.cell("%%step s\ny = 1\nimport time\ntime.sleep(0.2)\n1 / 0")
    notebook.shell.events.register("post_run_cell", session.after_cell)
    monkeypatch.setattr(module, "request_of", lambda _shell: "second message")
    notebook.run("pass")
    assert session.depth == 0
    assert "y" not in notebook.ns
    (run,) = api.workspace().metadata.runs()
    assert (run.status.value, dict(run.names)) == ("failed", {"s": "failed"})
    (ran,) = notebook.run("%%step t\nz = 1")
    assert ran.status == "completed"


def test_a_cell_that_a_cell_runs_is_part_of_it(
    notebook: Notebook, session: KernelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "request_of", lambda _shell: "one message")
    (ran,) = notebook.run("%%step s\nget_ipython().run_cell('inner = 1')\nouter = inner\nprint('on')")
    assert (ran.status, session.depth) == ("completed", 0)
    assert ran.out == "on\n"
    statuses = [each["metadata"]["zennb"]["status"] for each in ran.displays if "zennb" in each["metadata"]]
    assert statuses == ["completed"]
    (ran,) = notebook.run("%%step s\nget_ipython().run_cell('1 / 0')\nouter = 2")
    assert (ran.status, notebook.ns["outer"]) == ("completed", 2)
    assert "ZeroDivisionError" in ran.out + ran.err


def test_an_interrupt_in_zennb_shows_one_line_and_not_where_it_came(
    notebook: Notebook, session: KernelSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "resolve", lambda _definition: signal.raise_signal(signal.SIGINT))
    ran = notebook.cell("%%step s\nx = 1")
    assert isinstance(ran.error, KeyboardInterrupt)
    assert "zennb" not in ran.out + ran.err
    assert ran.error.__context__ is None  # nor does it keep the frames, and what they hold
