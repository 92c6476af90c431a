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
_LOOK_EVERY = 2.0
"""Seconds between two looks whether the worker of a step is there: one that dies says nothing to a relay."""


class LeftRunning:
    """The stopped steps of this process whose code goes on running."""

    def __init__(self) -> None:
        self._places: dict[Call, tuple[Orchestrator, str]] = {}

    def follow_to_end(self, call: Call, inner: Future[Any], relay: Relay | None, token: str) -> None:
        """Hear a step that was stopped until it ends, its worker does, or its job is ended; returns at once."""
        is_there = getattr(inner, "has_worker", None)

        def follow() -> None:
            if is_there is None:  # its connection ends with its worker, which is killed, or its job is
                call.has_ended(None if hasattr(inner, "abandon") else _LAST_WORDS)
            else:
                while not call.has_ended(_LOOK_EVERY) and is_there():
                    pass
            self.forget(call)
            if relay is not None:
                relay.close(token)

        threading.Thread(target=follow, daemon=True, name="zennb-left").start()

    def forget(self, call: Call) -> None:
        """Note that a step has ended, or that nobody will hear of it any more."""
        call.end()  # first, for a sentence about it that is just being made
        self._places.pop(call, None)

    def sentence(
        self, name: str, call: Call, inner: Future[Any], orchestrator: Orchestrator, *, seconds: float
    ) -> str:
        """Return a sentence about the code of a step that was stopped and goes on running; "" if it has ended.

        Args:
            name: the step.
            call: its link.
            inner: the future of the orchestrator. Its method `abandon`, if it has one, ends the worker of a call that
                was cancelled, or returns where it goes on: `the Dask worker tcp://host:1234`. Its method `has_worker`,
                if it has one, returns whether that worker may still be there.
            orchestrator: where it runs.
            seconds: how long it may take to end.
        """
        if not call.connected or call.has_ended(seconds):
            return ""
        abandon = getattr(inner, "abandon", None)
        where = "its worker" if abandon is None and not inner.done() else "" if abandon is None else abandon()
        if not where:
            return ""
        self._places[call] = orchestrator, f"`{name}`, which was stopped, on {where}"
        if call.has_ended(0):  # asked once it is noted: whoever forgot it before has not seen the note
            self.forget(call)
            return ""
        return (
            f"its code goes on running on {where} until it ends, and steps that get this worker wait for it"
        )

    def waiting_note(self, orchestrator: Orchestrator) -> str:
        """Return what a step that is submitted now may have to wait for; "" for nothing."""
        found = [words for owner, words in list(self._places.values()) if owner is orchestrator]
        return f"waiting for a worker; still running is the code of {'; '.join(found)}" if found else ""
