"""Owns `LazyPage`: a page of a panel that is built when it is first shown, so that the panel opens at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ipywidgets import VBox

from zennb.jupyter.panels.kit.page_switcher import PanelPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.views.view import Shown

__all__ = ["LazyPage", "LivePage"]


class LivePage(PanelPage, Protocol):
    """A page that keeps up with runs."""

    def follow(self) -> None:
        """Keep up with what happens, a few times a second at most; cheaper than a refresh where that is dear."""

    def view(self) -> Shown:
        """Return what is shown, for readers without a kernel."""


P = TypeVar("P", bound=LivePage)


class LazyPage(Generic[P]):
    """Stands in for a page until somebody asks for it.

    Args:
        make: makes the page.
    """

    def __init__(self, make: Callable[[], P]) -> None:
        self._make = make
        self._page: P | None = None
        self.widget = VBox()

    @property
    def page(self) -> P:
        """The page itself; made now, if it was not yet."""
        if self._page is None:
            self._page = self._make()
            self.widget.children = (self._page.widget,)
        return self._page

    def refresh(self) -> None:
        """Look everything up again."""
        self.page.refresh()

    def follow(self) -> None:
        """Keep up with what happens."""
        self.page.follow()

    def view(self) -> Shown:
        """Return what is shown."""
        return self.page.view()
