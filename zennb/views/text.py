"""Owns text for terminals: numbers, durations, sizes and times, and names without control characters."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from zennb import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "MOST_IN_BLOCK",
    "clean",
    "clean_block",
    "count",
    "cut",
    "duration",
    "listing",
    "pad",
    "plain",
    "plural",
    "short",
    "size",
    "tree",
    "type_title",
    "when",
    "width",
    "wrap",
]

JOINERS = frozenset("\u200c\u200d")
"""Invisible characters that some scripts (and emoji) need to be spelled right."""

UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
"""Categories that would move the cursor, reorder the line, or break XML and UTF-8."""


MOST_IN_LINE = 2_000
"""Characters of a text that are shown in a line; a record may hold megabytes."""

MOST_IN_BLOCK = 200_000
"""Characters of a text that are shown with its lines: as many as of a step's output."""

SPELLED = {"\n": "↵", "\r": "", "\t": " "}


def _visible(character: str) -> str:
    if character in SPELLED:
        return SPELLED[character]
    if character in JOINERS or unicodedata.category(character) not in UNSHOWABLE:
        return character
    return character.encode("unicode_escape").decode("ascii")


def clean(value: object) -> str:
    """Return the text of `value` as one line without hidden characters.

    Line ends become `↵`; control characters, direction overrides and lone surrogates become their escapes, so
    that a name can neither colour a terminal nor reverse the rest of a line. A long text is cut.
    """
    text = str(value)
    return _clean(text if len(text) <= MOST_IN_LINE else f"{text[: MOST_IN_LINE - 1]}…")


def _clean(text: str) -> str:
    # As nearly all text is. Looking up the category of each character is far slower.
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def clean_block(value: object, *, most: int = MOST_IN_BLOCK) -> str:
    """Return the text of `value` with its lines kept and everything else as `clean` does; after `most` it is cut."""
    text = str(value)
    beyond = len(text) - most
    shown = "\n".join(map(_clean, text[:most].expandtabs(4).split("\n")))
    return f"{shown}\n… {count(beyond)} more characters" if beyond > 0 else shown


def plain(value: Any) -> str:
    """Return the text of a cell: nothing for None, items joined by commas for lists and tuples."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(clean(item) for item in value)
    return clean(value)


def type_title(component_type: object) -> str:
    """Return a component type as people write it: `artifact store`."""
    return clean(component_type).replace("_", " ")


def width(text: str) -> int:
    """Return the number of terminal columns that `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if character in JOINERS or unicodedata.combining(character) or unicodedata.category(character) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, most: int) -> str:
    """Shorten `text` to `most` columns, ending in `…` when something was left out."""
    if width(text) <= most:
        return text
    if most <= 1:
        return "…"[:most]
    fitting, used = [], 0
    for character in text:
        used += _columns(character)
        if used > most - 1:
            break
        fitting.append(character)
    return "".join(fitting).rstrip() + "…"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Cut or fill `text` to exactly `columns` columns; `right` aligns it to the right."""
    text = cut(text, columns)
    blank = " " * (columns - width(text))
    return blank + text if right else text + blank


def wrap(text: str, room: int) -> list[str]:
    """Break a line between words into lines of at most `room` columns, and within a word that is longer."""
    lines: list[str] = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer) <= room:
            lines[-1] = longer
            continue
        first, *others = _pieces(word, room)
        lines[-1:] = [lines[-1], first, *others] if lines[-1] else [first, *others]
    return lines


def _pieces(word: str, room: int) -> list[str]:
    """Return a word in pieces of at most `room` columns; a character may be two columns wide."""
    pieces = [""]
    for character in word:
        if pieces[-1] and width(pieces[-1] + character) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces


def duration(seconds: float | None) -> str:
    """Return a duration as people write it: `<0.1 ms`, `0.4 ms`, `12 ms`, `1.3 s`, `2 min 05 s`, `3 h 07 min`."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 0.00005:
        return "<0.1 ms"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def size(amount: float | None) -> str:
    """Return a number of bytes in decimal units: `812 B`, `1.2 MB`."""
    if amount is None:
        return ""
    if amount < 999.5:
        return f"{amount:.0f} B"
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def when(seconds: float | None) -> str:
    """Return a moment as local time without seconds: `2026-03-09 14:05`; nothing for 0 and None."""
    if not seconds:
        return ""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):  # an odd record: no calendar has that moment
        return "?"


def count(number: int | None) -> str:
    """Return a number with its thousands set apart: `12,500`."""
    return "" if number is None else f"{number:,}"


def plural(number: int, noun: str) -> str:
    """Return `1 step`, `12 steps`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def short(digest: str) -> str:
    """Return the first characters of a digest, enough to distinguish two by eye."""
    return clean(digest)[:8]


def listing(names: Iterable[object], *, most: int = 6) -> str:
    """Return names without control characters, joined by commas: `a, b and 3 more`."""
    return errors.listing(map(clean, names), most=most)


def tree(
    roots: Sequence[Any],
    *,
    label: Callable[[Any], str],
    below: Callable[[Any], Sequence[Any]],
    page: int = 80,
) -> str:
    """Draw nested things with lines, one per row.

    Args:
        roots: the outermost things, at the margin.
        label: the text of one thing.
        below: the things nested under one thing.
        page: columns of text to fit into.
    """
    lines: list[str] = []

    def walk(items: Sequence[Any], margin: str) -> None:
        for number, item in enumerate(items):
            last = number == len(items) - 1
            lines.append(f"{margin}{'└─ ' if last else '├─ '}{label(item)}")
            walk(below(item), margin + ("   " if last else "│  "))

    for root in roots:
        lines.append(label(root))
        walk(below(root), "")
    return "\n".join(cut(line, page) for line in lines)
