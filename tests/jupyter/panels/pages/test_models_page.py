"""The page of models: what is registered and served, deployed, stopped and started by mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import HTML

import zennb
from tests.jupyter.panels.conftest import widgets, words

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 2)"


@pytest.fixture
def board(notebook: Any) -> Iterator[Any]:
    notebook.run("import zennb", "board = zennb.Dashboard()")
    found = notebook.ns["board"]
    yield found
    for each in zennb.deployments():
        each.delete()


def shown(board: Any) -> str:
    return words("\n".join(str(each.value) for each in widgets(board.models.widget, HTML)))


def test_a_home_without_models_says_how_to_register_one(board: Any) -> None:
    board.pages.buttons["Models"].click()
    assert "no models yet" in shown(board)
    assert "no deployments yet" in shown(board)
    assert "zennb-none" in board.models._choose._dom_classes


def test_a_version_is_deployed_stopped_and_started(notebook: Any, board: Any) -> None:
    notebook.run(MODEL, "%model register classifier --from model --alias champion")
    board.pages.buttons["Models"].click()
    page = board.models
    assert "champion" in shown(board)
    page.deploy.click()
    assert "classifier v1 is deployed" in board.message.text
    assert "running" in shown(board)
    assert zennb.deployment("classifier").predict(2) == 4
    page.stop.click()
    assert "is stopped" in board.message.text
    assert "stopped" in shown(board)
    page.start.click()
    assert "is started" in board.message.text
    page.logs.click()
    assert "POST /predict 200" in shown(board)
    assert zennb.deployment("classifier").token not in shown(board)
