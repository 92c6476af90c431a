"""Owns the panels of one kernel: each kind once, and what they share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from zennb import api

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.jupyter.kernel.pipeline import PipelineSession
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.registry.changes import Change
    from zennb.registry.workspace import Workspace

__all__ = ["Panels"]

P = TypeVar("P", bound="Panel")


class Panels:
    """The panels of a kernel, made when first asked for.

    Attributes:
        session: the notebook session, for what only it knows.
        lock: held while a panel reads or changes its widgets. Whoever holds it may take the session's lock, never
            the other way round.

    Args:
        session: the notebook session of this kernel.
    """

    def __init__(self, session: PipelineSession) -> None:
        self.session = session
        self.lock = threading.RLock()
        self._panels: dict[str, Panel] = {}
        self._followed: Workspace | None = None
        self._stop: Callable[[], None] = lambda: None

    @property
    def workspace(self) -> Workspace:
        """The process's workspace; its changes are followed from the first time it is asked for."""
        found = api.workspace()
        with self.lock:
            if found is not self._followed:
                self._stop()
                self._followed, self._stop = found, found.on_change(self._changed)
        return found

    @property
    def busy(self) -> bool:
        """Whether a cell runs just now."""
        return self.session.busy

    def get(self, kind: type[P]) -> P:
        """Return the one panel of a kind; the same object each time."""
        with self.lock:
            found = self._panels.get(kind.kind)
            if not isinstance(found, kind):
                found = self._panels[kind.kind] = kind(self)
            return found

    def close(self) -> None:
        """Close all panels and follow changes no longer."""
        with self.lock:
            self._stop()
            self._followed, self._stop = None, lambda: None
            panels, self._panels = list(self._panels.values()), {}
            for panel in panels:
                panel.close()

    def cell_ran(self, _result: object = None) -> None:
        """Tell the panels that a cell has ended; the shell's event `post_run_cell` calls it."""
        with self.lock:
            for panel in tuple(self._panels.values()):
                panel.attempt(panel.cell_ran)

    def _changed(self, change: Change) -> None:
        with self.lock:
            for panel in tuple(self._panels.values()):
                panel.attempt(lambda panel=panel: panel.changed(change))  # type: ignore[misc]
