"""The `local` annotator keeps the contract of annotators, and its panel shows no item as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.annotator import LabelTask
from zennb.jupyter.panels.labeller import Labeller, LocalAnnotator
from zennb.testing.annotator import AnnotatorContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jupyter.conftest import Notebook


class TestContract(AnnotatorContract):
    @pytest.fixture
    def annotator(self) -> LocalAnnotator:
        return LocalAnnotator.from_config("labels", {})

    @pytest.fixture
    def host(self, notebook: Notebook) -> Any:
        return notebook.shell.zennb_hooks.pipeline.panels

    @pytest.fixture
    def give(self) -> Callable[[Any, str], None]:
        def click(panel: Labeller, label: str) -> None:
            panel.choices[panel.task.choices.index(label)].click()

        return click


def test_what_is_shown_is_escaped_and_static_without_a_kernel(notebook: Notebook) -> None:
    host = notebook.shell.zennb_hooks.pipeline.panels
    items = ["<img src=x onerror=alert(1)>", {"<b>": "<i>"}]
    task = LabelTask(name="x", target="y", items=items, choices=["<u>"], host=host)
    panel = Labeller(task)
    for _ in items:
        assert "<img src=x" not in panel._item.value
        assert "<b>" not in panel._item.value
        panel.go(1)
    assert "0 of 2 items of x labelled" in panel.text
    assert "<u>" not in panel.html
    assert "run `%annotate x --as y` for the panel itself" in panel.text
