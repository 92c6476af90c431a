"""Owns how a widget of ipywidgets is found by the id of its model, without importing ipywidgets, and what it shows."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_live", "live_widget", "open_output"]

_PLAIN = frozenset(
    f"ipywidgets.widgets.{each}"
    for each in (
        *("widget_box.Box", "widget_box.HBox", "widget_box.VBox", "widget_box.GridBox"),
        *("widget_float.FloatProgress", "widget_int.IntProgress", "widget_output.Output"),
        *("widget_string.HTML", "widget_string.HTMLMath", "widget_string.Label"),
    )
)
"""What progress bars consist of. Their text shows the same, and nobody can do anything with them.

What is displayed in an output widget is recorded by itself.
"""


def _widgets() -> dict[str, Any] | None:
    """Return the widgets of this process by model; None if the library is not loaded or keeps them elsewhere."""
    module: Any = sys.modules.get("ipywidgets.widgets.widget")
    found = getattr(module, "_instances", None)
    if found is None:  # before ipywidgets 8, whose `Widget.widgets` warns
        found = getattr(getattr(module, "Widget", None), "widgets", None)
    return found if isinstance(found, dict) else None


def live_widget(model_id: object) -> Any:
    """Return the widget with a model; None if there is none."""
    return (_widgets() or {}).get(str(model_id))


def open_output() -> str:
    """Return the id of the output widget that takes what is displayed now; "" if none does."""
    for number, widget in tuple((_widgets() or {}).items()):
        if type(widget).__name__ == "Output" and getattr(widget, "msg_id", None):
            return number
    return ""


def is_live(model_id: str) -> bool:
    """Whether a frontend shows more of a widget than its text, or one can do something with it."""
    known = _widgets()
    if known is None:
        return True
    return model_id in known and not _is_plain(known[model_id])  # it is not there if it was closed


def _is_plain(widget: Any) -> bool:
    cls = type(widget)
    # A bar of tqdm is a box of its own class; what a class of the notebook does nobody knows.
    base = next((each for each in cls.__mro__ if each.__module__.startswith("ipywidgets.")), cls)
    if cls.__module__ == "__main__" or f"{base.__module__}.{base.__qualname__}" not in _PLAIN:
        return False
    return all(map(_is_plain, getattr(widget, "children", ())))
