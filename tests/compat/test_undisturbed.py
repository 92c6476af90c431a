"""Counters of libraries, and generators, stand where they stood when a block that loads something has ended."""

from __future__ import annotations

import random
import sys
import threading
from collections import defaultdict
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from zennb.compat.undisturbed import COUNTERS, undisturbed


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The counters of cvxpy and keras, as these libraries keep them."""
    found = SimpleNamespace(count=4, object_name_uids=defaultdict(int, dense=2))
    utils, state = ModuleType("utils"), ModuleType("state")
    utils.ID_COUNTER = state.GLOBAL_STATE_TRACKER = found  # type: ignore[attr-defined]
    for name, module in {
        "cvxpy": ModuleType("cvxpy"),
        "cvxpy.lin_ops.lin_utils": utils,
        "keras": ModuleType("keras"),
        "keras.src.backend.common.global_state": state,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    return found


def test_a_block_leaves_counters_and_generators_as_they_are(counts: Any) -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).random_sample()
    with undisturbed():
        random.seed(5)
        np.random.seed(5)
        counts.count = 90
        counts.object_name_uids["dense"] += 7
        counts.object_name_uids["conv"] += 1
    assert (random.random(), np.random.random_sample()) == expected
    assert counts.count == 4
    assert counts.object_name_uids == {"dense": 2}
    assert counts.object_name_uids["new"] == 0


def test_a_block_in_another_thread_leaves_the_generators_to_those_that_draw_meanwhile() -> None:
    random.seed(1)

    def load() -> None:
        with undisturbed():
            random.random()

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    generator = random.Random(1)
    generator.random()
    assert random.random() == generator.random()


def test_counters_never_go_back(counts: Any) -> None:
    cvxpy, keras = COUNTERS
    cvxpy.pass_by(3)
    keras.pass_by({"dense": 1, "conv": 5})
    assert (counts.count, counts.object_name_uids) == (4, {"dense": 2, "conv": 5})
    cvxpy.pass_by(8)
    assert (cvxpy.read(), keras.read()) == (8, {"dense": 2, "conv": 5})


def test_counters_of_libraries_that_are_not_loaded_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"cvxpy", "keras"}]:
        monkeypatch.delitem(sys.modules, name)
    for counter in COUNTERS:
        assert counter.read() is None
        counter.put(3 if isinstance(counter.first, int) else {"dense": 3})
        assert counter.read() is None
