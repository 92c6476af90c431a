"""Owns the killing of processes that zennb has started to live on their own: background runs and deployments."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

__all__ = ["kill_group"]


def kill_group(process: int) -> None:
    """Kill a process with those that it has started; nothing happens if it has ended already.

    Args:
        process: its id. It leads a group of its own, where the system has such groups.
    """
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg") and os.getpgid(process) == process:
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
