"""Owns `Field`: one labelled control, and beside it its help or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, Box, Text

from zennb.jupyter.panels.kit.message import failure
from zennb.views.markup import prose

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LABEL", "Field", "text_field"]

LABEL = {"description_width": "130px"}
"""The style of a control in a form: all labels have the same width."""


class Field:
    """A control, and a note beside it: its help or an error.

    Args:
        control: a widget with a `value`; its `description` is the label.
        help: what it is for, one sentence.
        on_change: called when the value changes, except by `put`.
    """

    def __init__(self, control: Any, *, help: str = "", on_change: Callable[[], object]) -> None:  # noqa: A002 - the trait's word
        self.control, self._help, self._on_change = control, help, on_change
        self.error = ""
        self._note = HTML(value=prose(help))
        self._note.add_class("zennb-note")
        self.widget = Box([control, self._note])
        self.widget.add_class("zennb-field")
        self._quiet = False
        control.observe(self._changed, "value")

    @property
    def value(self) -> str:
        """The value of the control, as text."""
        return str(self.control.value or "")

    def put(self, value: str) -> None:
        """Set the value without calling `on_change`."""
        self._quiet = True
        try:
            self.control.value = value
        finally:
            self._quiet = False

    def explain(self, help: str) -> None:  # noqa: A002 - the trait's word
        """Replace the help."""
        self._help = help
        self.refuse(self.error)

    def focus(self) -> None:
        """Put the cursor into the control."""
        self.control.focus()

    def on_enter(self, action: Callable[..., object]) -> None:
        """Call `action` when Enter is pressed in the control."""

        def on_message(_widget: object, content: Any, _buffers: object) -> None:
            if content.get("event") == "submit":
                action()

        self.control.on_msg(on_message)

    def refuse(self, error: str) -> None:
        """Show an error in place of the help; "" shows the help again."""
        self.error = error
        self._note.value = failure(error) if error else prose(self._help)

    def _changed(self, _change: object) -> None:
        if not self._quiet:
            self._on_change()


def text_field(
    title: str,
    *,
    on_change: Callable[[], object],
    help: str = "",  # noqa: A002 - the trait's word
    placeholder: str = "",
) -> Field:
    """Return a field for a line of text; `on_change` is called while the user types."""
    control = Text(description=title, placeholder=placeholder, style=LABEL)
    return Field(control, help=help, on_change=on_change)
