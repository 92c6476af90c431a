"""Owns the digests of what draws in an image of PIL: the image and how it draws, and fonts that came from no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.digests.objects import changeable
from zennb.digests.walker import HIDDEN, STATE

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["DRAWINGS"]


def _drawing(walker: DigestWalker, value: Any) -> Steps | None:
    if getattr(value, "_image", None) is None:  # as in releases before 11
        return changeable(walker, value)
    return None if walker.seen(value) else _parts(walker, value)


def _parts(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("drawing", type(value))
    # `im` and `draw` are the memory of the image, which digests and stores it itself.
    state = {name: part for name, part in vars(value).items() if name not in {"im", "draw"}}
    walker.keep(state)
    yield state, STATE


def _font(walker: DigestWalker, value: Any) -> Steps | None:
    if getattr(value, "font_bytes", None) is None:
        return changeable(walker, value)
    return None if walker.seen(value) else _font_parts(walker, value)


def _font_parts(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("font in memory", type(value))
    yield (value.font_bytes, value.size, value.index, value.encoding, int(value.layout_engine)), HIDDEN


DRAWINGS: dict[str, Handler] = {
    "PIL.ImageDraw.ImageDraw": _drawing,
    "PIL.ImageFont.FreeTypeFont": _font,
}
"""Handlers by the name of a type."""
