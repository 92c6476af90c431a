"""Owns the browser of components: a list of one type, the selected component, and its actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import plugins
from zennb.core.records.component_types import COMPONENT_TYPES, component_type
from zennb.jupyter.panels.kit.arrange import bar, columns, group, html
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.form_host import Confirmation, FormHost, NameForm
from zennb.jupyter.panels.pages.component_form import ComponentForm
from zennb.registry.names import listed
from zennb.views.view import View

if TYPE_CHECKING:
    from zennb.core.records.component_types import ComponentType
    from zennb.core.records.records import ComponentSpec
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["ComponentBrowser"]


class ComponentBrowser:
    """The registered components of the workspace; part of a panel.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.type = Choice("Type", on_choose=panel.does(self._typed))
        self.list = Choice("Components", on_choose=panel.does(self._chose), rows=8)
        self.form_host = FormHost(panel)
        self.form = ComponentForm(panel, self.form_host, on_done=lambda spec: self._list(spec.name))
        self.naming = NameForm(panel, self.form_host)
        self.confirmation = Confirmation(panel, self.form_host)
        self._card = html()
        self.new = panel.button("New component", self._new, tip="Register a component of this type")
        self.edit = panel.button("Edit", self._edit, tip="Change its options")
        self.copy = panel.button("Copy", self._copy, tip="Register another one with its options")
        self.rename = panel.button("Rename", self._rename, tip="Give it another name, in its stacks too")
        self.delete = panel.button("Delete", self._delete, tip="Delete it, after a question")
        buttons = bar(self.new, self.edit, self.copy, self.rename, self.delete)
        side = group(self.type.widget, self.list.widget)
        self.widget = columns(side, group(self._card, buttons, self.form_host.widget))

    @property
    def kind(self) -> ComponentType:
        """The type whose components are listed."""
        return component_type(self.type.value)

    def refresh(self) -> None:
        """Look up types and components again; keep the selection and what the user is typing."""
        known = plugins.all_flavors()
        self.type.offer([(kind.name, kind.title) for kind in COMPONENT_TYPES if kind.name in known])
        self._list(self.list.value)

    def open(self, kind: str, name: str) -> None:
        """Choose a component.

        Raises:
            UnknownName: it is not registered any more.
        """
        self._panel.panels.workspace.registry.component(kind, name)
        self.refresh()
        self.type.choose(kind)
        self._list(name)

    def follow(self) -> None:
        """Runs change no component."""

    def view(self) -> Shown:
        """Return the component that is shown, or all of its type."""
        spec = self._chosen()
        words = ["list"] if spec is None else ["describe", spec.name]
        return self._panel.run([self.kind.command, *words]).view or View("", "")

    def register(self, kind: ComponentType) -> None:
        """Go to a type and open the form for a new component."""
        self.refresh()
        self.type.choose(kind.name)
        self._new()

    def _typed(self) -> None:
        self.form_host.close()
        self._list("")

    def _list(self, chosen: str) -> None:
        found = self._panel.panels.workspace.registry.components(self.kind.name)
        self.list.offer([(spec.name, f"{spec.name} ({spec.flavor})") for spec in found], chosen=chosen)
        self._show()

    def _chose(self) -> None:
        self.form_host.leave_to(self.form if self.form.is_new else None)
        self._show()

    def _show(self) -> None:
        spec = self._chosen()
        for button in (self.edit, self.copy, self.rename, self.delete):
            button.disabled = spec is None
        self._card.value = self.view().html

    def _chosen(self) -> ComponentSpec | None:
        found = self._panel.panels.workspace.registry.components(self.kind.name)
        return next((spec for spec in found if spec.name == self.list.value), None)

    def _new(self) -> None:
        self.form.create(self.kind)

    def _edit(self) -> None:
        self.form.edit(self.kind, self._spec())

    def _copy(self) -> None:
        self.form.create(self.kind, like=self._spec())

    def _spec(self) -> ComponentSpec:
        return self._panel.panels.workspace.registry.component(self.kind.name, self.list.value)

    def _rename(self) -> None:
        old, kind = self.list.value, self.kind

        def rename(new: str) -> None:
            self._panel.run([kind.command, "rename", old, new])
            self._list(new)

        self.naming.ask(kind.title, f"Another name for {kind.title} '{old}'", rename, verb="Rename", name=old)

    def _delete(self) -> None:
        kind, spec = self.kind, self._spec()
        found = self._panel.panels.workspace.registry.describe_component(kind.name, spec.name)
        used = f"It is used by {listed(found.stacks)}, and stays as long as it is."
        uses = used if found.stacks else "No stack uses it."
        kept = f" What it keeps in {found.place} stays there." if found.place else ""
        self.confirmation.ask(
            f"Delete {kind.title} '{spec.name}'?",
            uses + kept,
            lambda: self._panel.run([kind.command, "delete", spec.name]),
        )
