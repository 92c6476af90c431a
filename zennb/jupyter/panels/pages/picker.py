"""Owns the stack picker: the panel of all stacks and components, `%stack picker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.page_switcher import PageSwitcher
from zennb.jupyter.panels.kit.panel import Panel
from zennb.jupyter.panels.pages.component_browser import ComponentBrowser
from zennb.jupyter.panels.pages.stack_browser import StackBrowser
from zennb.jupyter.panels.pages.types_page import TypesPage

if TYPE_CHECKING:
    from ipywidgets import Widget

    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackPicker"]


class StackPicker(Panel):
    """Every registered stack: what it is made of, what ran on it, and a button that activates it.

    Components are registered and changed on a page of their own; another one says what types there are.
    """

    kind = "picker"
    title = "Stack picker"
    command = "%stack picker"

    def build(self) -> Widget:
        """Make the pages."""
        self.stacks, self.components, self.types = StackBrowser(self), ComponentBrowser(self), TypesPage()
        self.pages = PageSwitcher(
            self,
            {"Stacks": self.stacks, "Components": self.components, "Component types": self.types},
        )
        return self.pages.widget

    def refresh(self) -> None:
        """Look everything up again."""
        self.pages.refresh()

    def changed(self, change: Change) -> None:
        """Move to the stack that was activated, and show what else changed."""
        self.stacks.follow(change)
        if self.pages.page is not self.stacks:
            self.pages.refresh()

    def cell_ran(self) -> None:
        """Show the runs that came about."""
        if self.pages.page is self.stacks:
            self.stacks.refresh()

    def view(self) -> Shown:
        """Return all stacks, and the chosen one with its last runs."""
        return self.stacks.view()
