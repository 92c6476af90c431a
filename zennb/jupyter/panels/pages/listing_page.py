"""Owns `ListingPage`: a page of the dashboard with filters above a long listing of the metadata store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from zennb.jupyter.panels.kit.arrange import bar, group
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.row_list import PagedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipywidgets import Widget

    from zennb.core.records.pages import Page
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.jupyter.panels.kit.row_list import Row
    from zennb.metadata.labels import Labelled
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["PER_PAGE", "ListingPage", "offer_known"]

T = TypeVar("T")

PER_PAGE = 15
"""Rows on a page of a listing."""


class ListingPage(ABC, Generic[T]):
    """Filters, and one page of the records that pass them, newest first.

    Args:
        panel: the panel it is part of.
        caption: what is listed, for screen readers.
        on_open: called with the key of the row that is opened.
    """

    minor: ClassVar[frozenset[str]]
    """Keys of the columns that a narrow panel leaves out."""
    labelled: ClassVar[Labelled]
    """What is listed, as the metadata store calls it where it keeps tags."""

    def __init__(self, panel: Panel, caption: str, *, on_open: Callable[[Any], object]) -> None:
        self._panel = panel
        self.notebook = Choice("Notebook", on_choose=panel.does(self._filtered))
        self.tag = Choice("Tag", on_choose=panel.does(self._filtered))
        self.rows = PagedRows[T](panel, caption, on_open=on_open, place=self._place, on_turn=self._show)
        self._listing = group(bar(*self._filters(), classes="zennb-bar zennb-filters"), self.rows.widget)
        self.widget = self._listing

    @abstractmethod
    def _filters(self) -> Sequence[Widget]:
        """Make the filters, once."""

    @abstractmethod
    def _find(self, start: Any) -> Page[T]:
        """Return the records that pass the filters, from a place on; None is the beginning."""

    @abstractmethod
    def _place(self, record: T) -> Any:
        """Return the place of a record in the listing."""

    @abstractmethod
    def _table(self, records: Sequence[T]) -> Table:
        """Return records as a table."""

    @abstractmethod
    def _row(self, record: T) -> Row:
        """Return the button of a record's row."""

    def _ordered(self, records: Sequence[T]) -> Sequence[T]:
        """Return the records of a page in the order in which they are shown."""
        return records

    @abstractmethod
    def _caption(self) -> Shown:
        """Return the sentence that says what is listed."""

    def refresh(self) -> None:
        """Look up the page that is shown, and what the filters offer."""
        self._offer()
        self._show()

    def follow(self) -> None:
        """Show what has been recorded since, if the first page is shown."""
        if not self.rows.pages_before:
            self.refresh()

    def _offer(self) -> None:
        metadata = self._panel.panels.workspace.metadata
        notebooks = metadata.listings.notebooks()
        offer_known(self.notebook, "any notebook", notebooks, chosen=self.notebook.value)
        offer_known(self.tag, "any tag", metadata.labels.words(self.labelled), chosen=self.tag.value)

    def _filtered(self) -> None:
        self.rows.rewind()
        self._show()

    def _show(self) -> None:
        page = self.rows.page = self._find(self.rows.start)
        shown = self._ordered(page.items)
        table = self._table(shown)
        columns = [replace(each, minor=each.key in self.minor) for each in table.columns]
        rows = [self._row(each) for each in shown]
        self.rows.show(replace(table, columns=columns), rows, heading=self._caption().html)


def offer_known(menu: Choice, everything: str, names: Sequence[str], *, chosen: str) -> None:
    """Offer known names in a menu, below an entry for all of them; what is chosen is always among them."""
    offered = [*names, *([chosen] if chosen not in names else [])]
    menu.offer([("", everything), *((each, each) for each in offered if each)], chosen=chosen)
