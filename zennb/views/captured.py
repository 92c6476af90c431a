"""Owns the view of a step's recorded output outside its cell: text and pictures, without running any of it.

HTML output is shown in its cell only; here its plain text representation is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.records.log import settled
from zennb.views.markup import block, box, image, muted, svg_image
from zennb.views.preview import BASE64, PICTURES
from zennb.views.text import MOST_IN_BLOCK, clean, clean_block, count
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["captured", "tail"]

MOST = 20_000
"""Characters of text shown; the rest is counted."""


def captured(events: Iterable[Mapping[str, Any]], *, most: int = MOST) -> View:
    """Show the recorded output of a step, in order.

    Args:
        events: as `engine.step.recording.Recording` gives them.
        most: characters of text to show.
    """
    parts: list[View] = []
    room = most
    omitted = 0
    for event in settled(events):
        view, length = _shown(event, room)
        omitted += max(0, length - room)
        room = max(0, room - length)
        parts += [view] if view.html else []
    if omitted > 0:
        parts.append(note(f"… {count(omitted)} more characters"))
    return join(parts, gap=0) if parts else note("no output")


def tail(text: str, *, lines: int = 4, columns: int = 110) -> str:
    """Return the last lines that a step has printed so far; an overwritten line in its last state."""
    shown = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").rstrip().split("\n")[-lines:]]
    return "\n".join(clean_block(line)[:columns] for line in shown)


def _shown(event: Mapping[str, Any], room: int) -> tuple[View, int]:
    """Return one event as a view with at most `room` characters of text, and how many it would have."""
    if event["kind"] == "stream":
        title = "stderr" if event.get("name") == "stderr" else ""
        return _text(str(event["text"]), room, title)
    if event["kind"] == "error":
        return _text(f"{event['name']}: {event['value']}", room, "")
    data = event.get("data") or {}
    picture = _picture(data)
    if picture is not None:
        return picture, 0
    plain = data.get("text/plain", "")
    return _text("".join(plain) if isinstance(plain, list) else str(plain), room, "")


def _text(text: str, room: int, title: str) -> tuple[View, int]:
    limit = max(room, MOST_IN_BLOCK)
    beyond = max(0, len(text) - limit)  # not even looked at, and so not counted exactly
    text = text[:limit]
    shown_text = clean_block(
        "\n".join(line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")),
        most=limit,
    )
    shown_text = shown_text.rstrip("\n")
    if not shown_text.strip() or room <= 0:
        return View("", ""), len(shown_text) + beyond
    shown = shown_text[:room]
    head = f"<div>{muted(title)}</div>" if title else ""
    return View(f"{title}:\n{shown}" if title else shown, box(head + block(shown))), len(shown_text) + beyond


def _picture(data: Mapping[str, Any]) -> View | None:
    alt = str(data.get("text/plain", "")) or "picture"
    for mime in sorted(PICTURES & set(data)):
        found = data[mime]
        text = "".join(found) if isinstance(found, list) else str(found)
        if mime == "image/svg+xml":
            return View(f"[picture: {clean(alt)}]", box(svg_image(text, alt=alt)))
        if BASE64.fullmatch(text):
            return View(f"[picture: {clean(alt)}]", box(image(mime, "".join(text.split()), alt=alt)))
    return None
