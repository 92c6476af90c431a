"""Owns `Interface`: where a command was typed, and how its name is spelled there."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ROOT", "Interface"]

ROOT = "zennb"
"""Name of the whole tree: the program in the terminal, the magic for what has no magic of its own."""


MAGIC = re.compile(r"`%(?!%|load_ext)(?:zennb )?")


class Interface(StrEnum):
    """Where a command was typed; messages and help speak its words."""

    MAGIC = "magic"
    TERMINAL = "terminal"

    def spell(self, path: Sequence[str], *, magics: frozenset[str] = frozenset()) -> str:
        """Return how the command at `path` (without the root) is typed here: `%stack list`, `zennb stack list`.

        Args:
            path: its words, e.g. `("stack", "list")`.
            magics: the first words that have a line magic of their own.
        """
        if self is Interface.TERMINAL:
            return " ".join([ROOT, *path])
        return "%" + " ".join(path if path and path[0] in magics else [ROOT, *path])

    def adapt(self, message: str) -> str:
        """Return a message with the commands it advises spelled as they are typed here."""
        return MAGIC.sub(f"`{ROOT} ", message) if self is Interface.TERMINAL else message
