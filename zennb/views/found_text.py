"""Owns the view of what was found in a long text: the lines that contain it, with their numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zennb.views.markup import box, escape, muted
from zennb.views.text import clean, cut, plural
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["found_text"]

_LINES = 50
_BEFORE = 40
"""Characters shown before the first find in a long line."""

_LONGEST = 160
_FOUND = "background:rgba(255,190,0,.35);border-radius:2px"


def found_text(text: str, wanted: str) -> View:
    """Show the lines of a text that contain some words, in any case; at most 50 of them."""
    pattern = re.compile(re.escape(wanted), re.IGNORECASE)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if pattern.search(line)]
    places = sum(len(pattern.findall(line)) for _, line in lines)
    said = (
        f"{plural(places, 'place')} in {plural(len(lines), 'line')}"
        if lines
        else f"`{clean(wanted)}` is nowhere in it"
    )
    if len(lines) > _LINES:
        said += f", of which the first {_LINES} are shown"
    shown = [(n, _around(line, pattern)) for n, line in lines[:_LINES]]
    wide = len(str(shown[-1][0])) if shown else 0
    rows = [f"{n:>{wide}}  {clean(line)}" for n, line in shown]
    drawn = "".join(
        f'<div style="white-space:pre-wrap">{muted(f"{n:>{wide}}")}  {_marked(line, pattern)}</div>'
        for n, line in shown
    )
    return View("\n".join([said, *rows]), box(f"<div>{muted(escape(said))}</div>{drawn}"))


def _around(line: str, pattern: re.Pattern[str]) -> str:
    """Return the part of a long line around the first find."""
    found = pattern.search(line)
    start = max(0, found.start() - _BEFORE) if found is not None and len(line) > _LONGEST else 0
    return ("…" if start else "") + cut(line[start:], _LONGEST)


def _marked(line: str, pattern: re.Pattern[str]) -> str:
    parts: Sequence[str] = re.split(f"({pattern.pattern})", line, flags=re.IGNORECASE)
    return "".join(
        f'<strong style="{_FOUND}">{escape(part)}</strong>' if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )
