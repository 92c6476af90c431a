"""Owns the random state that each element of a mapped step begins with.

It is derived from the state that the step begins with and from the element's content. So it depends neither on the
order of the elements, nor on how many there are, nor on where they run.
"""

from __future__ import annotations

import array
import hashlib
import importlib
import random
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import xxhash

from zennb.compat.instances import is_a
from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.random_state import NumpyRandom, PlainRandom, TorchRandom

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from zennb.engine.environment.settings import Settings

__all__ = ["ElementRandom", "RandomStart"]

_LIBRARIES = {NumpyRandom.name: "numpy.random", TorchRandom.name: "torch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementRandom:
    """The random state that an element begins with.

    Attributes:
        changes: generator → change that `Settings.apply` sets.
        digests: generator → digest of that state; only of generators that were seeded.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


class RandomStart:
    """The state of the random generators when a mapped step begins.

    Args:
        settings: the settings of this process.
        modules: import names of what the step uses; their generators count even if nothing has loaded them yet.
    """

    def __init__(self, settings: Settings, modules: Collection[str] = ()) -> None:
        for name in _LIBRARIES.values():
            if name.partition(".")[0] in modules:
                importlib.import_module(name)
        found = settings.read()
        self._settings = settings
        self._states = {name: found[name] for name in _DERIVE if found.get(name) is not None}
        # Each is digested once, now: a generator cannot tell later whether it had been seeded in this state.
        self.digests = {name: settings.digest_of(name, state) for name, state in self._states.items()}
        self._bases = {
            name: repr(state) if self.digests[name] == UNTOUCHED else self.digests[name]
            for name, state in self._states.items()
        }

    def of(self, *content: str) -> ElementRandom:
        """Return the state for an element with this content."""
        changes, digests = {}, {}
        for name, base in self._bases.items():
            is_seeded = self.digests[name] != UNTOUCHED
            seed = hashlib.sha256("\0".join([name, base, *content]).encode()).digest()
            changes[name], state = _DERIVE[name](seed, is_seeded)
            if is_seeded:
                digests[name] = xxhash.xxh3_128_hexdigest(
                    state if is_a(state, bytes) else repr(state).encode()
                )
        return ElementRandom(changes=changes, digests=digests)

    def restore(self) -> None:
        """Set the generators back to the state in which the step began."""
        self._settings.apply({name: self._back(name, state) for name, state in self._states.items()})

    def _back(self, name: str, state: Any) -> Any:
        is_seeded = self.digests[name] != UNTOUCHED
        if name == PlainRandom.name:
            return _plain(state, is_seeded)
        # An element has seeded numpy's generator; only a new one counts as unseeded again.
        is_seeded_now = self._settings.digest(name) != UNTOUCHED
        if name == NumpyRandom.name and is_seeded_now and not is_seeded:
            return {"seeded": False, "state": None}
        return {"seeded": is_seeded, "state": state}


def _plain(state: Any, is_seeded: bool) -> Any:
    version, words, gauss = state
    packed = array.array("I", words).tobytes()
    return {"version": version, "words": packed, "gauss": gauss, "seeded": is_seeded}


def _derive_plain(seed: bytes, is_seeded: bool) -> tuple[Any, Any]:
    """Return the change that sets a state derived from a seed, and the state as it is digested; as those below."""
    state = random.Random(int.from_bytes(seed, "little")).getstate()
    return _plain(state, is_seeded), state


def _derive_numpy(seed: bytes, is_seeded: bool) -> tuple[Any, Any]:
    numpy: Any = sys.modules["numpy"]
    generator = _generator()
    generator.seed(numpy.frombuffer(seed, numpy.uint32))
    name, words, *rest = generator.get_state()
    state = (name, words.tobytes(), *rest)
    return {"seeded": is_seeded, "state": state}, state


@cache
def _generator() -> Any:
    """Return a generator of numpy to seed again and again: a new one asks the system for noise first."""
    return sys.modules["numpy"].random.RandomState(0)


def _derive_torch(seed: bytes, is_seeded: bool) -> tuple[Any, Any]:
    # Below 2**40, or it would count as a seed of torch's own.
    number = int.from_bytes(seed[:4], "little")
    state = bytes(sys.modules["torch"].Generator().manual_seed(number).get_state().tolist())
    return {"seeded": is_seeded, "state": state}, state


_DERIVE: dict[str, Callable[[bytes, bool], tuple[Any, Any]]] = {
    PlainRandom.name: _derive_plain,
    NumpyRandom.name: _derive_numpy,
    TorchRandom.name: _derive_torch,
}
