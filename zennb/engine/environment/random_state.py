"""Owns the state of the global random generators: reading it, comparing it, and restoring it on reuse.

Until a generator is seeded, its numbers are arbitrary and differ in each kernel, so there is nothing to reproduce. All
its states count as equal until then, and reuse continues from the state that the recorded run ended with.
"""

from __future__ import annotations

import array
import random
import sys
import threading
from collections import deque
from importlib import import_module
from typing import Any

import xxhash

from zennb.core.records.observed import UNTOUCHED

_WORDS = 624
_BLOCKS = 2000
"""Renewals of the words, 624 draws each, after which a state counts as seeded."""

_LARGEST_TYPED = 2**40
"""Seeds of torch below this were given by somebody; one in sixteen million of its own is as small."""

__all__ = ["GENERATORS", "NumpyRandom", "PlainRandom", "TorchRandom"]


class PlainRandom:
    """The generator behind `random.random()` (a `Setting`).

    It does not say whether it was seeded. But drawing from an unseeded state can only lead to certain other states.

    Args:
        is_fresh: whether it cannot have been seeded in this process yet.
    """

    name = "random state of random"
    modules = frozenset({"random"})
    matters = True
    is_per_context = False

    def __init__(self, *, is_fresh: bool = True) -> None:
        self._first = self._unseeded = random.getstate() if is_fresh else None
        # The state before a step is digested after it, when drawing has gone on from that state.
        self._passed: deque[int] = deque(maxlen=64)

    def read(self) -> Any:
        """Return the state."""
        return random.getstate()

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        return UNTOUCHED if self._is_unseeded(seen) else xxhash.xxh3_128_hexdigest(repr(seen).encode())

    def change(self, before: Any, after: Any) -> dict[str, Any]:
        """Return the state as plain data."""
        if before is None and self._is_unseeded(after):
            return {}
        if before is not None:
            self._is_unseeded(before)  # the earlier state first: drawing never leads back from the later one
        version, words, gauss = after
        packed = array.array("I", words).tobytes()
        is_seeded = after != self._first and not self._is_unseeded(after)
        return {"version": version, "words": packed, "gauss": gauss, "seeded": is_seeded}

    def apply(self, change: Any) -> None:
        """Set the state."""
        words = tuple(array.array("I", change["words"]))
        state = (change["version"], words, change["gauss"])
        random.setstate(state)
        self._unseeded = None if change["seeded"] else state

    def _is_unseeded(self, seen: Any) -> bool:
        """Whether drawing leads to this state from the last one that is known to be unseeded."""
        if hash(seen) in self._passed:
            return True
        if self._unseeded is None or not _leads_to(self._unseeded, seen):
            self._unseeded = None
            return False
        self._unseeded = seen
        self._passed.append(hash(seen))
        return True


def _leads_to(state: Any, later: Any) -> bool:
    """Whether drawing leads from one state of the Mersenne Twister to another, within `_BLOCKS` renewals of its words.

    Its 624 words stay the same while they are drawn one by one; the number after them is the position.
    """
    *words, at = later[1]
    generator = random.Random()
    generator.setstate(state)
    for _ in range(_BLOCKS):
        *now, place = generator.getstate()[1]
        if now == words:
            return bool(at >= place)
        # One word past the end of the block makes the generator renew all 624 words.
        generator.getrandbits(32 * (_WORDS - place) + 32)
    return False


_lock = threading.RLock()
"""Held while numpy reads a state or gets another generator: it would read freed memory of the one before."""


class NumpyRandom:
    """The generator behind `numpy.random.rand()` (a `Setting`)."""

    name = "random state of numpy"
    modules = frozenset({"numpy.random"})
    matters = True
    is_per_context = False

    def __init__(self) -> None:
        self._first: tuple[Any, Any] = (None, None)

    def read(self) -> Any:
        """Return the state; None while `numpy.random` is not loaded."""
        numpy = sys.modules.get("numpy.random")
        if numpy is None or not hasattr(numpy, "get_state"):
            return None
        with _lock:
            name, words, *rest = numpy.get_state()
        return (name, words.tobytes(), *rest)

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        if seen is None or self._beginning() is not None:
            return UNTOUCHED
        return xxhash.xxh3_128_hexdigest(repr(seen).encode())

    def change(self, _before: Any, after: Any) -> Any:
        """Return the state as plain data; None when the library was only loaded."""
        if after is None:  # back to before it was loaded: only "unseeded" matters
            return {"seeded": False, "state": None} if self._is_seeded() else None
        beginning = self._beginning()
        if beginning is not None and after[1:3] == self._first_state(beginning):
            return None
        return {"seeded": beginning is None, "state": after}

    def apply(self, change: Any) -> None:
        """Set the state."""
        from numpy import frombuffer, uint32

        random: Any = import_module("numpy.random")
        if change["state"] is None:
            with _lock:
                random.set_bit_generator(random.MT19937())  # as new; `seed(None)` would count as seeded
            return
        name, words, *rest = change["state"]
        if change["seeded"]:
            random.seed(0)  # lets the generator know that it was seeded; the state is another in a moment
        random.set_state((name, frombuffer(words, uint32), *rest))

    def _is_seeded(self) -> bool:
        return "numpy.random" in sys.modules and self._beginning() is None

    def _first_state(self, beginning: Any) -> Any:
        """Return words and position of a generator begun like this; asked for each step that is sent to a worker."""
        known, first = self._first
        if known is not beginning:
            state = sys.modules["numpy.random"].MT19937(beginning).state["state"]
            first = (state["key"].tobytes(), state["pos"])
            self._first = beginning, first
        return first

    @staticmethod
    def _beginning() -> Any:
        """Return the seed sequence that the generator chose itself; None once it was seeded."""
        return getattr(sys.modules["numpy.random"].get_bit_generator(), "seed_seq", None)


class TorchRandom:
    """The generator behind `torch.rand()` on the processor (a `Setting`).

    Torch begins with a random seed of 64 bits, which it tells; nobody types one as large as that.
    """

    name = "random state of torch"
    # Only what reads the state without changing it. What draws changes it, and so counts whatever it is called.
    modules = frozenset(
        {"torch.random", "torch.get_rng_state", "torch.initial_seed", "torch.default_generator"}
    )
    matters = True
    is_per_context = False

    def __init__(self) -> None:
        # Seeds that are known to be accidents: those of this process, and of kernels whose steps were reused.
        self._unseeded: set[int] = set()

    def read(self) -> Any:
        """Return the state; None while `torch` is not loaded."""
        torch = sys.modules.get("torch")
        if torch is None or not hasattr(torch, "get_rng_state"):
            return None
        return bytes(torch.get_rng_state().tolist())

    def digest(self, seen: Any) -> str:
        """Return the digest of a state."""
        if seen is None or self._is_unseeded(seen):
            return UNTOUCHED
        return xxhash.xxh3_128_hexdigest(seen)

    def change(self, before: Any, after: Any) -> Any:
        """Return the state as plain data; None when the library was only loaded."""
        if after is None:  # back to before it was loaded: only "unseeded" matters
            return {"seeded": False, "state": None} if not self._is_unseeded(before) else None
        is_seeded = not self._is_unseeded(after)
        if before is None and not is_seeded and after == self._first_state(_seed(after)):
            return None
        return {"seeded": is_seeded, "state": after}

    def apply(self, change: Any) -> None:
        """Set the state."""
        torch: Any = import_module("torch")
        if change["state"] is None:
            torch.seed()
        else:
            torch.set_rng_state(torch.tensor(list(change["state"]), dtype=torch.uint8, device="cpu"))
        if not change["seeded"]:
            self._unseeded.add(_seed(self.read()))

    def _is_unseeded(self, state: bytes) -> bool:
        seed = _seed(state)
        if not self._unseeded and seed >= _LARGEST_TYPED:
            self._unseeded.add(seed)  # the first that was met in this process
        return seed in self._unseeded

    @staticmethod
    def _first_state(seed: int) -> bytes:
        """Return the state of a generator begun with this seed."""
        return bytes(sys.modules["torch"].Generator().manual_seed(seed).get_state().tolist())


def _seed(state: bytes) -> int:
    """Return the seed that a generator of torch was begun with, which its state begins with."""
    return int.from_bytes(state[:8], "little")


GENERATORS = (PlainRandom.name, NumpyRandom.name, TorchRandom.name)
"""Names of the generators, as settings."""
