"""Owns `PageSwitcher`: the parts of a panel of which one is shown, and the buttons that go from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from zennb.jupyter.panels.kit.arrange import bar, group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipywidgets import Button, Widget

    from zennb.jupyter.panels.kit.panel import Panel

__all__ = ["PageSwitcher", "PanelPage"]


class PanelPage(Protocol):
    """One part of a panel."""

    @property
    def widget(self) -> Widget:
        """What is shown."""

    def refresh(self) -> None:
        """Look everything up again."""


class PageSwitcher:
    """Pages of a panel by title; the one shown is bold and underlined, and looked up anew when it comes up.

    Args:
        panel: the panel they are part of.
        pages: title → page; the first is shown at first.
    """

    def __init__(self, panel: Panel, pages: Mapping[str, PanelPage]) -> None:
        self._pages = dict(pages)
        self.current = next(iter(self._pages))
        self.buttons = {title: self._button(panel, title) for title in self._pages}
        navigation = bar(*self.buttons.values())
        navigation.add_class("zennb-pages")
        self.widget = group(navigation, *(page.widget for page in self._pages.values()))
        self._mark()

    @property
    def page(self) -> PanelPage:
        """The page that is shown."""
        return self._pages[self.current]

    def refresh(self) -> None:
        """Look the page that is shown up again; the others follow when they are shown."""
        self.page.refresh()

    def show(self, title: str) -> None:
        """Go to a page."""
        self.current = title
        self._mark()
        self.refresh()

    def _button(self, panel: Panel, title: str) -> Button:
        made = panel.button(title, lambda: self.show(title))
        made.add_class("zennb-page")
        return made

    def _mark(self) -> None:
        for title, page in self._pages.items():
            shown, button = title == self.current, self.buttons[title]
            button.tooltip = f"{title} (shown)" if shown else f"Go to {title}"
            if shown:
                page.widget.remove_class("zennb-none")
                button.add_class("zennb-current")
            else:
                page.widget.add_class("zennb-none")
                button.remove_class("zennb-current")
