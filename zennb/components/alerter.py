"""Owns the interface of alerters: `Alerter`, and `Alert`, a message that one sends."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.components.component import Component, Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Alert", "Alerter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A message about a step or a run.

    Attributes:
        event: `failure`, `success`, or `running` for one that goes on after a given time.
        title: one line: `step 'train' failed`.
        text: what happened, with run, notebook, duration and error; secrets are masked.
    """

    event: str
    title: str
    text: str


class Alerter(Component):
    """Sends messages to people.

    An implementation guarantees, and `zennb.testing.alerter.AlerterContract` checks: when `send` returns, the message
    was handed over to whatever delivers it; otherwise it raises. It may be called from any thread. Whatever it raises
    never fails a step: zennb says so once, keeps the message in the outbox of the home, and sends it again with
    `zennb sync`.
    """

    type = "alerter"
    visibility: ClassVar[Visibility] = Visibility.NETWORK

    @abstractmethod
    def send(self, alert: Alert) -> None:
        """Send a message; raise what went wrong if it was not handed over."""

    def notice(self, alert: Alert) -> str:
        """Return what the notebook shows below the cell when a message was sent; by default nothing."""
        del alert
        return ""

    def deliver(self, payload: Mapping[str, Any]) -> None:
        """Send a message from the outbox."""
        self.send(Alert(**payload))
