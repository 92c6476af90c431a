"""Owns `Interface`: magic or terminal, and how commands are spelled there."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROOT", "Interface"]

ROOT = "zennb"
"""Name of the whole tree: the program in the terminal, and the magic for commands without one of their own."""


MAGIC = re.compile(r"`%(?!%|load_ext)(?:zennb )?")


class Interface(StrEnum):
    """Where a command was typed. Messages and help spell commands accordingly."""

    MAGIC = "magic"
    TERMINAL = "terminal"

    def spell(self, path: Sequence[str], *, magics: frozenset[str] = frozenset()) -> str:
        """Return how the command at `path` (without the root) is typed: `%stack list`, `zennb stack list`.

        Args:
            path: its words, e.g. `("stack", "list")`.
            magics: the first words that have a line magic of their own.
        """
        if path and path[0].startswith("%"):  # a cell magic
            return "%" + " ".join(path)
        if self is Interface.TERMINAL:
            return " ".join([ROOT, *path])
        return "%" + " ".join(path if path and path[0] in magics else [ROOT, *path])

    def adapt(self, message: str) -> str:
        """Return a message with its commands spelled for this interface."""
        return MAGIC.sub(f"`{ROOT} ", message) if self is Interface.TERMINAL else message
