"""Owns `PageSwitcher`: the pages of a panel, of which one is shown, and the buttons that go from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from zennb.errors import UsageError
from zennb.jupyter.panels.kit.arrange import bar, group, set_class, toggle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ipywidgets import Button, Widget

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["LivePage", "OpenedPage", "PageSwitcher", "PanelPage"]


class PanelPage(Protocol):
    """One page of a panel."""

    @property
    def widget(self) -> Widget:
        """What is shown."""

    def refresh(self) -> None:
        """Look everything up again."""


class LivePage(PanelPage, Protocol):
    """A page that follows runs while they are active."""

    def follow(self) -> None:
        """Show what has happened since; called up to five times a second, so it may do less than a refresh."""

    def view(self) -> Shown:
        """Return what is shown, for readers without a kernel."""


@runtime_checkable
class OpenedPage(Protocol):
    """A page with a list, of which one entry may be open."""

    def show_list(self) -> None:
        """Close what is open, without looking anything up."""


P = TypeVar("P", bound=PanelPage)


class PageSwitcher(Generic[P]):
    """Pages of a panel by title; the one shown is bold and underlined, and is refreshed when it comes up.

    Args:
        panel: the panel they are part of.
        pages: title → function that returns the page, the same object each time. The first page is shown at first.
            The others are built when they are first shown, so that the panel opens at once.
    """

    def __init__(self, panel: Panel, pages: Mapping[str, Callable[[], P]]) -> None:
        self._pages = dict(pages)
        self.current = next(iter(self._pages))
        panel.on_link("page", self.enter)
        panel.begin_at("page", self.current)
        self.buttons = {title: self._button(panel, title) for title in self._pages}
        self._boxes = {title: group() for title in self._pages}
        self.widget = group(
            bar(*self.buttons.values(), classes="zennb-bar zennb-pages"), *self._boxes.values()
        )
        self._mark()

    @property
    def page(self) -> P:
        """The page that is shown; it is built now if it was not yet."""
        page = self._pages[self.current]()
        self._boxes[self.current].children = (page.widget,)
        return page

    def refresh(self) -> None:
        """Refresh the page that is shown; the others are refreshed when they are shown."""
        self.page.refresh()

    def show(self, title: str) -> None:
        """Go to a page."""
        self.current = title
        self._mark()
        self.refresh()

    def enter(self, title: str) -> None:
        """Go to a page as its button does: where one thing of a list is open, to the list."""
        page = self._pages[title]() if title in self._pages else None
        if page is None:
            raise UsageError(f"this panel has no page {title!r}.")
        if isinstance(page, OpenedPage):
            page.show_list()
        self.show(title)

    def _button(self, panel: Panel, title: str) -> Button:
        button = panel.button(title, lambda: panel.go_to("page", title))
        button.add_class("zennb-page")
        return button

    def _mark(self) -> None:
        for title, button in self.buttons.items():
            is_shown = title == self.current
            button.tooltip = f"{title} (shown)" if is_shown else f"Go to {title}"
            toggle(self._boxes[title], shown=is_shown)
            set_class(button, "zennb-current", on=is_shown)
