"""Owns `View`: one thing to show, as text and as HTML that say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from zennb.views.markup import box, muted, prose
from zennb.views.text import clean_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Displayed", "Shown", "View", "join", "note"]


class Shown(Protocol):
    """Whatever has both representations: a `View`, a `Table` that makes them when asked, or a panel."""

    @property
    def text(self) -> str:
        """Plain text for terminals."""

    @property
    def html(self) -> str:
        """HTML for notebooks."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, Any]:
        """Give Jupyter all representations; a panel also has a live one."""


class Displayed:
    """Shows its text in a terminal, and lets Jupyter choose between `text` and `html`."""

    __slots__ = ()
    text: Any
    html: Any

    def __str__(self) -> str:
        return str(self.text)

    __repr__ = __str__

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Give Jupyter both representations; the frontend shows the richest it can."""
        del include, exclude  # the frontend chooses; both are always there
        return {"text/plain": self.text, "text/html": self.html}


@dataclass(frozen=True, slots=True, repr=False)
class View(Displayed):
    """Something to show.

    Attributes:
        text: plain text, made for a terminal of 80 columns; no trailing newline.
        html: a fragment with inline attributes only; everything a user named is escaped.
    """

    text: str
    html: str


def note(sentence: str) -> View:
    """Show a sentence in muted colour."""
    return View(clean_block(sentence), box(muted(prose(sentence))))


def join(views: Iterable[Shown], *, gap: int = 1) -> View:
    """Stack views on top of each other.

    Args:
        views: what to show, first on top; empty ones leave no gap.
        gap: blank lines between the texts.
    """
    shown = [(view.text, view.html) for view in views]  # they are made when asked for: ask once
    text = ("\n" * (gap + 1)).join(text for text, _ in shown if text)
    html = "".join(f'<div style="margin:0 0 {6 * gap}px 0">{html}</div>' for _, html in shown if html)
    return View(text, html)
