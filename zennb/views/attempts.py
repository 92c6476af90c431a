"""Owns the view of failed attempts of steps that were retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.table import Column, Table, values
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.core.records.records import Failure, Step

__all__ = ["attempts", "error_line"]


def attempts(steps: Iterable[Step]) -> Table:
    """List the failed attempts of steps, in order; no rows when every step ended at its first."""
    rows = [
        {
            "step": step.name,
            "attempt": number,
            **values(each, "seconds", "started"),
            "error": error_line(each.failure),
        }
        for step in steps
        for number, each in enumerate(step.attempts, start=1)
    ]
    columns = (
        Column.of("name", "step", most=28),
        Column.of("count", "attempt"),
        Column.of("seconds", "seconds", "took"),
        Column.of("time", "started", minor=True),
        Column.of("prose", "error"),
    )
    return Table(columns=columns, data=rows, title="failed attempts")


def error_line(failure: Failure) -> str:
    """Return an error in a line: `ValueError: no rows`."""
    line = clean(failure.message.strip().partition("\n")[0])
    return f"{clean(failure.type)}: {line}" if line else clean(failure.type)
