"""Owns how an error is shown: its sentence, and nothing else."""

from __future__ import annotations

from zennb.views.mark import RED
from zennb.views.markup import box, prose, strong
from zennb.views.text import clean
from zennb.views.view import View

__all__ = ["problem"]


def problem(error: BaseException | str, *, kind: str = "") -> View:
    """Show an error as one sentence.

    Args:
        error: the error, or its sentence.
        kind: what sort of error; the type's name by default.
    """
    word = kind or (type(error).__name__ if isinstance(error, BaseException) else "")
    lead = f"{clean(word)}: " if word else ""
    said = clean(str(error).strip())
    symbol = f'<span style="color:{RED}" aria-hidden="true">✘&#xFE0E;</span>'
    return View(
        f"{lead}{said}" if said else clean(word),
        box(f"<div>{symbol} {strong(prose(lead))}{prose(said)}</div>"),
    )
