"""Owns `Mark`: the symbol, word and colour of a state."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from zennb.core.records.records import Status
from zennb.views.markup import escape, strong
from zennb.views.text import clean

__all__ = ["ACTIVE", "Mark", "mark", "state_html", "state_text", "symbol_html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The appearance of one state.

    Attributes:
        symbol: one character.
        word: the state in a word or two.
        colour: for the symbol and for outlines; readable on white and on black (contrast to both over 3.7).
        fill: light background for boxes, under dark text.
    """

    symbol: str
    word: str
    colour: str
    fill: str


GREEN, BLUE, VIOLET, RED, GREY, AMBER = "#2a8f4f", "#2b80c8", "#8f66d8", "#d94b42", "#808080", "#b87410"
ACTIVE = Mark(symbol="●", word="active", colour=GREEN, fill="#e3f4e8")

COLOURS = {
    Status.RUNNING: (VIOLET, "#efe8fb"),
    Status.COMPLETED: (GREEN, "#e3f4e8"),
    Status.CACHED: (BLUE, "#e2eff9"),
    Status.FAILED: (RED, "#fbe6e4"),
    Status.SKIPPED: (GREY, "#eeeeee"),
    Status.INTERRUPTED: (AMBER, "#faefdc"),
}

OTHERS = {
    "active": ("●", GREEN, "#e3f4e8"),
    "waiting": ("·", GREY, "#f4f4f4"),
    "fresh": ("✔", GREEN, "#e3f4e8"),
    "stale": ("△", AMBER, "#faefdc"),
    "may run": ("◇", AMBER, "#fdf7ec"),
    "unknown": ("?", GREY, "#eeeeee"),
    "not run yet": ("○", GREY, "#f4f4f4"),
    "ran": ("▲", AMBER, "#faefdc"),  # it completed, and is not on record
}


@lru_cache(maxsize=256)
def mark(state: Status | str) -> Mark:
    """Return the mark of a state: a `Status`, one of our other words for a state, or any other word."""
    try:
        status = Status(state)
    except ValueError:
        symbol, colour, fill = OTHERS.get(str(state), ("·", GREY, "#f4f4f4"))
        return Mark(symbol=symbol, word=clean(state), colour=colour, fill=fill)
    colour, fill = COLOURS[status]
    return Mark(symbol=status.symbol, word=status.value, colour=colour, fill=fill)


def symbol_html(style: Mark) -> str:
    """Return the symbol in its colour; the variation selector prevents phones from drawing an emoji."""
    return f'<span style="color:{style.colour}" aria-hidden="true">{style.symbol}&#xFE0E;</span>'


def state_text(state: Status | str | None) -> str:
    """Return `● cached`; nothing for no state."""
    if not state:
        return ""
    style = mark(state)
    return f"{style.symbol} {style.word}"


def state_html(state: Status | str | None) -> str:
    """Return the coloured symbol and the word; nothing for no state."""
    if not state:
        return ""
    style = mark(state)
    word = escape(style.word)
    return f"{symbol_html(style)} {strong(word) if state == Status.FAILED else word}"
