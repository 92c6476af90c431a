"""Owns the page of checks: the data validators, and what they found lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.arrange import group, html
from zennb.jupyter.panels.pages.services import components_of
from zennb.views.checks import last_checks
from zennb.views.view import join

if TYPE_CHECKING:
    from zennb.core.records.records import Step
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.view import Shown

__all__ = ["ChecksPage"]


class ChecksPage:
    """The registered data validators and the last checks of outputs.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._steps: list[Step] = []
        self._validators, self._checks = html(), html()
        self.widget = group(self._validators, self._checks)

    def refresh(self) -> None:
        """Look up again what was checked."""
        workspace = self._panel.panels.workspace
        self._steps = workspace.metadata.listings.checked()
        self._validators.value = components_of(workspace, "data_validator").html
        self._checks.value = last_checks(self._steps).html

    def follow(self) -> None:
        """Show checks as they are recorded, once nothing runs: while it does, this is called five times a second."""
        if not self._panel.panels.session.monitor.runs:
            self.refresh()

    def view(self) -> Shown:
        """Return what is shown."""
        return join([components_of(self._panel.panels.workspace, "data_validator"), last_checks(self._steps)])
