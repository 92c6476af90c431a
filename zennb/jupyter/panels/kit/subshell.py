"""Owns that a panel answers while a cell runs: what a person does in it is handled beside the cell, not after it.

JupyterLab sends the messages of widgets to a thread of the kernel that is not the one running cells. Since 7.4,
ipykernel sends them on to the thread that used the widget last, so that a cell may wait for a widget's reply; for
widgets made in a cell that is the cell's own thread, which is busy. Panels wait for no reply and say so.
"""

from __future__ import annotations

from typing import Any

__all__ = ["answers_at_once"]


def answers_at_once(widget: Any) -> None:
    """Let the messages of a widget and of all in it be handled where the frontend sends them."""
    comm = getattr(widget, "comm", None)
    if comm is not None and hasattr(comm, "_reply_subshell_for"):  # elsewhere nothing is rerouted
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public way
    for child in getattr(widget, "children", ()):
        answers_at_once(child)
