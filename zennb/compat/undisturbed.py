"""Owns `undisturbed`: what loading makes leaves random generators, and the counters of libraries, as they were.

cvxpy numbers its variables, and keras its layers, in one count for the whole process. A copy of a variable that is
loaded has its number already, and takes no other. Where the count stands belongs to no private attribute of ours: it is
asked for here, and nowhere else.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.frames import global_random_state
from zennb.compat.tensors import torch
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["COUNTERS", "Counter", "undisturbed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What a library gives to the next object that it makes: a number, or numbers by kind.

    Attributes:
        library: the package.
        what: it counts, for people.
        first: where it begins.
        home: returns what has it, and the name of the attribute; raises where the library is not loaded.
        matters: whether two objects with the same number are mistaken for each other, without an error.
    """

    library: str
    what: str
    first: int | dict[str, int]
    home: Callable[[], tuple[Any, str]]
    matters: bool

    def read(self) -> Any:
        """Return where it stands; None where the library does not count yet, or in another way."""
        try:
            found = getattr(*self.home(), None)
        except (AttributeError, KeyError):
            return None
        if isinstance(self.first, int):
            return found if type(found) is int else None
        return dict(found) if isinstance(found, dict) else {}

    def put(self, value: Any) -> None:
        """Let it stand there."""
        if self.read() not in (None, value):
            home, name = self.home()
            setattr(home, name, value if isinstance(self.first, int) else defaultdict(int, value))

    def pass_by(self, value: Any) -> None:
        """Let it stand there, unless it is further already: no number is given twice."""
        now = self.read()
        if isinstance(self.first, int):
            self.put(max(now or 0, value))
        else:
            self.put(
                {**value, **{key: max(number, value.get(key, 0)) for key, number in (now or {}).items()}}
            )


COUNTERS = (
    Counter(
        library="cvxpy",
        what="numbers of cvxpy's variables",
        first=1,
        home=lambda: (sys.modules["cvxpy.lin_ops.lin_utils"].ID_COUNTER, "count"),
        matters=True,
    ),
    Counter(
        library="keras",
        what="names of keras's layers",
        first={},
        home=lambda: (
            sys.modules["keras.src.backend.common.global_state"].GLOBAL_STATE_TRACKER,
            "object_name_uids",
        ),
        matters=False,  # keras refuses two layers of one name
    ),
)


@block
def undisturbed() -> Iterator[None]:
    """Leave generators and counters as they are, whatever the block makes; in the main thread only.

    In another thread nobody could tell what the block draws from what the others draw meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    plain, numbers = random.getstate(), _numpy()
    drawn = None if numbers is None else numbers.get_state(legacy=False)
    tensors = None if torch() is None else torch().get_rng_state()
    counted = [(counter, counter.read()) for counter in COUNTERS if counter.library in sys.modules]
    try:
        yield
    finally:
        if random.getstate() != plain:
            random.setstate(plain)
        if numbers is not None and _spelled(numbers.get_state(legacy=False)) != _spelled(drawn):
            numbers.set_state(drawn)
        if tensors is not None and not torch().equal(torch().get_rng_state(), tensors):
            torch().set_rng_state(tensors)
        for counter, before in counted:
            if before is not None:
                counter.put(before)


def _numpy() -> Any:
    return global_random_state() if hasattr(sys.modules.get("numpy.random"), "get_state") else None


def _spelled(state: Any) -> Any:
    """Return a state of numpy as what compares."""
    if isinstance(state, dict):
        return {key: _spelled(value) for key, value in state.items()}
    return state.tobytes() if hasattr(state, "tobytes") else state
