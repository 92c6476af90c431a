"""Owns what releases of IPython and ipykernel tell differently: of a cell that ran, and of a widget's messages.

JupyterLab sends the messages of widgets to a thread of the kernel that is not the one running cells. Since 7.4,
ipykernel sends them on to the thread that used the widget last, so that a cell may wait for a widget's reply; for
widgets made in a cell that is the cell's own thread, which is busy. Panels wait for no reply and say so.
"""

from __future__ import annotations

from typing import Any

__all__ = ["answers_at_once", "completed", "request_of"]


def answers_at_once(widget: Any) -> None:
    """Let the messages of a widget and of all in it be handled where the frontend sends them, also while a cell runs.

    Without the name nothing is rerouted, as before ipykernel 7.4; or what is done in a panel waits for the cell.
    """
    comm = getattr(widget, "comm", None)
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None  # noqa: SLF001 - there is no public way
    for child in getattr(widget, "children", ()):
        answers_at_once(child)


def request_of(shell: Any) -> object:
    """Return the id of the message that a kernel answers just now: a cell and those that it runs itself have one.

    It is None in a terminal, and where ipykernel calls it otherwise.
    """
    parent = getattr(shell, "parent_header", None)
    if not isinstance(parent, dict):
        return None
    header = parent.get("header")
    return (header if isinstance(header, dict) else parent).get("msg_id")


def completed(result: Any, shell: Any) -> Any:
    """Return what the shell says of a cell that has ended, with its number and its text as Python.

    IPython 8 says neither. The number is that before the one the next cell gets; the text is transformed once more, and
    stays as typed where that fails.
    """
    info = getattr(result, "info", None)
    if info is None:
        return result
    if result.execution_count is None and info.store_history:
        result.execution_count = shell.execution_count - 1
    if not hasattr(info, "transformed_cell"):
        try:
            info.transformed_cell = shell.transform_cell(info.raw_cell or "")
        except Exception:  # noqa: BLE001 - transformers raise what they like
            info.transformed_cell = info.raw_cell
    return result
