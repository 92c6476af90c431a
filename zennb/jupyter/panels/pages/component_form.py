"""Owns the form that registers or changes a component: flavor, name, and one field per option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import plugins
from zennb.errors import InvalidConfiguration, MissingExtra, NameTaken, UsageError
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.choice import Choice
from zennb.jupyter.panels.kit.field import text_field
from zennb.jupyter.panels.kit.message import failure, in_a_cell
from zennb.jupyter.panels.kit.option_field import OptionField
from zennb.registry.names import name_problem
from zennb.views.markup import escape, prose, strong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.components.component import Component
    from zennb.core.records.component_types import ComponentType
    from zennb.core.records.records import ComponentSpec
    from zennb.jupyter.panels.kit.field import Field
    from zennb.jupyter.panels.kit.form_host import FormHost
    from zennb.jupyter.panels.kit.panel import Panel

__all__ = ["ComponentForm"]


class ComponentForm:
    """Registers a new component of a type, or changes the options of one that is registered.

    Args:
        panel: the panel it is part of.
        form_host: where it opens.
        on_done: called with what was registered or changed.
    """

    def __init__(
        self, panel: Panel, form_host: FormHost, *, on_done: Callable[[ComponentSpec], object]
    ) -> None:
        self._panel, self._form_host, self._on_done = panel, form_host, on_done
        self._kind: ComponentType
        self._edited: ComponentSpec | None = None
        self._fields_by_flavor: dict[tuple[str, str], dict[str, OptionField]] = {}
        self.fields: dict[str, OptionField] = {}
        self._title, self._about, self._command = html(), html(classes="zennb-about"), html()
        self.flavor = Choice("Flavor", on_choose=panel.does(lambda: self._show_fields({})), in_form=True)
        self.name = text_field("Name *", on_change=panel.does(self._typed))
        self.go = panel.button("Register", self._go, style="primary")
        self.cancel = panel.button("Cancel", form_host.leave)
        self._options = group()
        self.widget = group(
            self._title,
            self.flavor.widget,
            self._about,
            self.name.widget,
            self._options,
            bar(self.go, self.cancel),
            self._command,
            classes="zennb-box",
        )

    def create(self, kind: ComponentType, *, like: ComponentSpec | None = None) -> None:
        """Open for a new component, empty or with the options of another one."""
        self._begin(kind, None, f"New {kind.title}", "Register")
        flavors = self._panel.panels.workspace.registry.flavors(kind.name)
        labels = [(each.name, ": ".join(filter(None, (each.name, each.description)))) for each in flavors]
        self.flavor.offer(labels, chosen=like.flavor if like is not None else labels[0][0])
        self._show_fields(like.config if like is not None else {})
        self._form_host.open(self)

    def edit(self, kind: ComponentType, spec: ComponentSpec) -> None:
        """Open for the options of a registered component."""
        self._begin(kind, spec, f"Options of {kind.title} '{spec.name}'", "Save")
        self.flavor.offer([(spec.flavor, spec.flavor)])
        self._show_fields(spec.config)
        self._form_host.open(self)

    @property
    def is_new(self) -> bool:
        """Whether it is about something that is not registered yet."""
        return self._edited is None

    def focus(self) -> None:
        """Focus its first control."""
        first = next(iter(self.fields.values()), self.name) if self._edited else self.name
        first.focus()

    def _begin(self, kind: ComponentType, edited: ComponentSpec | None, title: str, verb: str) -> None:
        self._kind, self._edited = kind, edited
        self._title.value = strong(escape(title))
        self.go.description = self.go.tooltip = verb
        self.flavor.widget.disabled = self.name.control.disabled = edited is not None
        self.name.put(edited.name if edited is not None else "")
        self.name.refuse("")

    def _show_fields(self, texts: Mapping[str, str]) -> None:
        self.fields = {}
        try:
            flavor = plugins.load(self._kind.name, self.flavor.value)
        except MissingExtra as error:
            self._about.value, self.go.disabled = failure(error.message), True
        else:
            self._about.value, self.go.disabled = self._described(flavor), False
            self.fields = self._fields_of(flavor)
        for name, field in self.fields.items():
            field.fill(texts.get(name, ""))
        self._options.children = [field.widget for field in self.fields.values()]
        self._show_command()

    def _described(self, flavor: type[Component]) -> str:
        """Return the flavor's description, unless the menu shows it already."""
        known = self._panel.panels.workspace.registry.flavors(self._kind.name)
        is_described = any(each.description for each in known if each.name == flavor.flavor)
        return "" if is_described and self._edited is None else prose(flavor.description)

    def _fields_of(self, flavor: type[Component]) -> dict[str, OptionField]:
        """Return the fields of a flavor. They are created once, because new widgets would pile up in the kernel."""
        key = (flavor.type, flavor.flavor)
        if key not in self._fields_by_flavor:
            on_change = self._panel.does(self._show_command)
            self._fields_by_flavor[key] = {
                name: OptionField(option, flavor, on_change=on_change)
                for name, option in flavor.options().items()
            }
        return self._fields_by_flavor[key]

    def _typed(self) -> None:
        self.name.refuse(name_problem(self._kind.title, self.name.value) if self.name.value else "")
        self._show_command()

    def _config(self) -> dict[str, str]:
        return {name: field.value for name, field in self.fields.items() if field.value}

    def _show_command(self) -> None:
        self._command.value = in_a_cell(self._words(self.name.value or "NAME"))

    def _words(self, name: str) -> list[str]:
        """Return the equivalent command."""
        config = self._config()
        if self._edited is None:
            arguments = [f"--{key}={text}" for key, text in config.items()]
            return [self._kind.command, "register", name, f"--flavor={self.flavor.value}", *arguments]
        before = self._edited.config
        changed = [f"--{key}={text}" for key, text in config.items() if before.get(key) != text]
        unset = [word for key in before if key not in config for word in ("--remove", key)]
        return [self._kind.command, "update", name, *changed, *unset]

    def _go(self) -> None:
        name = self.name.value
        unusable = name_problem(self._kind.title, name)
        if unusable:
            self._refuse(self.name, unusable)
            return
        faulty = next((field for field in self.fields.values() if field.problem()), None)
        if faulty is not None:
            self._refuse(faulty, faulty.problem())
            return
        try:
            self._panel.run(self._words(name))
        except InvalidConfiguration as error:
            if error.option not in self.fields:
                raise
            self._refuse(self.fields[error.option], error.message)
        except (NameTaken, UsageError) as error:
            self._refuse(self.name, error.message)
        else:
            self._form_host.leave()
            self._on_done(self._panel.panels.workspace.registry.component(self._kind.name, name))

    def _refuse(self, field: Field, error: str) -> None:
        field.refuse(error)
        field.focus()
