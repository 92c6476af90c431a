"""Owns `ParsedArguments`: the arguments of one command as typed, checked against what its verb takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ParsedArguments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedArguments:
    """What was typed.

    Attributes:
        command_line: the command as typed, for messages: `%stack list`.
        values: argument name → text, number, switch or list of texts; None when left out.
        free: `--key=value` options beyond the verb's own.
    """

    command_line: str
    values: Mapping[str, Any] = field(default_factory=dict)
    free: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return an argument that the verb requires."""
        return str(self.values[name])

    def optional(self, name: str) -> str | None:
        """Return an argument that may have been left out."""
        value = self.values.get(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Say whether an option without value was given."""
        return bool(self.values.get(name))

    def integer(self, name: str) -> int | None:
        """Return a whole number, None when left out."""
        value = self.values.get(name)
        return None if value is None else int(value)

    def limit(self, usual: int) -> int:
        """Return `--limit`, `usual` when left out."""
        arguments = self.integer("limit")
        return usual if arguments is None else arguments

    def seconds(self, name: str) -> float | None:
        """Return a number, None when left out."""
        value = self.values.get(name)
        return None if value is None else float(value)

    def list(self, name: str) -> Sequence[str]:
        """Return all that was given of an argument that may be repeated."""
        return tuple(self.values.get(name) or ())

    def pairs(self, name: str) -> dict[str, str]:
        """Return repeated `NAME=VALUE` options as a mapping.

        Raises:
            UsageError: one has no name or no `=`.
        """
        found: dict[str, str] = {}
        for text in self.list(name):
            key, equals, value = text.partition("=")
            if not equals or not key.strip():
                raise UsageError(
                    f"{self.command_line}: '{text}' is not of the form NAME=VALUE; type e.g. -p depth=3."
                )
            found[key.strip()] = value
        return found
