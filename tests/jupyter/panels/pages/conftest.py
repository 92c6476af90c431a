"""A notebook with its dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ipywidgets import HTML

from tests.jupyter.panels.conftest import widgets, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A notebook and its dashboard."""

    notebook: Any
    panel: Any

    def page(self, title: str) -> str:
        """Go to a page, as a person does, and return the words on it."""
        self.panel.pages.buttons[title].click()
        assert self.panel.pages.current == title
        assert "went wrong" not in self.panel.message.text
        return self.words

    @property
    def html(self) -> str:
        shown = [*widgets(self.panel.pages.page.widget, HTML), *widgets(self.panel.root.children[5], HTML)]
        return "\n".join(str(each.value) for each in shown)

    @property
    def words(self) -> str:
        return words(self.html)

    def press(self, rows: Any, label: str) -> None:
        (button,) = (each for each in rows.buttons if each.description == label)
        button.click()


@pytest.fixture
def board(notebook: Any) -> Board:
    notebook.run("import zennb", "board = zennb.Dashboard()")
    return Board(notebook=notebook, panel=notebook.ns["board"])
