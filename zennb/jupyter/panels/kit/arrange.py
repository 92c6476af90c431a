"""Owns how the widgets of a panel stand: in a bar, in columns that fold on a narrow page, in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipywidgets import HTML, HBox, VBox

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["bar", "columns", "group", "html", "toggle"]


def bar(*widgets: Widget, look: str = "zennb-bar") -> HBox:
    """Return widgets in a line, which wraps unless another class of the style sheet is given."""
    made = HBox(list(widgets))
    made.add_class(look)
    return made


def columns(side: Widget, main: Widget) -> HBox:
    """Return a narrow and a wide column; on a narrow page the wide one stands below."""
    side.add_class("zennb-side")
    main.add_class("zennb-main")
    made = HBox([side, main])
    made.add_class("zennb-columns")
    return made


def group(*widgets: Widget, look: str = "") -> VBox:
    """Return widgets one below the other; `look` is a class of the style sheet."""
    made = VBox(list(widgets))
    if look:
        made.add_class(look)
    return made


def html(value: str = "", *, look: str = "") -> HTML:
    """Return HTML that is escaped already; `look` is a class of the style sheet."""
    made = HTML(value)
    if look:
        made.add_class(look)
    return made


def toggle(widget: Widget, *, shown: bool) -> None:
    """Show a widget, or let it take no room."""
    if shown:
        widget.remove_class("zennb-none")
    else:
        widget.add_class("zennb-none")
