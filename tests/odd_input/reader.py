"""Owns `Reader`: what reads an input, and how odd inputs are made of honest ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.odd_input.mutations import mutate_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

__all__ = ["Reader", "as_json", "lines"]


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        read: reads an input.
        samples: honest values.
        mutated: makes an odd input of one of them.
        packed: makes an input of a value that is like them.
    """

    read: Callable[[Any], object]
    samples: Sequence[Any]
    mutated: Callable[[Any, Random], Any] = mutate_json
    packed: Callable[[Any], Any] = as_json

    def made(self, random: Random) -> Any:
        """Return an odd input."""
        return self.mutated(random.choice(self.samples), random)

    def __call__(self, random: Random) -> object:
        """Read an odd input."""
        return self.read(self.made(random))


def lines(value: Any) -> bytes:
    return b"".join(as_json(each) + b"\n" for each in (value if isinstance(value, list) else [value]))
