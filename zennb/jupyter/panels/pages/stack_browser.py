"""Owns the browser of stacks: a list, the selected stack with its last runs, and its actions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.component_types import component_type
from zennb.jupyter.panels.kit.arrange import bar, columns, group, html
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.form_host import Confirmation, FormHost, NameForm
from zennb.jupyter.panels.pages.stack_form import StackForm
from zennb.registry.flavors import why_unfit
from zennb.registry.home import abbreviated
from zennb.views import run as run_view
from zennb.views import stack as stack_view
from zennb.views.markup import muted, name
from zennb.views.text import plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import StackSpec
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.registry.changes import Change
    from zennb.views.view import Shown

__all__ = ["StackBrowser"]

RUNS = 5
"""Last runs shown of a stack."""

MANY = 1000
"""Runs of a stack counted before it is deleted; beyond that the message says `1,000 or more`."""


class StackBrowser:
    """The stacks of the workspace; part of a panel.

    Args:
        panel: the panel it is part of.
        all_runs: goes to the list of all runs on a stack; None where there is no such list.
    """

    def __init__(self, panel: Panel, *, all_runs: Callable[[str], object] | None = None) -> None:
        self._panel = panel
        self.list = Choice("Stacks", on_choose=panel.does(self._chose), rows=8)
        self.form_host = FormHost(panel)
        self.form = StackForm(panel, self.form_host, on_done=self._offer)
        self.naming = NameForm(panel, self.form_host)
        self.confirmation = Confirmation(panel, self.form_host)
        self.activate = panel.button(
            "Activate", self._activate, style="primary", tip="Run steps on this stack from now on"
        )
        self.new = panel.button("New stack", self.form.create, tip="Compose a stack")
        self.edit = panel.button("Edit", self._edit, tip="Exchange its components")
        self.copy = panel.button("Copy", self._copy, tip="Register one of the same components")
        self.rename = panel.button("Rename", self._rename, tip="Give it another name")
        self.delete = panel.button("Delete", self._delete, tip="Delete it, after a question")
        self._card, self._runs, self._last = html(), html(), html()
        buttons = bar(self.activate, self.new, self.edit, self.copy, self.rename, self.delete)
        main = [self._card, buttons, self.form_host.widget, self._last, self._runs]
        if all_runs is not None:
            tip = "Go to the list of all runs on the stack that is chosen"
            self.all_runs = panel.button("All runs on this stack", lambda: all_runs(self.list.value), tip=tip)
            main.append(bar(self.all_runs))
        self.widget = columns(group(self.list.widget), group(*main))

    def refresh(self) -> None:
        """Look up the stacks again; keep the selection and what the user is typing."""
        self._offer(self.list.value)
        self.form.refresh()

    def open(self, name: str) -> None:
        """Choose a stack.

        Raises:
            UnknownName: it is not registered any more.
        """
        self._panel.panels.workspace.registry.stack(name)
        self._offer(name)

    def follow(self) -> None:
        """Show the runs that have begun or ended since."""
        self.refresh()

    def changed(self, change: Change) -> None:
        """After a change made in this kernel, go to the stack that became active or was renamed."""
        chosen = self.list.value
        if change.type == "stack" and (change.verb == "set" or change.name == chosen):
            chosen = change.new_name or change.name
        self._offer(chosen)
        self.form.refresh()

    def view(self) -> Shown:
        """Return all stacks, and the chosen one with its last runs."""
        workspace = self._panel.panels.workspace
        listing = stack_view.stacks(workspace.registry.stacks(), active=workspace.active)
        spec = self._chosen()
        return listing if spec is None else join([listing, self._about(spec), self._ran(spec)])

    def _offer(self, chosen: str) -> None:
        workspace = self._panel.panels.workspace
        active = workspace.active
        options = [
            (each.name, f"● {each.name} (active)" if each.name == active else each.name)
            for each in workspace.registry.stacks()
        ]
        self.list.offer(options, chosen=chosen or active)
        self._show()

    def _chosen(self) -> StackSpec | None:
        name = self.list.value
        return self._panel.panels.workspace.metadata.stack(name) if name else None

    def _chose(self) -> None:
        self.form_host.leave_to(self.form if self.form.is_new else None)
        self._show()

    def _show(self) -> None:
        spec = self._chosen()
        self._last.value = "" if spec is None else muted(f"Last runs on {name(spec.name)}")
        self._card.value = "" if spec is None else self._about(spec).html
        self._runs.value = "" if spec is None else self._ran(spec).html
        is_active = spec is not None and spec.name == self._panel.panels.workspace.active
        self.activate.description = "Active" if is_active else "Activate"
        self.activate.button_style = "" if is_active else "primary"
        for button in (self.activate, self.edit, self.copy, self.rename, self.delete):
            button.disabled = spec is None

    def _about(self, spec: StackSpec) -> View:
        active = spec.name == self._panel.panels.workspace.active
        links = self._panel.panels.workspace.dashboards(spec)
        places = abbreviated(self._panel.panels.workspace.places(spec))
        return stack_view.stack(spec, active=active, unfit=why_unfit(spec), links=links, places=places)

    def _ran(self, spec: StackSpec) -> Shown:
        found = run_view.runs(self._panel.panels.workspace.metadata.runs(stack=spec.name, limit=RUNS))
        kept = [column for column in found.columns if column.key not in {"stack", "kind"}]
        return replace(found, columns=kept)

    def _activate(self) -> None:
        name = self.list.value
        problem = self._panel.run(["stack", "set", name]).sentence
        is_busy = self._panel.panels.session.busy
        later = " A run that is under way ends on the stack it began with." if is_busy else ""
        self._panel.message.say(f"steps run on stack '{name}' from now on.{later}{problem and ' ' + problem}")

    def _edit(self) -> None:
        self.form.edit(self._panel.panels.workspace.registry.stack(self.list.value))

    def _copy(self) -> None:
        source = self.list.value

        def copy(target: str) -> None:
            self._panel.run(["stack", "copy", source, target])
            self._offer(target)

        self.naming.ask("stack", f"A copy of stack '{source}', called", copy, verb="Copy")

    def _rename(self) -> None:
        old = self.list.value

        def rename(new: str) -> None:
            self._panel.run(["stack", "rename", old, new])

        self.naming.ask("stack", f"Another name for stack '{old}'", rename, verb="Rename", name=old)

    def _delete(self) -> None:
        name = self.list.value
        spec = self._panel.panels.workspace.registry.stack(name)
        number = len(self._panel.panels.workspace.metadata.runs(stack=name, limit=MANY))
        runs = f"{plural(number, 'run')}{' or more' if number == MANY else ''}" if number else "No run"
        verb = "were" if number > 1 else "was"
        parts = ", ".join(
            f"{component_type(kind).title} '{part.name}'" for kind, part in spec.components.items()
        )
        self.confirmation.ask(
            f"Delete stack '{name}'?",
            f"{runs} {verb} made on it; runs and artifacts stay, and so do its components ({parts}).",
            lambda: self._panel.run(["stack", "delete", name]),
        )
