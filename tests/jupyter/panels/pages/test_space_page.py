"""The page of space: usage, and a prune that is shown, confirmed and done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import HTML

from tests.jupyter.panels.conftest import widgets, words
from tests.space.conftest import set_back
from zennb import api

if TYPE_CHECKING:
    from pathlib import Path


class Page:
    """The dashboard's page of space, as a person uses it."""

    def __init__(self, notebook: Any) -> None:
        notebook.run("import zennb", "board = zennb.Dashboard()")
        self.notebook, self.board = notebook, notebook.ns["board"]
        self.board.pages.buttons["Space"].click()
        self.page = self.board.space

    @property
    def words(self) -> str:
        shown = [each for each in widgets(self.page.widget, HTML) if not self._hidden(each)]
        return words("\n".join(str(each.value) for each in shown))

    def _hidden(self, widget: Any) -> bool:
        return widget in widgets(self.page._result, HTML) and "zennb-none" in self.page._result._dom_classes

    @property
    def message(self) -> str:
        return str(self.board.message.text)

    def choose(self, rule: str, value: str = "") -> None:
        self.page.rule.choose(rule)
        if value:
            self.page.value.value = value


@pytest.fixture
def page(notebook: Any, tmp_path: Path) -> Page:
    notebook.run(*(f"%%step load\ndata = bytes([{number}]) * 200_000" for number in range(5)))
    # Beside each value lies the copy of its record, which stays as long as the record.
    set_back(tmp_path / "home" / "artifacts", 3600)
    return Page(notebook)


def test_it_says_what_takes_space(page: Page) -> None:
    for text in (
        "artifact store 'default': 1.0 MB in 10 blobs",
        "by notebook",
        "by step",
        "largest",
        "data v5",
    ):
        assert text in page.words
    assert "data v5" in page.board.text


def test_a_prune_is_shown_then_confirmed_then_done(page: Page) -> None:
    page.choose("keep", "2")
    page.page.preview.click()
    assert "3 blobs, 600.4 kB would be deleted" in page.words
    assert "%artifacts prune --keep 2 --yes" in page.words
    assert len(list(api.workspace().open().store.stored())) == 10
    page.page.delete.click()
    assert "Delete 600.4 kB from artifact store 'default'?" in words(page.page.confirmation.text)
    page.page.confirmation.no.click()
    assert len(list(api.workspace().open().store.stored())) == 10
    page.page.delete.click()
    page.page.confirmation.yes.click()
    assert page.message.startswith("deleted 3 blobs of artifact store 'default'")
    assert "in 7 blobs" in page.words
    assert len(list(api.workspace().open().store.stored())) == 7


def test_another_rule_takes_the_preview_away_so_that_nothing_else_is_deleted_than_was_shown(
    page: Page,
) -> None:
    page.choose("keep", "2")
    page.page.preview.click()
    page.page.delete.click()
    page.choose("to", "0")
    assert "would be deleted" not in page.words
    assert page.page.form_host.form is None
    page.choose("unreferenced")
    assert "zennb-none" in page.page.value._dom_classes
    page.page.preview.click()
    assert "there is nothing to delete" in page.words
    assert "zennb-none" in page.page.delete._dom_classes


@pytest.mark.parametrize(
    ("rule", "value", "sentence"), [("older", "30", "has no unit"), ("to", "much", "is no size")]
)
def test_a_value_that_is_none_is_refused_in_a_sentence(
    page: Page, rule: str, value: str, sentence: str
) -> None:
    page.choose(rule, value)
    page.page.preview.click()
    assert sentence in page.message
    page.page.value.value = ""
    page.page.preview.click()
    assert "give a value beside" in page.message


def test_one_stack_can_be_chosen(page: Page) -> None:
    page.notebook.run(
        "%artifact-store register spare --flavor=local", "%stack register spare -o default -a spare"
    )
    page.page.refresh()
    page.page.stack.choose("spare")
    assert "artifact store 'spare': 0 B in 0 blobs" in page.words
    page.choose("to", "0")
    page.page.preview.click()
    assert "artifact store 'spare': there is nothing to delete" in page.words
