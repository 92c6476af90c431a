"""Owns `Materializer`: the interface that serializes a value to bytes and loads it again, and its summary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from zennb.materializers.buffers import Buffer
from zennb.materializers.summary import summarise

__all__ = ["Buffer", "Materializer", "Scope"]

Scope: TypeAlias = Mapping[str, Any]
"""Names of the notebook, where classes and functions written in the notebook are found when loading."""


class Materializer(ABC):
    """Turns values of some types into bytes and back; knows nothing of stores.

    A materializer that `handles` a value may still find that its format would change it; `choose` asks for proof
    (the digest of what would be loaded) and moves on to the next one.

    `summary` returns JSON values only, with a `kind` that says how it is shown, and what `kind` asks for:
        scalar:  text
        text:    text (cut at 2,000 characters), length
        array:   shape, dtype, min, max, mean (numeric only; absent when costly), head (nested lists of text)
        frame:   rows, columns [{name, dtype}], head (list of rows of text, at most 5; index first)
        picture: mime, data (base64, at most 64 kB), width, height
        mapping: length, items [[key text, type, text]] (at most 10)
        sequence: length, items [[type, text]] (at most 10)
        object:  text (its repr, cut at 500 characters), attributes [[name, text]] where cheap
    """

    name: ClassVar[str]
    """Written into every artifact record; never reused for another format."""

    runs_code: ClassVar[bool] = False
    """Whether loading foreign bytes could run code; such artifacts are signed."""

    exact: ClassVar[bool] = False
    """Whether every value that `dump` accepts comes back equal by construction; no proof is asked for."""

    @abstractmethod
    def handles(self, value: object) -> bool:
        """Say whether this materializer is made for `value`; cheap, by type."""

    @abstractmethod
    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return the bytes of `value` as buffers to be written one after another.

        Raises:
            NotStorable: `value` cannot be turned into bytes, with the path of the part at fault.
        """

    @abstractmethod
    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the value. `buffer` may be a private (copy-on-write) map: arrays should be views of it, writable."""

    def sample(self, value: Any) -> Any:
        """Return a small value of the same structure, on which fidelity is proven when `value` is very large."""
        return value

    def summary(self, value: Any) -> dict[str, Any]:
        """Return what is shown of `value` in `%artifacts show` and lists without loading it; quick, and small.

        What zennb knows of the type when it is not overridden.
        """
        return summarise(value)
