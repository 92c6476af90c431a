"""Owns `--notify`: who is told of a step or run, and at which event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.planning.expiry import parse_duration
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAILURE", "RUNNING", "SUCCESS", "NotifyRule", "parse_notify"]

SUCCESS, FAILURE, RUNNING = "success", "failure", "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyRule:
    """One `--notify`.

    Attributes:
        alerter: name of the alerter.
        events: the events it is told of: `success`, `failure`, `running`.
        after: seconds after which it is told of what is still running; None for never.
    """

    alerter: str
    events: frozenset[str]
    after: float | None = None


def parse_notify(texts: Iterable[str]) -> tuple[NotifyRule, ...]:
    """Return rules from what was typed: `team` for either end, `team:failure`, `team:success`, `team:10m`.

    Raises:
        UsageError: a rule has another form.
    """
    found = []
    for text in texts:
        name, colon, event = text.partition(":")
        if not name.strip() or (colon and not event):
            raise UsageError(f"`--notify {text}` names no alerter; write NAME, NAME:failure or NAME:10m.")
        if not event:
            found.append(NotifyRule(alerter=name, events=frozenset({SUCCESS, FAILURE})))
        elif event in {SUCCESS, FAILURE}:
            found.append(NotifyRule(alerter=name, events=frozenset({event})))
        elif event[0].isdigit():
            after = parse_duration(event, option=f"--notify {name}:")
            found.append(NotifyRule(alerter=name, events=frozenset({RUNNING}), after=after))
        else:
            raise UsageError(
                f"`--notify {text}`: there is no event '{event}'; write {name}:failure, {name}:success, or a time "
                f"such as {name}:10m, after which it is still running."
            )
    return tuple(found)
