"""Owns the browser of stacks: a list, the chosen stack with its last runs, and the button that activates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipywidgets import HTML, HBox, VBox

from zennb.errors import ZennbError
from zennb.jupyter.panels.choice import Choice
from zennb.stacks.flavors import check_stack
from zennb.views import run as run_view
from zennb.views import stack as stack_view
from zennb.views.view import View, join

if TYPE_CHECKING:
    from zennb.core.records import StackSpec
    from zennb.jupyter.panels.panel import Panel
    from zennb.stacks.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackBrowser"]

RUNS = 5
"""Last runs shown of a stack."""


class StackBrowser:
    """The stacks of the workspace; part of a panel.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.list = Choice("Stacks", on_choose=panel.does(self._show), rows=8)
        self.activate = panel.button(
            "Activate", self._activate, style="primary", tip="Run steps on this stack from now on"
        )
        self._card, self._runs = HTML(), HTML()
        side, bar = VBox([self.list.widget]), HBox([self.activate])
        main = VBox([self._card, bar, self._runs])
        side.add_class("zennb-side")
        main.add_class("zennb-main")
        bar.add_class("zennb-bar")
        self.widget = HBox([side, main])
        self.widget.add_class("zennb-columns")

    def refresh(self) -> None:
        """Look the stacks up again; the chosen one stays chosen."""
        self._offer(self.list.value)

    def _offer(self, chosen: str) -> None:
        workspace = self._panel.panels.workspace
        active = workspace.active
        found = workspace.registry.stacks()
        options = [
            (each.name, f"● {each.name} (active)" if each.name == active else each.name) for each in found
        ]
        self.list.offer(options, chosen=chosen or active)
        self._show()

    def follow(self, change: Change) -> None:
        """Go where a change made in this kernel leads: to the stack that became active, or got another name."""
        chosen = self.list.value
        if change.type == "stack" and (change.verb == "set" or change.name == chosen):
            chosen = change.new_name or change.name
        self._offer(chosen)

    def view(self) -> Shown:
        """Return all stacks, and the chosen one with its last runs."""
        workspace = self._panel.panels.workspace
        listed = stack_view.stacks(workspace.registry.stacks(), active=workspace.active)
        spec = self._chosen()
        return listed if spec is None else join([listed, self._about(spec), self._ran(spec)])

    def _chosen(self) -> StackSpec | None:
        name = self.list.value
        return self._panel.panels.workspace.metadata.stack(name) if name else None

    def _show(self) -> None:
        spec = self._chosen()
        self._card.value = "" if spec is None else self._about(spec).html
        self._runs.value = "" if spec is None else self._ran(spec).html
        self.activate.disabled = spec is None or spec.name == self._panel.panels.workspace.active

    def _about(self, spec: StackSpec) -> View:
        active = spec.name == self._panel.panels.workspace.active
        return stack_view.stack(spec, active=active, unfit=_unfit(spec))

    def _ran(self, spec: StackSpec) -> Shown:
        return run_view.runs(self._panel.panels.workspace.metadata.runs(stack=spec.name, limit=RUNS))

    def _activate(self) -> None:
        name = self.list.value
        self._panel.panels.workspace.set(name)
        self._panel.message.say(f"steps run on stack '{name}' from now on.")


def _unfit(spec: StackSpec) -> str:
    """Return why a stack cannot be used; "" when it can."""
    try:
        check_stack(spec)
    except ZennbError as error:
        return error.message
    return ""
