"""Owns the ways into this kernel's panels: by kind, and by the names that code uses."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from zennb.errors import UsageError

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.jupyter.panels.kit.panels import Panels

__all__ = ["Dashboard", "StackPicker", "open_panel"]

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


def Dashboard() -> Panel:  # noqa: N802 - reads as the widget that it is
    """Return the dashboard of this kernel; as the last line of a cell it shows itself.

    Raises:
        UsageError: there is no IPython shell.
    """
    return open_panel(_panels(), "dashboard")


def StackPicker() -> Panel:  # noqa: N802 - reads as the widget that it is
    """Return the stack picker of this kernel; as the last line of a cell it shows itself.

    Raises:
        UsageError: there is no IPython shell.
    """
    return open_panel(_panels(), "picker")


def _panels() -> Panels:
    from zennb.jupyter.kernel import extension

    shell = get_ipython()
    if shell is None:
        raise UsageError("panels need a notebook; in a terminal type `zennb stack list`.")
    extension.load(shell)
    found: Panels = shell.zennb_hooks.pipeline.panels  # type: ignore[attr-defined]  # the extension put it there
    return found
