"""Owns the log of a run: the final output of its steps, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records.records import Run, Step

__all__ = ["RunLog", "StepLog", "event_text", "settled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """What one step printed and showed.

    Attributes:
        step: the record of the step.
        events: in order, as `engine.step.recording.Event` describes them.
        missing: why what it showed cannot be read, in one sentence; "" when it can.
    """

    step: Step
    events: Sequence[Mapping[str, Any]] = ()
    missing: str = ""

    @property
    def text(self) -> str:
        """What it printed, the text of what it showed, and the traceback of its error, in order."""
        failure = self.step.failure
        failed = "" if failure is None else failure.traceback or f"{failure.type}: {failure.message}"
        parts = [*(event_text(event) for event in settled(self.events)), self.missing, failed]
        return "\n".join(part.removesuffix("\n") for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """What the steps of a run printed and showed, in the order they ended.

    Attributes:
        run: the record of the run.
        steps: one for each record of a step.
    """

    run: Run
    steps: Sequence[StepLog] = ()

    @property
    def text(self) -> str:
        """What all of them printed and showed."""
        return "\n".join(part for part in (each.text for each in self.steps) if part)


def settled(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return events as they stood at the end: cleared ones gone, updated displays in their last state."""
    found: list[Mapping[str, Any]] = []
    places: dict[str, int] = {}
    for event in events:
        if event["kind"] == "clear":
            found.clear()
            places.clear()
            continue
        name = str(event.get("id") or "")
        if name and event.get("update") and name in places:
            found[places[name]] = event
            continue
        if name:
            places[name] = len(found)
        found.append(event)
    return found


def event_text(event: Mapping[str, Any], *, live: bool = False) -> str:
    """Return what an event prints, or the text of what it shows.

    Args:
        event: the event.
        live: return it to be written as it comes: lines that are written over and over as they are, and a line of its
            own for what is shown.
    """
    if live and event["kind"] == "stream":
        return str(event["text"])
    if event["kind"] == "stream":
        lines = str(event["text"]).replace("\r\n", "\n").split("\n")
        return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
    plain = (event.get("data") or {}).get("text/plain", "")
    text = "".join(plain) if isinstance(plain, list) else str(plain)
    return f"{text}\n" if live and text else text
