"""Owns several views under headings, and a whole HTML document of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.markup import box, escape, strong
from zennb.views.text import clean, width
from zennb.views.view import Shown, View, join

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["document", "page"]


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


def document(title: str, shown: Shown) -> str:
    """Return a whole HTML document that follows the reader's light or dark setting and loads nothing."""
    said = escape(title)
    style = "margin:1.5em auto;max-width:1000px;padding:0 1em;font-family:system-ui,sans-serif"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark">'
        f'<meta name="viewport" content="width=device-width"><title>{said}</title></head>'
        f'<body style="{style}">{shown.html}</body></html>\n'
    )
