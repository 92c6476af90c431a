"""Owns the note that says where the value of a secret still stands in the notebook, once per secret and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.secrets.names import is_sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zennb.core.records.records import Step

__all__ = ["SecretNotes"]


class SecretNotes:
    """What this kernel has said about secrets that are written out in the notebook.

    Args:
        cell_of: returns the number of the cell that sets a name to a value that is written out in it; 0 for any other.
    """

    def __init__(self, cell_of: Callable[[str], int]) -> None:
        self._cell_of = cell_of
        self._said: set[tuple[str, str]] = set()

    def of(self, step: Step) -> str:
        """Return the note for a step that has ended; "" when there is nothing new to say."""
        new = [each for each in dict.fromkeys(self._places(step)) if each not in self._said]
        self._said.update(new)
        if not new:
            return ""
        places = " and ".join(f"of {name} still stands in {place}" for name, place in new)
        return (
            f"secrets are masked in records, but the value {places}; read it from os.environ or with getpass"
        )

    def _places(self, step: Step) -> Iterator[tuple[str, str]]:
        if step.parts is None:
            return
        for key in step.parts.reached:
            kind, _, names = key.partition(" ")
            if kind == "secret":
                yield from ((_quoted(name), f"step '{step.name}'") for name in names.split(", "))
        for name, digest in step.parts.inputs.items():
            if is_sealed(digest) and (cell := self._cell_of(name)):
                yield _quoted(name), f"cell [{cell}]"


def _quoted(name: str) -> str:
    return name if " " in name else f"`{name}`"
