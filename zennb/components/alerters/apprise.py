"""Owns the `apprise` alerter: messages to any of the services that the library apprise knows by their URL."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Self

from zennb.components.alerter import Alerter
from zennb.components.component import SecretRef
from zennb.core.secrets.names import DOTS
from zennb.errors import InvalidConfiguration, StoreError

if TYPE_CHECKING:
    from zennb.components.alerter import Alert

__all__ = ["AppriseAlerter"]

_KINDS = {"success": "success", "failure": "failure", "running": "warning"}
_SHORTEST = 5


class AppriseAlerter(Alerter):
    """Sends messages to chats, mailboxes, phones and others, by URL."""

    flavor = "apprise"
    description = "sends messages by URL to over a hundred services: Slack, Teams, Telegram, mail, ntfy, ..."

    url = SecretRef(
        help="The address of the service, as apprise writes it, such as slack://...; several are separated by spaces. "
        "It holds tokens, so it is given by reference."
    ).tag(config=True, required=True)

    def send(self, alert: Alert) -> None:
        """Send a message to all addresses.

        Raises:
            InvalidConfiguration: the secret cannot be read, or apprise knows no such address.
            StoreError: a service did not take it.
        """
        if self.url is None:
            raise InvalidConfiguration(
                f"the alerter '{self.name}' has no address; give it as --url=env:NAME."
            )
        import apprise  # takes a second

        address = self.url.reveal()
        service = apprise.Apprise()
        # What the library says when it fails goes into its log, and would reach the notebook from there.
        with _Said() as said:
            if not service.add(address) or not len(service):
                raise InvalidConfiguration(
                    f"apprise knows no service for the address in `{self.url}`; see its list of URLs."
                )
            is_sent = service.notify(
                title=alert.title, body=alert.text, notify_type=apprise.NotifyType(_KINDS[alert.event])
            )
        if not is_sent:
            raise StoreError(_without_parts(" ".join(said.lines) or "the service did not take it.", address))


class _Said(logging.Handler):
    """Takes what apprise logs, which may come from threads of its own, so that the notebook does not show it."""

    _sending = threading.Lock()

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._propagated = True

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        self._sending.acquire()  # one at a time: the logger is that of the whole process
        logger = logging.getLogger("apprise")
        logger.addHandler(self)
        self._propagated, logger.propagate = logger.propagate, False
        return self

    def __exit__(self, *_error: object) -> None:
        logger = logging.getLogger("apprise")
        logger.removeHandler(self)
        logger.propagate = self._propagated
        self._sending.release()


def _without_parts(text: str, address: str) -> str:
    """Return a text without the parts of an address: services put tokens and passwords into any of them."""
    for part in sorted(re.split(r"[\s/:@?&=,]+", address), key=len, reverse=True):
        if len(part) >= _SHORTEST:
            text = text.replace(part, DOTS)
    return text
