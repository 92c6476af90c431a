"""Owns `RowList`: a table with a button beside each row that opens it; and `PagedRows`, for long listings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ipywidgets import HTML, Button, ButtonStyle, Layout

from zennb.core.records.pages import Page
from zennb.jupyter.panels.kit.arrange import bar, group, html, set_class, toggle
from zennb.views.rows import beside
from zennb.views.text import clean, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipywidgets import Widget

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.table import Table

__all__ = ["PagedRows", "Row", "RowList"]

T = TypeVar("T")

Row = tuple[Any, str, str]
"""A row's key, the label of its button, and its tooltip."""

LONGEST = 30
"""Characters of a button's label; the tip has all of it."""


class RowList:
    """Rows with a button each. Buttons are created once and reused, so that turning pages creates no widgets.

    Args:
        panel: the panel it is part of.
        caption: what is listed, for screen readers.
        on_open: called with a row's key when its button is pressed.
        tools: widgets beside the sentence above the rows.
    """

    def __init__(
        self,
        panel: Panel,
        caption: str,
        *,
        on_open: Callable[[Any], object],
        tools: Sequence[Widget] = (),
    ) -> None:
        self._panel, self._caption, self._open = panel, caption, on_open
        self._buttons: list[Button] = []
        self._keys: list[Any] = []
        # Shared by all buttons: every widget costs a message to the page, and each button would bring two more.
        self._layout, self._style = Layout(), ButtonStyle()
        self._openers, self._cells = group(classes="zennb-openers"), html(classes="zennb-cells")
        self._heading = HTML()
        self._rows = bar(self._openers, self._cells, classes="zennb-rows")
        self.widget: Widget = group(bar(self._heading, *tools, classes="zennb-said"), self._rows)

    @property
    def keys(self) -> Sequence[Any]:
        """The keys of the rows shown."""
        return tuple(self._keys)

    @property
    def buttons(self) -> Sequence[Button]:
        """The buttons of the rows shown."""
        return tuple(self._openers.children)

    def show(self, table: Table, rows: Sequence[Row], *, heading: str = "", current: Any = None) -> None:
        """Show other rows.

        Args:
            table: its rows; the buttons replace the column that names them.
            rows: the buttons, one for each row.
            heading: the sentence above, as HTML.
            current: the key of the row that is open now.
        """
        self._keys = [key for key, _, _ in rows]
        while len(self._buttons) < len(rows):
            self._buttons.append(self._button(len(self._buttons)))
        for button, (key, label, tip) in zip(self._buttons, rows, strict=False):
            self._label(button, cut(clean(label), LONGEST), clean(tip), is_current=key == current)
        shown = tuple(self._buttons[: len(rows)])
        if self._openers.children != shown:
            self._openers.children = shown
        toggle(self._rows, shown=bool(rows))
        self._cells.value = beside(table, caption=self._caption) if rows else ""
        self._heading.value = heading

    def _button(self, place: int) -> Button:
        button = Button(layout=self._layout, style=self._style)
        # The key of the place is looked up when the button is pressed, as the button serves other rows by then.
        button.on_click(self._panel.does(lambda: self._open(self._keys[place])))
        return button

    @staticmethod
    def _label(button: Button, label: str, tip: str, *, is_current: bool) -> None:
        button.description = label
        button.tooltip = f"{tip} (open)" if is_current else tip
        set_class(button, "zennb-current", on=is_current)


class PagedRows(RowList, Generic[T]):
    """The rows of a long listing, one page at a time.

    Attributes:
        page: what is shown.

    Args:
        panel: the panel it is part of.
        caption: what is listed, for screen readers.
        on_open: called with a row's key when its button is pressed.
        place: returns the place of a record in the listing; the page behind it starts there.
        on_turn: called to look up and show the page that begins at `start`.
    """

    def __init__(
        self,
        panel: Panel,
        caption: str,
        *,
        on_open: Callable[[Any], object],
        place: Callable[[T], Any],
        on_turn: Callable[[], object],
    ) -> None:
        self._place, self._on_turn = place, on_turn
        self._starts: list[Any] = [None]
        self.page: Page[T] = Page()
        self.newer = panel.button("Newer", self._turn_to_newer, tip="Show newer ones")
        self.older = panel.button("Older", self._turn_to_older, tip="Show older ones")
        super().__init__(panel, caption, on_open=on_open, tools=(self.newer, self.older))

    @property
    def start(self) -> Any:
        """The place behind which the page begins; None for the first page."""
        return self._starts[-1]

    @property
    def pages_before(self) -> int:
        """How many pages of newer records there are."""
        return len(self._starts) - 1

    def rewind(self) -> None:
        """Go back to the first page, without looking it up."""
        self._starts = [None]

    def show(self, table: Table, rows: Sequence[Row], *, heading: str = "", current: Any = None) -> None:
        """Show the rows of `page`, as `RowList.show` does."""
        super().show(table, rows, heading=heading, current=current)
        self.newer.disabled, self.older.disabled = not self.pages_before, not self.page.more

    def _turn_to_newer(self) -> None:
        if self.pages_before:
            self._starts.pop()
        self._turned(self.newer, self.older)

    def _turn_to_older(self) -> None:
        if self.page.more and self.page.items:
            self._starts.append(self._place(self.page.items[-1]))
        self._turned(self.older, self.newer)

    def _turned(self, pressed: Button, other: Button) -> None:
        """Show the page; if the button that was pressed is disabled now, move the focus to its neighbour."""
        self._on_turn()
        if pressed.disabled and not other.disabled:
            other.focus()
