"""Owns the comparison of cell outputs, without what differs in every run, such as addresses and timings."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.core.secrets.names import DOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LAST_STATE", "Showing", "difference", "is_replay", "normalised", "showing"]

LAST_STATE = "zennb_last_state"
"""In the metadata of an output: its text is the last state of a widget."""

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_DISPLAYS = frozenset({"display_data", "execute_result"})
_SHOWN_LINES = 12
_SHOWN_WIDTH = 160

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]"), ""),
    (re.compile(r"\b0x[0-9a-fA-F]{6,16}\b"), "0x…"),
    (re.compile(r"(?m)^.*\bper loop \(mean ± std\. dev\. of .*$"), "<%timeit>"),
    (re.compile(r"(?m)^The slowest run took .*\n(?:This could mean .*\n?)?"), ""),
    (re.compile(r"(?m)^CPU times: .*$"), "<CPU times>"),
    (re.compile(r"(?m)^(?:Wall time|Compiler|Parser) *: .*$"), "<Wall time>"),
    (re.compile(r"[^\s\"'(]*ipykernel_\d+[\\/]\d+\.py"), "<cell>"),
    (re.compile(r"(?:/var/folders/[^\s\"']*?|/tmp|[A-Z]:[^\s\"']*?Temp)[\\/]tmp[\w-]{6,}"), "<temp>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a cell showed.

    Attributes:
        text: standard output, and the text of results and displays, in order; addresses, timings and temporary
            paths are the same in every run. An exception is its name and message.
        pictures: digests of the pictures' bytes, in order.
        raised: name of the exception the cell ended with; "" for none.
        error: that name with the first line of the message; "" for none.
    """

    text: str = ""
    pictures: tuple[str, ...] = ()
    raised: str = ""
    error: str = ""


def showing(outputs: Iterable[Mapping[str, Any]]) -> Showing:
    """Return the comparable form of a cell's outputs, as found in a notebook file.

    Display updates and cleared outputs must have been applied already, as whoever wrote the file does. Standard
    error does not count, nor does what carries metadata of ours (`zennb`): the status line of a step. What a widget
    shows is not in the file: its text there is from when it was displayed, or of its last state when it is replayed.
    """
    pieces: list[str] = []
    pictures: list[str] = []
    raised = error = ""
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            pieces += [_joined(output.get("text", ""))] if output.get("name") == "stdout" else []
        elif not {"zennb", LAST_STATE}.isdisjoint(output.get("metadata") or {}):
            continue
        elif kind in _DISPLAYS:
            data = output.get("data") or {}
            if _WIDGET in data:
                continue
            pieces.append(f"{_joined(data.get('text/plain', ''))}\n")
            pictures += [_digest(_joined(data[mime])) for mime in _PICTURES if mime in data]
        elif kind == "error":
            raised = str(output.get("ename", ""))
            told = f"{raised}: {output.get('evalue', '')}"
            error = next(iter(normalised(told).splitlines()), raised)
            pieces.append(f"{told}\n")
    text = normalised("".join(pieces))
    return Showing(text=text, pictures=tuple(pictures), raised=raised, error=error)


def normalised(text: str) -> str:
    """Return text without what differs in every run: addresses, timings, temporary paths, colours.

    A line that was written over, as progress bars do with carriage returns, is what it was last.
    """
    # In this order: colour codes may stand inside of what the other rules look for.
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return "\n".join(_overwritten(line) for line in text.split("\n"))


def difference(expected: str, found: str, *, names: tuple[str, str] = ("plain", "step")) -> str:
    """Return how two texts differ, as a short unified diff; "" when they are equal."""
    if expected == found:
        return ""
    lines = list(
        difflib.unified_diff(
            expected.splitlines(), found.splitlines(), fromfile=names[0], tofile=names[1], lineterm="", n=1
        )
    )
    if not lines:
        lines = ["(only line ends differ)"]
    shown = [_cut(line) for line in lines[:_SHOWN_LINES]]
    more = len(lines) - len(shown)
    return "\n".join([*shown, *([f"… {more} more lines"] if more else [])])


def is_replay(shown: str, replayed: str) -> bool:
    """Whether a recorded text is what was shown, with or without its secrets masked."""
    first, *rest = replayed.split(DOTS)
    if not rest:
        return shown == replayed
    if not shown.startswith(first):
        return False
    *middle, last = rest
    place = len(first)
    for part in middle:
        place = shown.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return len(shown) - len(last) >= place and shown.endswith(last)


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list | tuple) else str(text)


def _digest(data: str) -> str:
    # Notebook files break base64 into lines of various lengths.
    return hashlib.sha256("".join(data.split()).encode()).hexdigest()[:16]


def _overwritten(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


def _cut(line: str) -> str:
    return line if len(line) <= _SHOWN_WIDTH else f"{line[: _SHOWN_WIDTH - 1]}…"
