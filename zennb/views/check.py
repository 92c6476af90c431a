"""Owns the view of a notebook check: a row per cell, the differences, and three percentages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.views.markup import block, box, lines, muted, pairs, prose, strong
from zennb.views.table import Column, Table
from zennb.views.text import clean, clean_block, duration, plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.core.records.check_findings import Check, CheckedCell, Share

__all__ = ["check", "figure"]

SLOWER = 1.0
"""Seconds that a cell may be slower as a step without being reported."""

COLUMNS = (
    Column.of("count", "number", "cell"),
    Column(key="code", title="code", most=30),
    Column(key="cold", title="first run", tight=True),
    Column(key="reused", title="new kernel", tight=True),
    Column.of("prose", "why"),
)


def check(found: Check) -> View:
    """Return the whole report; its last three lines are the percentages."""
    table = Table(
        columns=COLUMNS, data=[_row(cell) for cell in found.cells], empty="it has no code to check", page=100
    )
    differing = [view for cell in found.cells for view in _differences(cell)]
    return join([table, *differing, _summary(found)])


def figure(share: Share) -> str:
    """Return `98.5% (66 of 67)`; never rounded up to a hundred."""
    percent = share.percent if share.part == share.whole else min(share.percent, 99.9)
    return f"{percent:.1f}% ({share.part} of {share.whole})"


def _row(cell: CheckedCell) -> dict[str, Any]:
    how = {None: "", True: "reused", False: "ran"}[cell.cached]
    return {
        "number": cell.number,
        "code": cell.code,
        "cold": _compared(cell.cold, varies=cell.varies),
        "reused": ", ".join(part for part in (_compared(cell.reused, varies=cell.varies), how) if part),
        "why": _why(cell),
    }


def _compared(same: bool | None, *, varies: bool) -> str:
    if same is None:
        return "varies" if varies else "not reached"
    return "same" if same else "DIFFERS"


def _why(cell: CheckedCell) -> str:
    plain, cold, _ = cell.seconds
    parts = [
        f"no step: it {cell.stays}" if cell.stays else cell.reason,
        "shows something else each time by itself" if cell.varies else "",
        "pictures differ" if cell.pictures is False else "",
        f"{duration(cold)} as a step, {duration(plain)} plain" if cold - plain > SLOWER else "",
    ]
    return "; ".join(part for part in parts if part)


def _differences(cell: CheckedCell) -> Iterator[View]:
    for where, text in (("the first run", cell.cold_difference), ("a new kernel", cell.reused_difference)):
        if text:
            title = f"cell [{cell.number}] in {where}: {clean(cell.code)}"
            yield View(
                f"{title}\n" + "\n".join(f"    {line}" for line in clean_block(text).split("\n")),
                box(f"<div>{prose(title)}</div>{block(text)}"),
            )


def _summary(found: Check) -> View:
    figures = [
        ("faithful on the first run", figure(found.cold)),
        ("faithful in a new kernel", figure(found.reused)),
        ("reused in a new kernel", figure(found.cached)),
    ]
    wide = max(len(title) for title, _ in figures)
    pictured = [cell for cell in found.cells if cell.pictures is False]
    sentences = [
        f"{clean(found.name)}: {plural(len(found.cells), 'cell')} checked in {duration(found.seconds)}",
        *(clean(note) for note in found.notes),
        f"pictures differ in {plural(len(pictured), 'cell')}" if pictured else "",
        f"{plural(len(found.silent), 'cell')} silently different" if found.silent else "",
    ]
    text = [
        *(line for line in sentences if line),
        *(f"  {title:{wide}}  {value}" for title, value in figures),
    ]
    html = lines([strong(prose(sentences[0])), *(muted(prose(line)) for line in sentences[1:] if line)])
    return View("\n".join(text), box(html + pairs((title, prose(value)) for title, value in figures)))
