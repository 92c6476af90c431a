"""Owns the kinds of panels: each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.jupyter.panels.kit.panels import Panels

__all__ = ["open_panel"]

KINDS = {
    "dashboard": "zennb.jupyter.panels.pages.dashboard:Dashboard",
    "picker": "zennb.jupyter.panels.pages.picker:StackPicker",
}
"""Kind → its class, imported when the panel is first asked for: ipywidgets takes its time."""


def open_panel(panels: Panels, kind: str) -> Panel:
    """Return the panel of a kind of this kernel: the same object each time."""
    module, _, name = KINDS[kind].partition(":")
    found: Panel = panels.get(getattr(import_module(module), name))
    return found
