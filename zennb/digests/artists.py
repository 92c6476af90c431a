"""Owns the digests of matplotlib axes, lines and other parts of a figure: the digest of the figure and the place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.digests.objects import changeable

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["handler"]


def handler(cls: type) -> Handler | None:
    """Return the handler of axes, lines and whatever else a figure holds; figures need none of their own."""
    artist: Any = sys.modules.get("matplotlib.artist")
    figure: Any = sys.modules.get("matplotlib.figure")
    if (
        artist is None
        or figure is None
        or issubclass(cls, figure.Figure)
        or not issubclass(cls, artist.Artist)
    ):
        return None
    return _artist


def _artist(walker: DigestWalker, value: Any) -> Steps | None:
    """Write an artist outside its figure by the digest of the figure and the artist's place there.

    Each artist refers to its figure, and so to all other artists. Visiting them all for every variable would be slow.
    """
    if walker.is_met(value):
        return changeable(walker, value)
    figure = value.figure
    figure = getattr(figure, "figure", None) or figure  # that of a figure inside a figure
    if figure is None or (walker.is_met(figure) and not walker.has_result(figure)):
        return changeable(walker, value)
    place = walker.place_in(figure, value)
    if place is None:  # removed from the figure
        return changeable(walker, value)
    walker.mark("artist", type(value))
    walker.write_result(figure)
    walker.sink.number(place)
    return None
