"""Owns the `local` alerter: a notice in the notebook, and a line in a log file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Unicode

from zennb.components.alerter import Alerter
from zennb.components.component import Visibility
from zennb.errors import StoreError

if TYPE_CHECKING:
    from zennb.components.alerter import Alert

__all__ = ["LocalAlerter"]


class LocalAlerter(Alerter):
    """Shows a notice in the notebook, and writes it to a log file."""

    flavor = "local"
    description = "shows a notice in the notebook, and writes it to a log file"
    visibility = Visibility.MACHINE

    path = Unicode(help="The log file; `alerts.log` in the home by default.").tag(config=True)

    def send(self, alert: Alert) -> None:
        """Add a line to the log file.

        Raises:
            StoreError: it cannot be written.
        """
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        text = " ".join(f"{alert.title}: {alert.text}".split())
        line = f"{stamp} {alert.event.upper()} {text}\n".encode("utf-8", "replace")
        path = Path(self.path or "alerts.log").expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # In one write at the end of the file, so that lines of several processes do not mix.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(f"the log file {path} cannot be written: {error.strerror or error}.") from error

    def notice(self, alert: Alert) -> str:
        """Return the message."""
        return f"{alert.title}: {alert.text}"
