"""Owns `OptionField`: the field of one option of a flavor, with default and help, checked while the user types."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ipywidgets import Dropdown, Text
from traitlets import Unicode

from zennb.errors import ZennbError
from zennb.jupyter.panels.kit.field import LABEL, Field
from zennb.jupyter.panels.kit.reference import SecretField

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.component import Component
    from zennb.components.configured import Option

__all__ = ["OptionField"]


class OptionField(Field):
    """The field of one option of a flavor; empty means the default.

    Args:
        option: the option.
        flavor: its class, which validates the value.
        on_change: called after a change was checked.
    """

    def __init__(self, option: Option, flavor: type[Component], *, on_change: Callable[[], object]) -> None:
        self.option, self._flavor, self._tell = option, flavor, on_change
        super().__init__(_control(option), help=_help(option), on_change=self._check)
        if isinstance(self.control, SecretField):
            self.control.observe(self._changed, "refused")

    def fill(self, text: str) -> None:
        """Set the option's text without calling `on_change`; "" for its default."""
        self.put(text)
        self.refuse(self.problem())

    def problem(self) -> str:
        """Return what is wrong with the value, in the command's words; "" if it is valid."""
        refused = isinstance(self.control, SecretField) and self.control.refused
        text = "not a reference" if refused else self.value
        if not text:
            return ""
        try:
            self._flavor(name="").configure(self.option.name, text)
        except ZennbError as error:
            return error.message
        return ""

    def _check(self) -> None:
        self.explain(_help(self.option, self.value))
        self.refuse(self.problem())
        self._tell()


def _control(option: Option) -> Any:
    label = {"description": f"{option.name} *" if option.required else option.name, "style": LABEL}
    if option.secret:
        return SecretField(**label)
    if option.choices:
        default = f"default ({option.default})" if option.default else "default"
        return Dropdown(options=[(default, ""), *((each, each) for each in option.choices)], **label)
    return Text(placeholder=option.default, **label)


def _help(option: Option, value: str = "") -> str:
    """Return an option's help with its type and default, and a note if its environment variable is not set."""
    default = "required" if option.required else f"default: `{option.default}`" if option.default else ""
    kind = "" if option.choices or option.secret or isinstance(option.trait, Unicode) else option.allowed
    more = ", ".join(part for part in (kind, default) if part)
    text = f"{option.help} ({more})" if more else option.help
    variable = value.removeprefix("env:") if option.secret and value.startswith("env:") else ""
    if variable and variable not in os.environ:
        return f"{text} `{variable}` is not set in this kernel now."
    return text
