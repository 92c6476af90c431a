"""Owns `widget_text`: the last state of a widget in words, for when its model is gone."""

from __future__ import annotations

import html
import re
from typing import Any

from zennb.compat.instances import error_text

__all__ = ["widget_text"]

_WIDE = 20
"""Characters of a progress bar."""

_DEEPEST = 8


def widget_text(widget: Any) -> str | None:
    """Return what a widget shows: a bar with its numbers, a text, the name of a control with its value.

    It is None for one that shows nothing any more: it was closed, or what it shows is recorded beside it.
    """
    try:
        text = _text(widget, 0)
    except Exception as error:  # noqa: BLE001 - widgets of others may do anything when they are looked at
        return f"{type(widget).__name__} ({error_text(error)})"
    return text or None


def _text(widget: Any, depth: int) -> str:
    kind = type(widget).__name__
    if depth > _DEEPEST or _is_gone(widget):
        return ""
    children = getattr(widget, "children", None)
    if isinstance(children, list | tuple):
        parts = [part for part in (_text(each, depth + 1) for each in children) if part]
        text = ("\n" if kind == "VBox" else " ").join(parts)
        return re.sub(r" (\S+/\S+) \1(?=\s|$)", r" \1", text)  # tqdm says beside its bar how far it is
    if kind == "Output":
        return ""
    value = getattr(widget, "value", None)
    label = str(getattr(widget, "description", "") or "")
    if "Progress" in kind:
        return " ".join(part for part in (label, _bar(widget)) if part)
    if kind.startswith(("HTML", "Label")):
        text = html.unescape(re.sub(r"<[^>]*>", "", str(value or ""))).replace("\xa0", " ").strip()
        return " ".join(part for part in (label, text) if part)
    shown = f"{kind}({label!r})" if label else kind
    return shown if value is None else f"{shown}: {str(value)[:200]}"


def _is_gone(widget: Any) -> bool:
    layout = getattr(widget, "layout", None)
    hidden = getattr(layout, "visibility", None) == "hidden" or getattr(layout, "display", None) == "none"
    return hidden or getattr(widget, "comm", True) is None


def _bar(widget: Any) -> str:
    low, high, value = (float(getattr(widget, name, 0) or 0) for name in ("min", "max", "value"))
    share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0
    full = round(share * _WIDE)
    return f"{'█' * full}{'░' * (_WIDE - full)} {value:g}/{high:g}"
