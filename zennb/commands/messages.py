"""Owns messages: a sentence as a view, and nouns with their article."""

from __future__ import annotations

from zennb.views.markup import box, prose
from zennb.views.text import clean
from zennb.views.view import View

__all__ = ["article", "message_view"]


def message_view(sentence: str) -> View:
    """Return a sentence as a view; text between backticks is shown as code."""
    return View(clean(sentence), box(f"<div>{prose(sentence)}</div>"))


def article(noun: str) -> str:
    """Return a noun with its indefinite article: `an artifact store`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
