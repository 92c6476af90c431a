"""Owns `View`: one thing to show, with a text face and an HTML face that say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Shown", "View", "join"]


class Shown(Protocol):
    """Whatever has both faces: a `View`, a `Table` that makes them when asked, or a panel."""

    @property
    def text(self) -> str:
        """The face for terminals."""

    @property
    def html(self) -> str:
        """The face for notebooks."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        """Hand Jupyter all faces; a panel has a live one, too."""


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """Something to show.

    Attributes:
        text: plain text, made for a terminal of 80 columns; no trailing newline.
        html: a fragment with inline attributes only; everything a user named is escaped.
    """

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Hand Jupyter both faces; the frontend takes the richest it can show."""
        del include, exclude  # the frontend chooses; both faces are always there
        return {"text/plain": self.text, "text/html": self.html}


def join(views: Iterable[Shown], *, gap: int = 1) -> View:
    """Stack views on top of each other.

    Args:
        views: what to show, first on top; empty faces leave no gap.
        gap: blank lines between the text faces.
    """
    shown = [(view.text, view.html) for view in views]  # faces are made when asked for: ask once
    text = ("\n" * (gap + 1)).join(text for text, _ in shown if text)
    html = "".join(f'<div style="margin:0 0 {6 * gap}px 0">{html}</div>' for _, html in shown if html)
    return View(text, html)
