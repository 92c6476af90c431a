"""Owns `LeftRunning`: steps that were stopped, but whose code goes on running on a worker, and what waits for them.

No interrupt reaches a loop in compiled code. Some orchestrators can end its worker; for others it is said.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from zennb.components.component import Orchestrator
    from zennb.components.relay import Relay
    from zennb.engine.remote.side_channel import Call

__all__ = ["LeftRunning"]


_LAST_WORDS = 1.0
"""Seconds that a step gets to end by itself when its job was cancelled: it may be killed, and then says nothing."""


class LeftRunning:
    """The stopped steps of this process whose code goes on running."""

    def __init__(self) -> None:
        self._places: dict[Call, tuple[Orchestrator, str]] = {}

    def see_off(self, call: Call, inner: Future[Any], relay: Relay | None, token: str) -> None:
        """Hear a step that was stopped until it ends, or its job is ended by force; returns at once."""

        def follow() -> None:
            call.has_ended(None if hasattr(inner, "abandon") else _LAST_WORDS)
            self._places.pop(call, None)
            if relay is not None:
                relay.close(token)

        threading.Thread(target=follow, daemon=True, name="zennb-left").start()

    def forget(self, call: Call) -> None:
        """Note that a step has ended."""
        self._places.pop(call, None)

    def of(
        self, name: str, call: Call, inner: Future[Any], orchestrator: Orchestrator, *, seconds: float
    ) -> str:
        """Return a sentence about the code of a step that was stopped and goes on running; "" if it has ended.

        Args:
            name: the step.
            call: its link.
            inner: the future of the orchestrator. Its method `abandon`, if it has one, ends the worker of a call that
                was cancelled, or returns where it goes on: `the Dask worker tcp://host:1234`.
            orchestrator: where it runs.
            seconds: how long it may take to end.
        """
        if not call.connected or call.has_ended(seconds):
            return ""
        abandon = getattr(inner, "abandon", None)
        where = "its worker" if abandon is None and not inner.done() else "" if abandon is None else abandon()
        if not where or call.has_ended(0):
            return ""
        self._places[call] = orchestrator, f"`{name}`, which was stopped, on {where}"
        return (
            f"its code goes on running on {where} until it ends, and steps that get this worker wait for it"
        )

    def before(self, orchestrator: Orchestrator) -> str:
        """Return what a step that is submitted now may have to wait for; "" for nothing."""
        found = [words for owner, words in list(self._places.values()) if owner is orchestrator]
        return f"waiting for a worker; still running is the code of {'; '.join(found)}" if found else ""
