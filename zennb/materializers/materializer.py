"""Owns `Materializer`: the interface that serializes a value to bytes and loads it again, and its summary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from zennb.materializers.buffers import Buffer
from zennb.materializers.summary import summarise

__all__ = ["Buffer", "Materializer", "Scope"]

Scope: TypeAlias = Mapping[str, Any]
"""Names of the notebook, in which loading looks up classes and functions written there."""


class Materializer(ABC):
    """Serializes values of some types to bytes, and loads them. It is independent of artifact stores.

    A materializer that `handles` a value may still change it. So `registry` loads the bytes once, compares the digests,
    and tries the next materializer when they differ.

    `summary` returns JSON values only: a `kind`, which selects the display, and the fields for that kind:
        scalar:  text
        text:    text (cut at 2,000 characters), length
        array:   shape, dtype, min, max, mean (numeric only; absent when costly), head (nested lists of text);
                 histogram (counts between min and max), mime and data of a small picture, where it has them
        frame:   rows, columns [{name, dtype}], head (list of rows of text, at most 5; index first); a column also has
                 the number of `missing` values, where it was counted and is not 0
        picture: mime, data (base64, at most 64 kB), width, height
        mapping: length, items [[key text, type, text]] (at most 10)
        sequence: length, items [[type, text]] (at most 10)
        object:  text (its repr, cut at 500 characters), attributes [[name, text]] where cheap; an estimator of
                 scikit-learn {name, parameters [[name, text]], layout, parts [[label, columns, estimator]]}
    """

    name: ClassVar[str]
    """The name in artifact records; never reuse it for another format."""

    runs_code: ClassVar[bool] = False
    """Whether loading other people's bytes could run code; such artifacts are signed."""

    exact: ClassVar[bool] = False
    """Whether every value that `dump` accepts loads unchanged by construction, so that no check is needed."""

    @abstractmethod
    def handles(self, value: object) -> bool:
        """Whether this materializer is for `value`; a cheap check of its type."""

    @abstractmethod
    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return the bytes of `value` as buffers that are written one after another.

        Raises:
            NotStorable: `value` cannot be turned into bytes, with the path of the part at fault.
        """

    @abstractmethod
    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the value. `buffer` may be a private (copy-on-write) map: arrays should be views of it, writable."""

    def sample(self, value: Any) -> Any:
        """Return a small value of the same structure, which is checked instead of a very large `value`."""
        return value

    def summary(self, value: Any) -> dict[str, Any]:
        """Return what `%artifacts show` and listings display without loading `value`; keep it quick and small.

        The default is zennb's own summary for the type.
        """
        return summarise(value)
