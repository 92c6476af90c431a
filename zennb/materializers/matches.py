"""Owns how matches of regular expressions are stored: as what was searched for, in what, and where it was found."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["found_again", "match_recipe"]

_Spans = tuple[tuple[int, int], ...]


def match_recipe(value: Any) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a match, which has none of its own; None for anything else."""
    if type(value) is not re.Match or type(value.string) not in {str, bytes}:
        return None
    parts = (value.re, value.string, value.pos, value.endpos, _spans(value))
    try:
        found_again(*parts)
    except LookupError:
        return None
    return found_again, parts


def found_again(pattern: re.Pattern[Any], text: Any, start: int, end: int, spans: _Spans) -> re.Match[Any]:
    """Search as before, and return the match with these spans.

    Raises:
        LookupError: there is none.
    """
    found: re.Match[Any] | None
    # A match does not tell by which method it was found.
    for found in (pattern.match(text, start, end), pattern.fullmatch(text, start, end)):
        if found is not None and _spans(found) == spans:
            return found
    for found in pattern.finditer(text, start, end):
        if found.start() > spans[0][0]:
            break
        if _spans(found) == spans:  # several may begin at one place
            return found
    raise LookupError(f"{pattern.pattern!r} is not found there again")


def _spans(found: re.Match[Any]) -> _Spans:
    return tuple(found.span(group) for group in range(len(found.groups()) + 1))
