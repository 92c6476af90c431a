"""Owns the layout helpers of panels: bars, columns that fold on a narrow page, groups, and filter fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ipywidgets import HTML, HBox, Text, VBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipywidgets import Widget

__all__ = ["bar", "columns", "filter_field", "group", "html", "set_class", "toggle"]

W = TypeVar("W")


def bar(*widgets: Widget, classes: str = "zennb-bar") -> HBox:
    """Return widgets in a line; `classes` names classes of the style sheet, by default one that wraps the line."""
    return _styled(HBox(list(widgets)), classes)


def columns(side: Widget, main: Widget) -> HBox:
    """Return a narrow and a wide column; on a narrow page the wide one stands below."""
    return _styled(HBox([_styled(side, "zennb-side"), _styled(main, "zennb-main")]), "zennb-columns")


def group(*widgets: Widget, classes: str = "") -> VBox:
    """Return widgets one below the other; `classes` names classes of the style sheet."""
    return _styled(VBox(list(widgets)), classes)


def html(value: str = "", *, classes: str = "") -> HTML:
    """Return a widget for HTML that is escaped already; `classes` names classes of the style sheet."""
    return _styled(HTML(value), classes)


def filter_field(title: str, placeholder: str, on_change: Callable[..., None]) -> Text:
    """Return a short line of text above a listing; `on_change` is called when the line is left or Enter is pressed."""
    field = Text(description=title, placeholder=placeholder, continuous_update=False)
    field.style.description_width = "initial"
    field.observe(on_change, "value")
    return field


def set_class(widget: Widget, name: str, *, on: bool) -> None:
    """Add a class of the style sheet to a widget, or remove it."""
    (widget.add_class if on else widget.remove_class)(name)


def toggle(widget: Widget, *, shown: bool) -> None:
    """Show a widget, or hide it so that it takes no room."""
    set_class(widget, "zennb-none", on=not shown)


def _styled(widget: W, classes: str) -> W:
    for name in classes.split():
        widget.add_class(name)  # type: ignore[attr-defined]  # ipywidgets ships no types
    return widget
