"""Owns `zennb.Dashboard` and `zennb.StackPicker`: the panels of this kernel, for code in cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython

from zennb.errors import UsageError
from zennb.jupyter.kernel import extension

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel

__all__ = ["Dashboard", "StackPicker"]


def Dashboard() -> Panel:  # noqa: N802 - reads as the widget that it is
    """Return the dashboard of this kernel; as the last line of a cell it shows itself.

    Raises:
        UsageError: there is no IPython shell.
    """
    return _panel("dashboard")


def StackPicker() -> Panel:  # noqa: N802 - reads as the widget that it is
    """Return the stack picker of this kernel; as the last line of a cell it shows itself.

    Raises:
        UsageError: there is no IPython shell.
    """
    return _panel("picker")


def _panel(kind: str) -> Panel:
    shell = get_ipython()
    if shell is None:
        raise UsageError("panels need a notebook; in a terminal type `zennb stack list`.")
    extension.load(shell)
    panel: Panel = shell.zennb_hooks.pipeline.panels.open(kind)  # type: ignore[attr-defined]  # set by the extension
    return panel
