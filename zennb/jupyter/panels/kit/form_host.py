"""Owns `FormHost`: the part of a panel that shows one form at a time; and the forms for a name and a confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ipywidgets import VBox

from zennb.errors import ZennbError
from zennb.jupyter.panels.kit.arrange import bar, group, html
from zennb.jupyter.panels.kit.field import text_field
from zennb.registry.names import checked_name, name_problem
from zennb.views.markup import prose, strong

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Button, Widget

    from zennb.jupyter.panels.kit.panel import Panel

__all__ = ["Confirmation", "Form", "FormHost", "NameForm"]


class Form(Protocol):
    """A form."""

    @property
    def widget(self) -> Widget:
        """What is shown."""

    def focus(self) -> None:
        """Focus its first control."""


class FormHost:
    """Shows one form at a time; opening another closes the first.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.widget = VBox()
        self.form: Form | None = None
        self.opener: Button | None = None

    def open(self, form: Form) -> None:
        """Show a form, and focus it."""
        self.form, self.opener = form, self._panel.pressed
        self.widget.children = (form.widget,)
        form.focus()

    def close(self) -> None:
        """Close the form."""
        self.form = None
        self.widget.children = ()

    def leave_to(self, kept: Form | None) -> None:
        """Close the form, unless it is the one to keep: what it is about is not selected any more."""
        if self.form is not kept:
            self.close()

    def leave(self) -> None:
        """Close the form, and focus the button that opened it."""
        self.close()
        if self.opener is not None:
            self.opener.focus()


class NameForm:
    """Asks for a name; a problem with it is shown beside it.

    Args:
        panel: the panel it is part of.
        form_host: where it opens.
    """

    def __init__(self, panel: Panel, form_host: FormHost) -> None:
        self._form_host = form_host
        self._what = "stack"
        self._action: Callable[[str], object] = str
        self._title = html()
        self.name = text_field("Name", on_change=panel.does(self._check))
        self.name.on_enter(panel.does(self._go))
        self.go = panel.button("OK", self._go, style="primary")
        self.cancel = panel.button("Cancel", form_host.leave)
        self.widget = group(self._title, self.name.widget, bar(self.go, self.cancel), classes="zennb-box")

    def ask(
        self, what: str, title: str, action: Callable[[str], object], *, verb: str, name: str = ""
    ) -> None:
        """Open and ask.

        Args:
            what: what is named, as a word in messages: `stack`.
            title: the title of the form.
            action: called with the name; a `ZennbError` that it raises is shown beside the field.
            verb: the label of the button.
            name: the initial name.
        """
        self._what, self._action = what, action
        self._title.value, self.go.description, self.go.tooltip = strong(prose(title)), verb, verb
        self.name.put(name)
        self.name.refuse("")
        self._form_host.open(self)

    def focus(self) -> None:
        """Focus the field."""
        self.name.focus()

    def _check(self) -> None:
        self.name.refuse(name_problem(self._what, self.name.value) if self.name.value else "")

    def _go(self) -> None:
        try:
            checked_name(self._what, self.name.value)
            self._action(self.name.value)
        except ZennbError as error:
            self.name.refuse(error.message)
        else:
            self._form_host.leave()


class Confirmation:
    """Asks for confirmation, and shows the consequences.

    Args:
        panel: the panel it is part of.
        form_host: where it opens.
    """

    def __init__(self, panel: Panel, form_host: FormHost) -> None:
        self._form_host = form_host
        self._action: Callable[[], object] = lambda: None
        self._text = html()
        self.yes = panel.button("Delete", self._go, style="danger")
        self.no = panel.button("Keep", form_host.leave)
        self.widget = group(self._text, bar(self.no, self.yes), classes="zennb-box")

    @property
    def text(self) -> str:
        """What is asked, as HTML."""
        return str(self._text.value)

    def ask(self, question: str, consequences: str, action: Callable[[], object]) -> None:
        """Open and ask; the button that changes nothing has the focus."""
        self._text.value = f"<div>{strong(prose(question))}</div><div>{prose(consequences)}</div>"
        self._action = action
        self._form_host.open(self)

    def focus(self) -> None:
        """Focus `Keep`."""
        self.no.focus()

    def _go(self) -> None:
        self._form_host.leave()
        self._action()
