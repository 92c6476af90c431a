"""Owns the form that composes a stack: a name, one component per type, and whether they fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.component_types import COMPONENT_TYPES, REQUIRED_TYPES
from zennb.errors import NameTaken, UsageError, ZennbError
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.field import text_field
from zennb.jupyter.panels.kit.message import failure, in_a_cell, success
from zennb.registry.flavors import made
from zennb.registry.names import checked_name, name_problem
from zennb.views.markup import escape, strong

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.core.records.records import StackSpec
    from zennb.jupyter.panels.kit.form_host import FormHost
    from zennb.jupyter.panels.kit.panel import Panel

__all__ = ["StackForm"]

TITLES = {kind.name: kind.title for kind in COMPONENT_TYPES}
COMMANDS = {kind.name: kind.command for kind in COMPONENT_TYPES}


class StackForm:
    """Registers a new stack, or exchanges components of one that is registered.

    Args:
        panel: the panel it is part of.
        form_host: where it opens.
        on_done: called with the name of what was registered or changed.
    """

    def __init__(self, panel: Panel, form_host: FormHost, *, on_done: Callable[[str], object]) -> None:
        self._panel, self._form_host, self._on_done = panel, form_host, on_done
        self._edited: StackSpec | None = None
        self._title, self._fit, self._command = html(), html(classes="zennb-note"), html()
        self.name = text_field("Name *", on_change=panel.does(self._typed))
        self.name.on_enter(panel.does(self._save))
        self.parts = {kind: self._part(kind) for kind in TITLES}
        self.go = panel.button("Register", self._save, style="primary")
        self.use = panel.button("Register and activate", self._go_and_use)
        self.cancel = panel.button("Cancel", form_host.leave)
        self._rows = group()
        self.widget = group(
            self._title,
            self.name.widget,
            self._rows,
            self._fit,
            bar(self.go, self.use, self.cancel),
            self._command,
            classes="zennb-box",
        )

    def create(self) -> None:
        """Open for a new stack, preset with the components of the active one."""
        self._begin(None, "New stack", "Register")

    def edit(self, spec: StackSpec) -> None:
        """Open for the components of a registered stack."""
        self._begin(spec, f"Components of stack '{spec.name}'", "Save")

    @property
    def is_new(self) -> bool:
        """Whether it is about something that is not registered yet."""
        return self._edited is None

    def focus(self) -> None:
        """Focus its first control."""
        first = self.name.control if self._edited is None else self.parts[REQUIRED_TYPES[0]].widget
        first.focus()

    def refresh(self) -> None:
        """Look up the components again; keep the selection and what the user is typing."""
        if self._form_host.form is self:
            self._offer({kind: part.value for kind, part in self.parts.items()})
            self._check()

    def _begin(self, edited: StackSpec | None, title: str, verb: str) -> None:
        self._edited = edited
        self._title.value = strong(escape(title))
        self.go.description = self.go.tooltip = verb
        self.use.description = self.use.tooltip = f"{verb} and activate"
        self.name.control.disabled = edited is not None
        self.name.put(edited.name if edited is not None else "")
        self.name.refuse("")
        workspace = self._panel.panels.workspace
        like = edited or workspace.metadata.stack(workspace.active)
        parts = like.components if like is not None else {}
        self._offer({kind: parts[kind].name if kind in parts else "" for kind in self.parts})
        self._check()
        self._form_host.open(self)

    def _part(self, kind: str) -> Choice:
        title = TITLES[kind].capitalize() + (" *" if kind in REQUIRED_TYPES else "")
        return Choice(title, on_choose=self._panel.does(self._check), in_form=True)

    def _offer(self, chosen: dict[str, str]) -> None:
        """Offer the registered components of each type; types without any are left out."""
        known: dict[str, list[tuple[str, str]]] = {}
        for spec in self._panel.panels.workspace.registry.components():
            known.setdefault(spec.type, []).append((spec.name, f"{spec.name} ({spec.flavor})"))
        for kind, part in self.parts.items():
            none = [] if kind in REQUIRED_TYPES else [("", "none")]
            part.offer([*none, *known.get(kind, [])], chosen=chosen[kind])
        self._rows.children = [part.widget for kind, part in self.parts.items() if kind in known]

    def _components(self) -> dict[str, str]:
        return {kind: part.value for kind, part in self.parts.items() if part.value}

    def _typed(self) -> None:
        self.name.refuse(name_problem("stack", self.name.value) if self.name.value else "")
        self._show_command()

    def _check(self) -> None:
        """Show whether the components fit together."""
        self._show_command()
        try:
            spec = self._panel.panels.workspace.registry.check(self.name.value or "it", self._components())
        except ZennbError as error:
            self._fit.value = failure(error.message)
            self.go.disabled = self.use.disabled = True
            return
        orchestrator, store = made(spec.orchestrator), made(spec.artifact_store)
        self._fit.value = success(
            f"fits: steps run {orchestrator.visibility.words}, and artifacts can be reached {store.visibility.words}."
        )
        self.go.disabled = self.use.disabled = False

    def _show_command(self) -> None:
        self._command.value = in_a_cell(self._words(self.name.value or "NAME"))

    def _words(self, name: str) -> list[str]:
        """Return the equivalent command."""
        arguments = self._components()
        before = {} if self._edited is None else {k: part.name for k, part in self._edited.components.items()}
        changed = [
            f"--{COMMANDS[kind]}={part}" for kind, part in arguments.items() if before.get(kind) != part
        ]
        gone = [word for kind in before if kind not in arguments for word in ("--remove", COMMANDS[kind])]
        return ["stack", "register" if self._edited is None else "update", name, *changed, *gone]

    def _go_and_use(self) -> None:
        name = self.name.value
        done = "registered" if self._edited is None else "updated"
        if self._save():
            self._panel.run(["stack", "set", name])
            self._panel.message.say(f"stack '{name}' {done}, and active from now on.")

    def _save(self) -> bool:
        name = self.name.value
        try:
            checked_name("stack", name)
            self._panel.run(self._words(name))
        except (NameTaken, UsageError) as error:
            self.name.refuse(error.message)
            self.name.focus()
            return False
        self._form_host.leave()
        self._on_done(name)
        return True
