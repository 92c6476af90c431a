"""Owns `page`: several views, one below the other, each under its heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.markup import box, escape, strong
from zennb.views.text import clean, width
from zennb.views.view import Shown, View, join

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["page"]


def page(sections: Sequence[tuple[str, Shown]]) -> View:
    """Show views one below the other, each under its heading; "" leaves a heading out."""
    return join(_section(title, shown) for title, shown in sections)


def _section(title: str, shown: Shown) -> View:
    if not title:
        return View(shown.text, shown.html)
    head = clean(title)
    return View(
        f"{head}\n{'═' * width(head)}\n{shown.text}", box(f"<div>{strong(escape(title))}</div>") + shown.html
    )
