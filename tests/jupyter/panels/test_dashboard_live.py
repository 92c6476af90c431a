"""The dashboard while something runs, used from another thread as a widget's callbacks are."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import HTML, Button, VBox

from tests.jupyter.background import GATE, ended, opened
from tests.jupyter.panels.conftest import widgets, words
from zennb import api
from zennb.compat.notebook import answers_at_once
from zennb.core.records.records import Status
from zennb.jupyter.kernel.run_monitor import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS = "import time\nfor n in range(rounds):\n    print('round', n)\n    time.sleep(0.05)\nx = 1"
GATE2 = GATE.replace("gate", "second")
CELLS = ("rounds = 1", f"%%step endless\n{ENDLESS}", "%%step after\ny = x + 1", "rounds = 4000")


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


def said(panel: Any) -> str:
    return words("\n".join(str(each.value) for each in widgets(panel.root, HTML)))


def meanwhile(notebook: Any, cell: str, act: Callable[[Any], None]) -> Any:
    """Run a cell, and act on the dashboard in another thread once its run has begun; returns how the cell ended."""
    trouble: list[BaseException] = []
    session, board = notebook.shell.zennb_step, notebook.ns.get("board")

    def other() -> None:
        try:
            until(lambda: bool(session.monitor.runs))
            act(board)
        except BaseException as error:
            trouble.append(error)
            if session.monitor.runs:
                interrupt()

    thread = threading.Thread(target=other)
    thread.start()
    ran = notebook.cell(cell)
    thread.join()
    if trouble:
        raise trouble[0]
    return ran


@pytest.mark.parametrize("cell", [f"%%step endless\n{ENDLESS}", "%pipeline run"], ids=["cell", "pipeline"])
def test_a_run_is_watched_on_every_page_and_interrupted_from_the_panel(notebook: Any, cell: str) -> None:
    notebook.run("import zennb", *CELLS, "board = zennb.Dashboard()")

    def act(board: Any) -> None:
        until(lambda: "running on stack default" in said(board) and "at endless" in said(board))
        for title in board.pages.buttons:
            board.pages.buttons[title].click()
            assert board.pages.current == title
            assert board.message.text == ""
        number = notebook.shell.zennb_step.monitor.runs[0].run.id
        board.open_run(number)
        until(lambda: "output of endless round" in said(board))
        first = said(board)
        until(lambda: said(board) != first)
        assert not board.stop.disabled
        board.stop.click()

    ran = meanwhile(notebook, cell, act)
    assert isinstance(ran.error, KeyboardInterrupt)
    board = notebook.ns["board"]
    until(lambda: "nothing runs in this kernel" in said(board))
    assert board.stop.disabled
    until(lambda: "■ interrupted" in said(board))
    metadata = api.workspace().metadata
    run = metadata.runs(limit=1)[0]
    assert run.status is Status.INTERRUPTED
    ended = {step.name: (step.status.value, step.reason) for step in metadata.steps(run.id or 0)}
    assert ended["endless"][0] == "interrupted"
    if cell == "%pipeline run":
        assert ended["after"] == ("skipped", "the run was interrupted")
    notebook.run("rounds = 1", cell)
    assert notebook.ns["x"] == 1


def test_dashboard_and_picker_can_be_opened_while_a_pipeline_runs(notebook: Any) -> None:
    notebook.run("import zennb", *CELLS, "rounds = 30")
    opened: list[Any] = []

    def act(_board: Any) -> None:
        import zennb

        opened.extend([zennb.Dashboard(), zennb.StackPicker()])
        for panel in opened:
            assert panel._repr_mimebundle_()["text/plain"]
            assert panel.message.text == ""
        opened[0].pages.show("Pipeline")
        assert "◌ endless → · after" in opened[0].view().text

    ran = meanwhile(notebook, "%pipeline run", act)
    assert ran.error is None
    assert notebook.ns["y"] == 2
    until(lambda: "2 steps fresh" in said(opened[0]))


def test_values_are_not_looked_at_while_a_cell_changes_them(notebook: Any) -> None:
    notebook.run("import zennb", "rows = [1]", "%%step use\nn = len(rows)", "board = zennb.Dashboard()")
    board = notebook.ns["board"]
    board.pages.show("Pipeline")
    looked: list[str] = []
    session = notebook.shell.zennb_step
    value_digest = session.variables.digest

    def counted(name: str, value: object) -> Any:
        looked.append(name)
        return value_digest(name, value)

    session.variables.digest = counted
    shown: list[str] = []

    def act() -> None:
        board.refresh()
        shown.append(said(board))

    notebook.ns["act"] = act
    notebook.run("import threading\nt = threading.Thread(target=act)\nt.start()\nt.join()\nrows.append(2)")
    assert "a cell is running: this is how things stood before it" in shown[0]
    session.variables.digest = value_digest
    until(lambda: "1 step stale" in said(board))
    assert "a cell is running" not in said(board)


def test_a_look_that_found_a_cell_running_is_made_up_for_though_nothing_tells_of_its_end(
    notebook: Any,
) -> None:
    notebook.run("import zennb", "rows = [1]", "%%step use\nn = len(rows)", "board = zennb.Dashboard()")
    board = notebook.ns["board"]
    board.pages.show("Pipeline")
    shown: list[str] = []

    def act() -> None:
        board.refresh()
        shown.append(said(board))

    notebook.ns["act"] = act
    told_before: list[bool] = []
    forget = notebook.shell.zennb_step.monitor.subscribe(lambda: told_before.append(True))
    notebook.shell.zennb_step.monitor.notify()
    until(lambda: bool(told_before))  # the board, which was there first, has been told of all earlier cells
    forget()
    told = notebook.shell.zennb_hooks.pipeline.panels.cell_ran
    notebook.shell.events.unregister("post_run_cell", told)
    try:
        notebook.run(
            "import threading\nt = threading.Thread(target=act)\nt.start()\nt.join()\nrows.append(2)"
        )
    finally:
        notebook.shell.events.register("post_run_cell", told)
    assert "a cell is running: this is how things stood before it" in shown[0]
    until(lambda: "1 step stale" in said(board))
    assert "a cell is running" not in said(board)


def test_messages_of_widgets_are_not_handed_to_the_busy_thread() -> None:
    class Comm:
        """As ipykernel 7.4 makes them."""

        comm_id = "1"  # other tests ask all widgets for it

        def _reply_subshell_for(self, _data: object, default: str) -> str:
            return f"not {default}"

    inner, outer = Button(), VBox()
    outer.children = [inner]
    comms = {inner: Comm(), outer: Comm()}
    plain = HTML()
    for widget, comm in comms.items():
        object.__setattr__(widget, "_trait_values", {**widget._trait_values, "comm": comm})
    answers_at_once(outer)
    answers_at_once(plain)
    assert [comm._reply_subshell_for for comm in comms.values()] == [None, None]


@pytest.mark.parametrize(
    ("imports", "first", "second", "use", "name"),
    [
        (
            "import decimal",
            "decimal.getcontext().prec = 5",
            "decimal.getcontext().prec = 6",
            "print(decimal.Decimal(1) / 3)",
            "decimal context",
        ),
        (
            "import numpy as np",
            "np.set_printoptions(precision=3)",
            "np.set_printoptions(precision=4)",
            "print(np.ones(1) / 3)",
            "numpy print options",
        ),
        (
            "import sklearn",
            "sklearn.set_config(transform_output='pandas')",
            "sklearn.set_config(transform_output='default')",
            "print(sklearn.get_config()['transform_output'])",
            "scikit-learn configuration",
        ),
    ],
    ids=["decimal", "numpy", "sklearn"],
)
def test_settings_that_each_thread_has_are_those_of_the_notebook_wherever_they_are_looked_at(
    notebook: Any, imports: str, first: str, second: str, use: str, name: str
) -> None:
    notebook.run("import zennb", imports, first, f"%%step use\n{use}", "board = zennb.Dashboard()")
    board = notebook.ns["board"]
    board.pages.show("Pipeline")

    def looked() -> str:
        thread = threading.Thread(target=board.refresh)
        thread.start()
        thread.join()
        return said(board)

    assert "1 step fresh" in looked()
    notebook.run(second)
    assert f"{name} changed" in looked()
    notebook.run(first)
    assert "1 step fresh" in looked()


def test_a_session_shows_what_runs_now_beside_the_latest_of_each_of_its_steps(notebook: Any) -> None:
    notebook.run(
        "import zennb",
        "%%step first\na = 1",
        "%%step first\na = 2",
        "%%step last\nb = a",
        "%pipeline run",
        "rounds = 4000",
        "board = zennb.Dashboard()",
    )

    def act(board: Any) -> None:
        board.pages.buttons["Run"].click()
        assert board.one_run.number == 1
        text = board.view().text
        assert "  kind      session" in text
        assert "✔ first → ✔ last" in text
        assert "◌ endless" in text
        assert "its code changed" in text
        assert text.count("first run") == 2, "the earlier record of `first` is not listed"
        board.stop.click()

    meanwhile(notebook, f"%%step endless\n{ENDLESS}", act)
    board = notebook.ns["board"]
    until(lambda: "■ interrupted" in said(board))
    steps = api.workspace().metadata.steps(1)
    assert [step.name for step in steps] == ["first", "first", "last", "endless"]


def test_a_run_that_is_looked_up_again_is_shown_meanwhile(
    notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("import zennb", "%%step first\na = 1", "board = zennb.Dashboard()")
    page, seen = notebook.ns["board"].one_run, list[str]()
    page.open(1)
    metadata = type(api.workspace().metadata)
    look_up = metadata.run

    def run(self: Any, number: int) -> Any:
        seen.append(page.view().text)  # as another thread may
        return look_up(self, number)

    monkeypatch.setattr(metadata, "run", run)
    page.refresh()
    assert seen
    assert "✔ first" in seen[0]


@pytest.mark.usefixtures("no_run_left")
def test_the_curve_of_a_background_run_grows_and_goes_with_it(notebook: Any) -> None:
    loop = "import zennb\nfor n in range(3):\n    zennb.log(loss=1 / (n + 1), step=n)\n"
    notebook.run("import zennb", "board = zennb.Dashboard()", "board.pages.buttons['Metrics'].click()")
    notebook.run(f"%%step train --background\n{loop}{GATE}zennb.log(loss=0.1, step=3)\n{GATE2}x = 1")
    board = notebook.ns["board"]
    live = board.metrics._live
    until(lambda: "0.333333" in words(live.value))
    assert "data:image/svg" in live.value
    opened()
    until(lambda: "0.1" in words(live.value))
    assert "train (run 1)" in words(board.html)
    Path("second").touch()
    assert ended() == "completed"
    until(lambda: live.value == "")
    until(lambda: "loss" in words(board.metrics._listed.value))
    board.close()


TRAINING = """import time, zennb
for n in range(rounds):
    zennb.log(loss=1 / (n + 1), step=n)
    time.sleep(0.002)
x = 1"""


@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_the_curve_of_a_training_loop_grows_while_it_runs(notebook: Any, flavor: str) -> None:
    notebook.run(
        "import zennb",
        f"%orchestrator register mine --flavor={flavor}",
        "%stack register other -o mine -a default --set",
        "rounds = 100000",
        "board = zennb.Dashboard()",
    )
    shown: list[str] = []

    def act(board: Any) -> None:
        board.pages.buttons["Metrics"].click()
        live = board.metrics._live
        live.observe(lambda change: shown.append(change["new"]), "value")
        until(lambda: len({each for each in shown if "data:image/svg" in each}) >= 3)
        board.stop.click()

    ran = meanwhile(notebook, f"%%step train\n{TRAINING}", act)
    assert isinstance(ran.error, KeyboardInterrupt)
    until(lambda: notebook.ns["board"].metrics._live.value == "")
