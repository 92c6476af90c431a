"""Owns the stack picker: the panel of all stacks and components, `%stack picker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.verbs.general import types_view
from zennb.jupyter.panels.kit.arrange import html
from zennb.jupyter.panels.kit.page_switcher import PageSwitcher, PanelPage
from zennb.jupyter.panels.kit.panel import Panel
from zennb.jupyter.panels.pages.component_browser import ComponentBrowser
from zennb.jupyter.panels.pages.stack_browser import StackBrowser

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Widget

    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackPicker"]


class StackPicker(Panel):
    """Every registered stack: its components, its last runs, and a button that activates it.

    Components have a page of their own, and so have the component types.
    """

    kind = "picker"
    title = "Stack picker"
    command = "%stack picker"

    def build(self) -> Widget:
        """Make the pages."""
        self.stacks, self.components, self.types = StackBrowser(self), ComponentBrowser(self), _TypesPage()
        self.pages = PageSwitcher[PanelPage](
            self,
            {
                "Stacks": lambda: self.stacks,
                "Components": lambda: self.components,
                "Component types": lambda: self.types,
            },
        )
        self.on_link("stack", lambda name: self._open("Stacks", lambda: self.stacks.open(name)))
        self.on_link(
            "component", lambda kind, name: self._open("Components", lambda: self.components.open(kind, name))
        )
        return self.pages.widget

    def _open(self, title: str, open_it: Callable[[], object]) -> None:
        open_it()
        self.pages.show(title)
        self.pages.buttons[title].focus()

    def refresh(self) -> None:
        """Look everything up again."""
        self.pages.refresh()

    def changed(self, change: Change) -> None:
        """Select the stack that was activated, and refresh the other pages."""
        self.stacks.changed(change)
        if self.pages.page is not self.stacks:
            self.pages.refresh()

    def cell_ran(self) -> None:
        """Show new runs."""
        if self.pages.page is self.stacks:
            self.stacks.refresh()

    def view(self) -> Shown:
        """Return all stacks, and the chosen one with its last runs."""
        return self.stacks.view()


class _TypesPage:
    """Every component type: what it is for, the flavors available here, and why some have none."""

    def __init__(self) -> None:
        self.widget = html()

    def refresh(self) -> None:
        """Look up what is installed."""
        self.widget.value = types_view().html
