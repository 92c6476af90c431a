"""Owns the dashboard's page of stacks: the browser of the stack picker, and the way to all runs on a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.arrange import bar
from zennb.jupyter.panels.pages.stack_browser import StackBrowser

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackPage"]


class StackPage:
    """Every stack, with all the runs executed on it.

    Args:
        panel: the panel it is part of.
        all_runs: goes to the runs on the stack of a name.
    """

    def __init__(self, panel: Panel, *, all_runs: Callable[[str], object]) -> None:
        self.all_runs = panel.button(
            "All runs on this stack",
            lambda: all_runs(self.browser.list.value),
            tip="Go to the list of all runs on the stack that is chosen",
        )
        self.browser = StackBrowser(panel, more=[bar(self.all_runs)])
        self.widget = self.browser.widget

    def refresh(self) -> None:
        """Look the stacks up again."""
        self.browser.refresh()

    def follow(self) -> None:
        """Keep up with the runs on the stack that is shown."""
        self.browser.refresh()

    def changed(self, change: Change) -> None:
        """Follow a change made in this kernel."""
        self.browser.follow(change)

    def view(self) -> Shown:
        """Return the stacks, and the chosen one with its last runs."""
        return self.browser.view()
