"""Owns `RowList`: a page of a listing as a table, a button beside each row that opens it, and ways to other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Button, ButtonStyle, Layout

from zennb.jupyter.panels.kit.arrange import bar, group, html, toggle
from zennb.views.rows import beside
from zennb.views.text import clean, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipywidgets import Widget

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.table import Table

__all__ = ["Row", "RowList"]

Row = tuple[Any, str, str]
"""What a row's button opens, what it says, and its tip."""

LONGEST = 30
"""Characters of a button's label; the tip has all of it."""


class RowList:
    """Rows with a button each. Buttons are made once and used for every page, so that walking makes no widgets.

    Args:
        panel: the panel it is part of.
        caption: what is listed, for screen readers.
        on_open: called with a row's key when its button is pressed.
        on_page: called with -1 for the page before and 1 for the next; None for a list that has one page.
    """

    def __init__(
        self,
        panel: Panel,
        caption: str,
        *,
        on_open: Callable[[Any], object],
        on_page: Callable[[int], object] | None = None,
    ) -> None:
        self._panel, self._caption, self._open = panel, caption, on_open
        self._buttons: list[Button] = []
        self._keys: list[Any] = []
        self._layout, self._style = Layout(), ButtonStyle()
        self._openers, self._cells = group(look="zennb-openers"), html(look="zennb-cells")
        self._said = HTML()
        self._turn = on_page or (lambda _step: None)
        self.newer = panel.button("Newer", lambda: self._turned(-1), tip="Show newer ones")
        self.older = panel.button("Older", lambda: self._turned(1), tip="Show older ones")
        self._rows = bar(self._openers, self._cells, look="zennb-rows")
        said = bar(self._said, *((self.newer, self.older) if on_page else ()), look="zennb-said")
        self.widget: Widget = group(said, self._rows)

    @property
    def keys(self) -> Sequence[Any]:
        """What the rows shown would open."""
        return tuple(self._keys)

    @property
    def buttons(self) -> Sequence[Button]:
        """The buttons of the rows shown."""
        return tuple(self._openers.children)

    def show(
        self,
        table: Table,
        rows: Sequence[Row],
        *,
        said: str = "",
        newer: bool = False,
        older: bool = False,
        current: Any = None,
    ) -> None:
        """Show a page.

        Args:
            table: its rows; the column that names them is said by the buttons.
            rows: what the buttons open and say, one for each row.
            said: the sentence above, as HTML.
            newer: whether there is a page before.
            older: whether there is a page after.
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
        self._said.value = said
        self.newer.disabled, self.older.disabled = not newer, not older

    def _turned(self, step: int) -> None:
        """Turn the page; from a button that can be pressed no longer, the cursor goes to its neighbour."""
        self._turn(step)
        pressed, other = (self.older, self.newer) if step > 0 else (self.newer, self.older)
        if pressed.disabled and not other.disabled:
            other.focus()

    def _button(self, place: int) -> Button:
        made = Button(layout=self._layout, style=self._style)
        made.on_click(self._panel.does(lambda: self._open(self._keys[place])))
        return made

    @staticmethod
    def _label(button: Button, label: str, tip: str, *, is_current: bool) -> None:
        button.description = label
        button.tooltip = f"{tip} (open)" if is_current else tip
        if is_current:
            button.add_class("zennb-current")
        else:
            button.remove_class("zennb-current")
