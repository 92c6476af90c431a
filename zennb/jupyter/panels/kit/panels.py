"""Owns `Panels`: the panels of one kernel, one of each kind, and the lock that they share."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from zennb import api
from zennb.commands.session import Session
from zennb.views.view import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.jupyter.kernel.run_monitor import RunMonitor
    from zennb.registry.changes import Change
    from zennb.registry.workspace import Workspace

__all__ = ["KernelPanel", "PanelSession", "Panels"]


class PanelSession(Session, Protocol):
    """The notebook session of a kernel, with what only panels use."""

    @property
    def busy(self) -> bool:
        """Whether a cell runs just now."""

    @property
    def monitor(self) -> RunMonitor:
        """The active runs."""


class KernelPanel(Shown, Protocol):
    """A panel as the kernel uses it; `Panel` implements it."""

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Do something; an error is shown in the panel."""

    def cell_ran(self) -> None:
        """React to the end of a cell."""

    def changed(self, change: Change) -> None:
        """React to a change of a stack or component."""

    def close(self) -> None:
        """Close the widgets."""


KINDS = {
    "dashboard": "zennb.jupyter.panels.pages.dashboard:Dashboard",
    "picker": "zennb.jupyter.panels.pages.picker:StackPicker",
}
"""Kind → its class, imported when the panel is first opened: importing ipywidgets is slow."""


class Panels:
    """The panels of a kernel, each built when it is first opened.

    Attributes:
        session: the notebook session of this kernel.
        lock: held while a panel reads or changes its widgets. Take it before the session's lock, never after: the
            other order can deadlock.

    Args:
        session: the notebook session of this kernel.
    """

    def __init__(self, session: PanelSession) -> None:
        self.session = session
        self.lock = threading.RLock()
        self._panels: dict[str, KernelPanel] = {}
        self._followed: Workspace | None = None
        self._stop: Callable[[], None] = lambda: None

    @property
    def workspace(self) -> Workspace:
        """The process's workspace; panels follow its changes from the first access on."""
        found = api.workspace()
        with self.lock:
            if found is not self._followed:
                self._stop()
                self._followed, self._stop = found, found.on_change(self._changed)
        return found

    def open(self, kind: str) -> KernelPanel:
        """Return this kernel's panel of a kind, `dashboard` or `picker`: the same object each time."""
        with self.lock:
            if kind not in self._panels:
                module, _, name = KINDS[kind].partition(":")
                self._panels[kind] = getattr(import_module(module), name)(self)
            return self._panels[kind]

    def hold(self, kind: str, panel: KernelPanel) -> None:
        """Keep a panel that was made elsewhere, in place of an earlier one of its kind, which is closed."""
        with self.lock:
            earlier, self._panels[kind] = self._panels.get(kind), panel
            if earlier is not None:
                earlier.close()

    def close(self) -> None:
        """Close all panels and stop following changes."""
        with self.lock:
            self._stop()
            self._followed, self._stop = None, lambda: None
            panels, self._panels = list(self._panels.values()), {}
            for panel in panels:
                panel.close()

    def cell_ran(self, _result: object = None) -> None:
        """Notify the panels that a cell has ended; called by the shell's event `post_run_cell`."""
        with self.lock:
            for panel in tuple(self._panels.values()):
                panel.attempt(panel.cell_ran)

    def _changed(self, change: Change) -> None:
        with self.lock:
            for panel in tuple(self._panels.values()):
                panel.attempt(lambda panel=panel: panel.changed(change))  # type: ignore[misc]
