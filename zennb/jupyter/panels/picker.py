"""Owns the stack picker: the panel of all stacks, `%stack picker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.panel import Panel
from zennb.jupyter.panels.stack_browser import StackBrowser

if TYPE_CHECKING:
    from ipywidgets import Widget

    from zennb.stacks.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackPicker"]


class StackPicker(Panel):
    """Every registered stack: what it is made of, what ran on it, and a button that activates it."""

    kind = "picker"
    title = "Stacks"
    command = "%stack picker"

    def build(self) -> Widget:
        """Make the browser of stacks."""
        self.stacks = StackBrowser(self)
        return self.stacks.widget

    def refresh(self) -> None:
        """Look the stacks up again."""
        self.stacks.refresh()

    def changed(self, change: Change) -> None:
        """Move to the stack that was activated."""
        self.stacks.follow(change)

    def view(self) -> Shown:
        """Return all stacks, and the chosen one with its last runs."""
        return self.stacks.view()
