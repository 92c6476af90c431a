"""Owns `StepLine`: the status line of a step, read from the metadata of its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zennb.core.records.records import Status

__all__ = ["StepLine", "step_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """The content of a step's status line.

    Attributes:
        step: the step's name.
        status: how it ended, or `running` while it does not.
        reason: why it ran or was reused, for a person.
        seconds: duration of the work; 0.0 when it was cached.
        outputs: names of what it made.
        run: id of the run, None when it was not recorded; when it was cached, of the run that made its results.
        unrecorded: why it is not on record; "" when it is.
        saved: when it was cached, the seconds that its results took when they were made; else None.
        made: when it was cached, when that was, in seconds since the epoch; else None.
    """

    step: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    outputs: tuple[str, ...] = ()
    run: int | None = None
    unrecorded: str = ""
    saved: float | None = None
    made: float | None = None


def step_lines(metadata: Mapping[str, Any]) -> Iterator[StepLine]:
    """Yield the step results in an output's metadata under `zennb`: one mapping, or a list of them.

    Metadata may come from other programs, so everything that is no valid status line is skipped.
    """
    found = metadata.get("zennb")
    for entry in found if isinstance(found, list) else [found]:
        line = _line(entry) if isinstance(entry, Mapping) else None
        if line is not None:
            yield line


def _line(entry: Mapping[str, Any]) -> StepLine | None:
    try:
        return StepLine(
            step=str(entry["step"]),
            status=Status(entry["status"]),
            reason=str(entry.get("reason") or ""),
            seconds=float(entry.get("seconds") or 0.0),
            outputs=tuple(str(name) for name in entry.get("outputs") or ()),
            run=None if entry.get("run") is None else int(entry["run"]),
            unrecorded=str(entry.get("unrecorded") or ""),
            saved=_number(entry.get("saved")),
            made=_number(entry.get("made")),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
