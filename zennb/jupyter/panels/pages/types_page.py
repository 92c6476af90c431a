"""Owns the page of a panel that shows all component types."""

from __future__ import annotations

from zennb.commands.verbs.general import types_view
from zennb.jupyter.panels.kit.arrange import html

__all__ = ["TypesPage"]


class TypesPage:
    """Every component type: what it is for, the flavors available here, and which are not supported yet."""

    def __init__(self) -> None:
        self.widget = html()

    def refresh(self) -> None:
        """Look up what is installed."""
        self.widget.value = types_view().html
