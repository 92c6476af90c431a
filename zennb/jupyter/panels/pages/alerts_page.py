"""Owns the page of alerts: the alerters, what they delivered lately, and what is waiting to be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.engine.delivery.outbox import Outbox
from zennb.jupyter.panels.kit.arrange import bar, group, html, toggle
from zennb.jupyter.panels.pages.services import components_of
from zennb.views.messages import delivered, waiting
from zennb.views.view import join

if TYPE_CHECKING:
    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.table import Table
    from zennb.views.view import Shown

__all__ = ["AlertsPage"]


class AlertsPage:
    """The registered alerters, their last messages, and those that were not delivered.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.send = panel.button("Send again", self._send, tip="Send what is waiting, the oldest first")
        self._alerters, self._waiting, self._sent = html(), html(), html()
        self._tools = bar(self.send)
        self.widget = group(self._alerters, self._waiting, self._tools, self._sent)

    def refresh(self) -> None:
        """Look up again what was sent."""
        alerters, kept, sent = self._tables()
        self._alerters.value, self._waiting.value, self._sent.value = alerters.html, kept.html, sent.html
        toggle(self._tools, shown=bool(kept.data))

    def follow(self) -> None:
        """Show messages as they are sent, once nothing runs: while it does, this is called five times a second."""
        if not self._panel.panels.session.monitor.runs:
            self.refresh()

    def view(self) -> Shown:
        """Return what is shown."""
        return join(list(self._tables()))

    def _tables(self) -> tuple[Table, Table, Table]:
        workspace = self._panel.panels.workspace
        outbox = Outbox(workspace.home)
        kept = [each for each in outbox.pending() if each.type == "alerter"]
        sent = [each for each in outbox.sent(limit=100) if each.type == "alerter"]
        return components_of(workspace, "alerter"), waiting(kept), delivered(sent[:20])

    def _send(self) -> None:
        self._panel.run(["sync"])
        self.refresh()
