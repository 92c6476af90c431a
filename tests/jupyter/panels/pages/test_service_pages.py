"""The pages of what serves a stack beside its orchestrator and store: metrics and trackers, checks, alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import HTML

from tests.jupyter.panels.conftest import widgets, words
from zennb import api
from zennb.components.alerters.local import LocalAlerter
from zennb.core.records.records import ComponentSpec
from zennb.engine.delivery.outbox import Outbox, OutboxMessage

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def board(notebook: Any) -> Any:
    notebook.run("import zennb", "board = zennb.Dashboard()")
    return notebook.ns["board"]


def fail(*_message: object) -> None:
    raise ZeroDivisionError("division by zero")


def go(board: Any, title: str) -> str:
    board.pages.buttons[title].click()
    assert board.pages.current == title
    assert "went wrong" not in board.message.text
    return shown(board)


def shown(board: Any) -> str:
    return words("\n".join(str(each.value) for each in widgets(board.pages.page.widget, HTML)))


def html(board: Any) -> str:
    return "\n".join(str(each.value) for each in widgets(board.pages.page.widget, HTML))


def test_a_home_in_which_nothing_was_logged_says_so(board: Any) -> None:
    assert "keeps metrics in zennb's own records" in go(board, "Metrics")
    assert "no runs yet" in shown(board)
    assert "no data validator is registered: the flavor local is used" in go(board, "Checks")
    assert "no checks yet" in shown(board)
    assert "no alerter is registered" in go(board, "Alerts")
    assert "nothing is waiting" in shown(board)
    assert "nothing was delivered yet" in shown(board)


def test_recent_runs_stand_side_by_side_with_parameters_and_metrics(notebook: Any, board: Any) -> None:
    fit = (
        "%%step fit\nfor n in range(3):\n    zennb.log(loss=rate / (n + 1), step=n)\nzennb.log(accuracy=rate)"
    )
    notebook.run("rate = 0.5", fit, "%pipeline run -p rate=0.75")
    found = go(board, "Metrics")
    assert "rate accuracy loss" in found
    assert "0.75 0.75 0.25" in found
    assert "data:image/svg" in html(board)
    board.metrics.metric.choose("accuracy")
    assert "2 fit 0.75" in shown(board), "as `%runs chart` shows it"


def test_the_page_of_metrics_says_what_a_tracker_was_not_told(notebook: Any, board: Any) -> None:
    metadata = api.workspace().metadata
    metadata.put_component(ComponentSpec(type="experiment_tracker", name="lab", flavor="mlflow"))
    stack = api.workspace().snapshot()
    parts = {**stack.components, "experiment_tracker": metadata.components("experiment_tracker")[0]}
    metadata.put_stack(replace(stack, name="tracked", components=parts))
    api.workspace().use("tracked")
    message = OutboxMessage(type="experiment_tracker", component="lab", payload={"step": "fit"})
    Outbox(api.workspace().home).deliver(message, fail)
    said = go(board, "Metrics")
    assert "also tells 'lab' (mlflow)" in said
    assert "1 message to it wait" in said.replace("waits", "wait")


def test_the_last_checks_say_what_they_found(notebook: Any, board: Any) -> None:
    notebook.run(
        "%data-validator register rules --flavor=local",
        "schema = {'type': 'int', 'rows': (2, None)}",
        "%%step good --check schema\nrows = [1, 2, 3]",
    )
    notebook.cell("%%step bad --check schema\nfew = [1]")
    said = go(board, "Checks")
    assert "rules local" in said
    assert "rows ✔ completed good" in said
    assert "few ✘ failed bad" in said
    assert "does not pass the check schema" in said
    assert board.checks.view().text.count("check") >= 2


def test_alerts_that_were_sent_and_those_that_wait(
    notebook: Any, board: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notebook.run(
        f"%alerter register team --flavor=local --path={tmp_path / 'alerts.txt'}",
        "%%step one --notify team\nx = 1",
    )
    said = go(board, "Alerts")
    assert "team local" in said
    assert "step 'one' completed" in said
    assert "zennb-none" in board.alerts._tools._dom_classes
    with monkeypatch.context() as broken:
        broken.setattr(LocalAlerter, "send", fail)
        notebook.run("%%step two --notify team\ny = 1")
    said = go(board, "Alerts")
    assert "waiting to message since attempts problem team step 'two' completed" in said
    assert "division by zero" in said
    board.alerts.send.click()
    assert "1 message sent." in board.message.text
    assert "nothing is waiting" in shown(board)
    assert "step 'two' completed" in shown(board)


def test_no_name_on_these_pages_is_markup(notebook: Any, board: Any) -> None:
    outbox = Outbox(api.workspace().home)
    for send in (print, fail):
        outbox.deliver(OutboxMessage(type="alerter", component=HOSTILE, payload={"title": HOSTILE}), send)
    notebook.run(f"rate = {HOSTILE!r}", f"%%step fit\nzennb.log({{{HOSTILE!r}: 1.0}})\nx = rate")
    for title in ("Metrics", "Checks", "Alerts"):
        go(board, title)
        assert HOSTILE not in html(board), title
