"""Owns the timeline of a run: when each step ran, where, and what was reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.records import Status
from zennb.views.links import address, link
from zennb.views.mark import mark
from zennb.views.markup import box, cell, escape, heading, muted, name, table
from zennb.views.text import clean, cut, duration, pad, width
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import Step

__all__ = ["timeline"]

MOST = 60
"""Steps that are shown; of more, those that took longest."""

_WIDE = 40
"""Characters of a bar as text."""


def timeline(found: Sequence[Step], *, now: float) -> View:
    """Draw the steps of a run over time, in the order they began; empty where there is nothing to compare.

    Args:
        found: their records.
        now: seconds since the epoch, up to which a step that runs has run.
    """
    steps = [step for step in found if step.started and step.status is not Status.SKIPPED]
    if len(steps) < 2:
        return View("", "")
    longest = sorted(steps, key=lambda step: -_taken(step, now))[:MOST]
    steps = sorted(longest, key=lambda step: step.started)
    begin = steps[0].started
    whole = max(step.started + _taken(step, now) for step in steps) - begin or 1e-9
    places = [((step.started - begin) / whole, _taken(step, now) / whole) for step in steps]
    wide = min(28, max(width(clean(step.name)) for step in steps))
    text = [_line(step, place, wide, now) for step, place in zip(steps, places, strict=True)]
    rows = [_row(step, place, now) for step, place in zip(steps, places, strict=True)]
    total = muted(escape(f"0 to {duration(whole)} after the first step began"))
    return View("\n".join(text), box(f"<div>{total}</div>{table((), rows)}"))


def _taken(step: Step, now: float) -> float:
    return max(0.0, now - step.started) if step.status is Status.RUNNING else step.seconds


def _remark(step: Step, now: float) -> str:
    saved = f"reused, saved {duration(step.saved)}" if step.status is Status.CACHED else ""
    where = f"on {clean(step.ran_on)}" if step.ran_on else ""
    return "  ".join(part for part in (saved or duration(_taken(step, now)), where) if part)


def _line(step: Step, place: tuple[float, float], wide: int, now: float) -> str:
    before = min(_WIDE - 1, round(place[0] * _WIDE))
    bar = "·" * before + ("░" if step.status is Status.CACHED else "█") * max(1, round(place[1] * _WIDE))
    return (
        f"{pad(cut(clean(step.name), wide), wide)}  {pad(bar[:_WIDE], _WIDE)}  {_remark(step, now)}".rstrip()
    )


def _row(step: Step, place: tuple[float, float], now: float) -> list[str]:
    look = mark(step.status)
    before = min(99.5, 100 * place[0])
    share = min(100 - before, max(0.5, 100 * place[1]))
    colour = f"background:{look.colour}" + (";opacity:.45" if step.status is Status.CACHED else "")
    bar = (
        f'<div style="margin-left:{before:.1f}%;width:{share:.1f}%;min-width:2px;height:10px;{colour}"></div>'
    )
    named = link(address("step", step.run, step.name), name(step.name))
    return [
        heading(named, scope="row", style=";white-space:nowrap"),
        cell(bar, style=";width:60%;min-width:160px;vertical-align:middle"),
        cell(f"{escape(look.word)} &nbsp;{muted(escape(_remark(step, now)))}", style=";white-space:nowrap"),
    ]
