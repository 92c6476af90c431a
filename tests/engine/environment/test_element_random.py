"""The random state of an element is that of a new generator with its seed, however it is made."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from zennb.engine.environment import element_random
from zennb.engine.environment.element_random import RandomStart
from zennb.engine.environment.random_state import NumpyRandom, PlainRandom
from zennb.engine.environment.settings import Settings


def test_each_seed_gives_the_state_of_a_new_generator_of_numpy() -> None:
    for seed in (bytes(range(32)), bytes(32), bytes(range(32))):
        fresh: Any = np.random.RandomState(np.frombuffer(seed, np.uint32)).get_state()
        change, _ = element_random._derive_numpy(seed, is_seeded=True)
        assert change["state"] == (fresh[0], fresh[1].tobytes(), *fresh[2:])
        element_random._generator().normal()  # leaves a number for the next call


def test_only_states_that_are_recorded_are_digested() -> None:
    kept = random.getstate()
    try:
        plain, numpy = PlainRandom(), NumpyRandom()
        np.random.seed(3)
        start = RandomStart(Settings((plain, numpy)))
        first = start.of("code", "content")
        assert first.changes.keys() == {PlainRandom.name, NumpyRandom.name}
        assert first.digests.keys() == {NumpyRandom.name}
        assert first.digests == start.of("code", "content").digests
        assert first.digests != start.of("code", "other").digests
    finally:
        random.setstate(kept)
