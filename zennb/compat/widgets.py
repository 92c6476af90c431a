"""Owns which widgets a frontend shows by their id, and whether their text says all that they show."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_live"]

_MODULE = "ipywidgets.widgets.widget"

_PLAIN = frozenset(
    f"ipywidgets.widgets.{each}"
    for each in (
        *("widget_box.Box", "widget_box.HBox", "widget_box.VBox", "widget_box.GridBox"),
        *("widget_float.FloatProgress", "widget_int.IntProgress"),
        *("widget_string.HTML", "widget_string.HTMLMath", "widget_string.Label"),
    )
)
"""What progress bars consist of. Their text shows the same, and nobody can do anything with them."""


def is_live(model_id: str) -> bool:
    """Whether a frontend shows more of a widget than its text, or one can do something with it."""
    module: Any = sys.modules.get(_MODULE)
    # The public `Widget.widgets` warns since ipywidgets 8.
    known = getattr(module, "_instances", None) or getattr(getattr(module, "Widget", None), "widgets", {})
    widget = known.get(model_id)
    return widget is None or not _is_plain(widget)


def _is_plain(widget: Any) -> bool:
    cls = type(widget)
    if f"{cls.__module__}.{cls.__qualname__}" not in _PLAIN:
        return False
    return all(map(_is_plain, getattr(widget, "children", ())))
