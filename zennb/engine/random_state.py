"""Owns the global random generators: their state, whether anybody seeded or used them, and setting it again.

A generator that nobody seeded starts differently in each kernel; there is no right answer to be reproduced, so all
such beginnings count as one, and reuse goes on from where the recorded run left off.
"""

from __future__ import annotations

import array
import random
import sys
from typing import Any

import xxhash

from zennb.core.observed import UNTOUCHED

__all__ = ["NumpyRandom", "PlainRandom", "TorchRandom"]


class PlainRandom:
    """The generator behind `random.random()` (a `Setting`).

    Args:
        is_fresh: whether nobody can have seeded or used it in this process yet.
    """

    name = "random state of random"
    modules = frozenset({"random"})
    matters = True
    is_per_context = False

    def __init__(self, *, is_fresh: bool = True) -> None:
        self._start = random.getstate() if is_fresh else None

    def read(self) -> Any:
        """Return the state."""
        return random.getstate()

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        return UNTOUCHED if seen == self._start else xxhash.xxh3_128_hexdigest(repr(seen).encode())

    def change(self, _before: Any, after: Any) -> dict[str, Any]:
        """Return the state as plain data."""
        version, words, gauss = after
        return {"version": version, "words": array.array("I", words).tobytes(), "gauss": gauss}

    def apply(self, change: Any) -> None:
        """Set the state."""
        words = tuple(array.array("I", change["words"]))
        random.setstate((change["version"], words, change["gauss"]))


class NumpyRandom:
    """The generator behind `numpy.random.rand()` (a `Setting`)."""

    name = "random state of numpy"
    modules = frozenset({"numpy.random"})
    matters = True
    is_per_context = False

    def read(self) -> Any:
        """Return the state; None while `numpy.random` is not loaded."""
        numpy = sys.modules.get("numpy.random")
        if numpy is None or not hasattr(numpy, "get_state"):
            return None
        name, words, *rest = numpy.get_state()
        return (name, words.tobytes(), *rest)

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        if seen is None or seen[1:3] == self._start():
            return UNTOUCHED
        return xxhash.xxh3_128_hexdigest(repr(seen).encode())

    def change(self, _before: Any, after: Any) -> Any:
        """Return the state as plain data; None when the library was only loaded."""
        return None if self.digest(after) == UNTOUCHED else after

    def apply(self, change: Any) -> None:
        """Set the state."""
        from numpy import frombuffer, random, uint32

        name, words, *rest = change
        random.set_state((name, frombuffer(words, uint32), *rest))

    @staticmethod
    def _start() -> Any:
        """Return words and position of the state this process began with; None once somebody has seeded."""
        numpy = sys.modules["numpy.random"]
        generator = numpy.mtrand._rand._bit_generator  # noqa: SLF001 - there is no public way to the global one
        sequence = getattr(generator, "seed_seq", None)
        if sequence is None:
            return None
        state = numpy.MT19937(sequence).state["state"]
        return (state["key"].tobytes(), state["pos"])


class TorchRandom:
    """The generator behind `torch.rand()` on the processor (a `Setting`); it starts alike in every process."""

    name = "random state of torch"
    modules = frozenset({"torch"})
    matters = True
    is_per_context = False

    def read(self) -> Any:
        """Return the state; None while `torch` is not loaded."""
        torch = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "get_rng_state"):
            return None
        return bytes(torch.get_rng_state().tolist())

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        if seen is None or seen == bytes(sys.modules["torch"].Generator().get_state().tolist()):
            return UNTOUCHED
        return xxhash.xxh3_128_hexdigest(seen)

    def change(self, _before: Any, after: Any) -> Any:
        """Return the state as plain data; None when the library was only loaded."""
        return None if self.digest(after) == UNTOUCHED else after

    def apply(self, change: Any) -> None:
        """Set the state."""
        import torch  # type: ignore[import-not-found, unused-ignore]  # optional

        torch.set_rng_state(torch.tensor(list(change), dtype=torch.uint8))
