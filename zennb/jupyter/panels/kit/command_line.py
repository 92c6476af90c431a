"""Owns how a panel shows what the same would be in a cell: the line of a magic."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from zennb.views.markup import code, muted

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["command_line", "in_a_cell"]


def command_line(words: Iterable[str]) -> str:
    """Return words as they are typed in a cell; those with spaces are quoted."""
    return "%" + " ".join(map(shlex.quote, words))


def in_a_cell(words: Iterable[str]) -> str:
    """Return `In a cell: ...` as HTML."""
    return f"{muted('In a cell:')} {code(command_line(words))}"
