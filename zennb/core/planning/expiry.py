"""Owns how long results are reused (`--expires`): parsing durations, and whether a record has expired."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zennb.errors import UsageError

if TYPE_CHECKING:
    from zennb.core.records.records import Step

__all__ = ["by_hand", "duration_text", "ended", "expired", "expires", "parse_duration"]

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_LONGEST = 1_000 * 365 * 86_400


def parse_duration(text: str, *, option: str = "--expires") -> float:
    """Return the seconds in a duration: `90s`, `30m`, `12h`, `7d`, `2w`, or several as in `1d12h`.

    Args:
        text: what was typed.
        option: the option it was typed for, for messages.

    Raises:
        UsageError: it is not a valid duration, or not a positive one.
    """
    plain = text.strip().lower()
    if not _DURATION.fullmatch(plain):
        what = "has no unit" if re.fullmatch(r"\d+(\.\d+)?", plain) else "is not a duration"
        seen = f"`{option} {text}` {what}"
        raise UsageError(f"{seen}; write a number with s, m, h, d or w behind it, such as 12h, 7d or 1d12h.")
    parts = _PART.findall(plain)
    units = [unit for _, unit in parts]
    if len(set(units)) < len(units):
        raise UsageError(f"`{option} {text}` has one unit twice; write each of them once, as in 1d12h.")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST:
        advice = (
            "write --no-cache for a step that is never reused" if option == "--expires" else "write e.g. 30d"
        )
        raise UsageError(f"`{option} {text}` is no time that could pass; {advice}.")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a duration as it would be typed: `7d`, `1d12h`, `1.5s`."""
    left, parts = round(seconds, 3), []
    for unit in "dhm":
        count = int(left // _UNITS[unit])
        left = round(left - count * _UNITS[unit], 3)
        parts += [f"{count}{unit}"] if count else []
    if left or not parts:
        parts.append(f"{left:g}s")
    return "".join(parts)


def ended(step: Step) -> float:
    """Return when a step that ran finished, in seconds since the epoch."""
    return step.started + step.seconds


def expires(step: Step, within: float | None) -> float | None:
    """Return when the results of a step that ran stop being reused; None for never.

    Args:
        step: its record.
        within: seconds that the cell allows now (`--expires`), whatever it said then; None when it says nothing.
    """
    # The stricter one: results stay expired even if the cell would allow more time now.
    limits = [step.expires, None if within is None else ended(step) + within]
    return min((each for each in limits if each is not None), default=None)


def expired(step: Step, *, within: float | None = None, now: float) -> str:
    """Return why the results of a step that ran have expired; "" when they have not.

    Args:
        step: its record.
        within: seconds that the cell allows now; None when it says nothing.
        now: the time, in seconds since the epoch.
    """
    end = expires(step, within)
    if end is None or now < end:
        return ""
    if step.expires is not None and step.expires <= now and step.reusable and step.unusable_because:
        return step.unusable_because
    return f"expired {_ago(now - end)} (--expires {duration_text(end - ended(step))})"


def by_hand(label: str) -> str:
    """Return the reason for results that were expired with a command: `` `model v3` was expired by hand``."""
    return f"`{label}` was expired by hand"


def _ago(seconds: float) -> str:
    """Return an age in its largest unit: `2 h ago`."""
    for name, unit in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return "just now"
