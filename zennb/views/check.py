"""Owns the view of a notebook check: a row per cell, the differences, and three percentages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.views.markup import block, box, lines, muted, pairs, prose, strong
from zennb.views.table import Column, Table
from zennb.views.text import clean, clean_block, duration, plural
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.core.records.check_findings import Check, CheckedCell, EditTrial, Share
    from zennb.views.view import Shown

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

EDIT_COLUMNS = (
    Column.of("count", "number", "edit"),
    Column.of("count", "cell"),
    Column(key="change", title="change", most=40),
    Column(key="kind", title="kind", tight=True),
    Column(key="cells", title="same cells", tight=True),
    Column(key="variables", title="same variables", tight=True),
    Column(key="reused", title="reused", tight=True),
    Column.of("prose", "why", "what differs"),
)


def check(found: Check) -> View:
    """Return the whole report; its last three lines are the percentages."""
    table = Table(
        columns=COLUMNS, data=[_row(cell) for cell in found.cells], empty="it has no code to check", page=100
    )
    differing = [view for cell in found.cells for view in _differences(cell)]
    edits = _edits(found) if found.trials else []
    return join([table, *differing, *edits, _summary(found)])


def figure(share: Share) -> str:
    """Return `98.5% (66 of 67)`; never rounded up to a hundred."""
    percent = share.percent if share.part == share.whole else min(share.percent, 99.9)
    return f"{percent:.1f}% ({share.part} of {share.whole})"


def _row(cell: CheckedCell) -> dict[str, Any]:
    how = {None: "", True: "reused", False: "ran"}[cell.cached]
    return {
        "number": cell.number,
        "code": cell.code,
        "cold": _compared(cell, cell.cold),
        "reused": ", ".join(part for part in (_compared(cell, cell.reused), how) if part),
        "why": _why(cell),
    }


def _compared(cell: CheckedCell, same: bool | None) -> str:
    if same is None:
        return "not compared" if cell.uncompared else "varies" if cell.varies else "not reached"
    return "same" if same else "DIFFERS"


def _why(cell: CheckedCell) -> str:
    plain, cold, _ = cell.seconds
    stays = f"no step: it {cell.stays}" if cell.stays else ""
    parts = [
        stays,
        f"fails as a step: {cell.failure}" if cell.failure else cell.reason,
        "" if cell.uncompared in stays else cell.uncompared,
        "a plain cell shows the same over the files of an earlier run" if cell.files else "",
        "shows something else each time by itself" if cell.varies else "",
        "pictures differ" if cell.pictures is False else "",
        f"{duration(cold)} as a step, {duration(plain)} plain" if cold - plain > SLOWER else "",
    ]
    return "; ".join(part for part in parts if part)


def _differences(cell: CheckedCell, *, after: str = "") -> Iterator[View]:
    for where, text in (("the first run", cell.cold_difference), ("a new kernel", cell.reused_difference)):
        if text:
            title = f"cell [{cell.number}] {after or f'in {where}'}: {clean(cell.code)}"
            yield View(
                f"{title}\n" + "\n".join(f"    {line}" for line in clean_block(text).split("\n")),
                box(f"<div>{prose(title)}</div>{block(text)}"),
            )


def _edits(found: Check) -> list[Shown]:
    rows = [
        {
            "number": number,
            "cell": trial.number,
            "change": f"{trial.before} → {trial.after}",
            "kind": trial.kind,
            "cells": _of(trial.reused),
            "variables": _of(trial.variables),
            "reused": _of(trial.cached),
            "why": _what_differs(trial),
        }
        for number, trial in enumerate(found.trials, start=1)
    ]
    differing = [
        view
        for number, trial in enumerate(found.trials, start=1)
        for cell in trial.cells
        for view in _differences(cell, after=f"after edit {number}")
    ]
    return [Table(columns=EDIT_COLUMNS, data=rows, empty="", page=100), *differing]


def _what_differs(trial: EditTrial) -> str:
    cells = ", ".join(f"[{cell.number}]" for cell in trial.cells if cell.differs)
    parts = [
        f"cells that differ: {cells}" if cells else "",
        f"variables that differ: {', '.join(trial.different)}" if trial.different else "",
        *trial.notes,
    ]
    return "; ".join(part for part in parts if part)


def _of(share: Share) -> str:
    return f"{share.part} of {share.whole}"


def _summary(found: Check) -> View:
    figures = [
        ("faithful on the first run", figure(found.cold)),
        ("faithful in a new kernel", figure(found.reused)),
        ("reused in a new kernel", figure(found.cached)),
    ]
    wide = max(len(title) for title, _ in figures)
    edited = [trial for trial in found.trials if trial.is_silent]
    failed = [trial for trial in found.trials if trial.is_loud]
    pictured = [cell for cell in found.cells if cell.pictures is False]
    sentences = [
        f"{clean(found.name)}: {plural(len(found.cells), 'cell')} checked in {duration(found.seconds)}",
        *(clean(note) for note in found.notes),
        f"pictures differ in {plural(len(pictured), 'cell')}" if pictured else "",
        f"{plural(len(found.failing), 'cell')} failing only with steps" if found.failing else "",
        f"{plural(len(found.silent), 'cell')} silently different" if found.silent else "",
        f"{plural(len(failed), 'edit')} failing only with steps" if failed else "",
        f"{plural(len(edited), 'edit')} silently different" if edited else "",
        f"the same edits again: --edits {len(found.trials)} --seed {found.seed}" if found.trials else "",
    ]
    text = [
        *(line for line in sentences if line),
        *(f"  {title:{wide}}  {value}" for title, value in figures),
    ]
    html = lines([strong(prose(sentences[0])), *(muted(prose(line)) for line in sentences[1:] if line)])
    return View("\n".join(text), box(html + pairs((title, prose(value)) for title, value in figures)))
