"""Owns changes of components and stacks as values, and the callbacks that are called with them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from zennb.core.records.records import ComponentSpec, StackSpec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Change", "Listeners", "Updated"]

T = TypeVar("T", ComponentSpec, StackSpec)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something registered has changed, or another stack has become the active one.

    Attributes:
        verb: `register`, `update`, `rename`, `delete` or `set`.
        type: `stack`, or the component type.
        name: its name, before the change.
        new_name: its name now, when renamed; else "".
    """

    verb: str
    type: str
    name: str
    new_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(Generic[T]):
    """What an update did.

    Attributes:
        before: as it was.
        after: as it is.
        differences: one phrase per thing that changed, e.g. `workers: 4 → 8`; empty when nothing did.
        stacks: names of the stacks that use it from their next run on.
    """

    before: T
    after: T
    differences: tuple[str, ...]
    stacks: tuple[str, ...]


class Listeners:
    """Callbacks that are called with each change, on the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Change], object]] = []

    def add(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Register `callback`; returns a function that removes it."""
        with self._lock:
            self._callbacks.append(callback)
        return lambda: self._remove(callback)

    def notify(self, verb: str, type: str, name: str, *, new_name: str = "") -> None:  # noqa: A002 -- ZenML's word
        """Call every callback with a `Change`; one that raises is logged, since the change has happened."""
        change = Change(verb=verb, type=type, name=name, new_name=new_name)
        with self._lock:
            # Called without the lock, as a callback may add or remove others.
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            try:
                callback(change)
            except Exception:  # noqa: BLE001 - whatever it raises, the change has happened
                _log.exception("a listener failed on %s", change)

    def _remove(self, callback: Callable[[Change], object]) -> None:
        with self._lock:
            self._callbacks = [each for each in self._callbacks if each is not callback]
