"""Owns the messages of a panel: successes, errors, and the equivalent command in a cell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ipywidgets import HTML

from zennb.core.secrets.held import HELD
from zennb.views.mark import GREEN, RED
from zennb.views.markup import code, muted, prose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.errors import ZennbError

__all__ = ["Message", "failure", "in_a_cell", "success"]


def success(sentence: str) -> str:
    """Return a sentence as HTML that screen readers announce; text between backticks becomes code."""
    return f'<span role="status">{_sign("✔", GREEN)} {prose(sentence)}</span>'


def failure(sentence: str) -> str:
    """Return an error's sentence as HTML that screen readers announce at once."""
    return f'<span role="alert">{_sign("✘", RED)} {prose(sentence)}</span>'


def in_a_cell(words: Iterable[str]) -> str:
    """Return `In a cell: %...` as HTML; words with spaces are quoted."""
    return f"{muted('In a cell:')} {code('%' + shlex.join(words))}"


def _sign(symbol: str, colour: str) -> str:
    return f'<span style="color:{colour}" aria-hidden="true">{symbol}&#xFE0E;</span>'


class Message:
    """One line that keeps its height when it is empty, so that nothing below it moves."""

    def __init__(self) -> None:
        self.widget = HTML()
        self.widget.add_class("zennb-message")
        self.text = ""

    def say(self, sentence: str) -> None:
        """Show what was done."""
        self.text, self.widget.value = sentence, success(sentence)

    def refuse(self, error: ZennbError | str) -> None:
        """Show an error's message."""
        self.text = HELD.mask(str(getattr(error, "message", error)))
        self.widget.value = failure(self.text)

    def clear(self) -> None:
        """Clear the line."""
        self.text = self.widget.value = ""
