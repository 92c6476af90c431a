"""Owns what is told about changes: what a verb did to a component or stack, and who listens."""

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
        stacks: names of the stacks that it concerns from their next run on.
    """

    before: T
    after: T
    differences: tuple[str, ...]
    stacks: tuple[str, ...]


class Listeners:
    """Functions to be called with each change, on the thread that made it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Change], object]] = []

    def add(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call `callback` from now on; returns a function that stops it."""
        with self._lock:
            self._callbacks.append(callback)
        return lambda: self._remove(callback)

    def tell(self, change: Change) -> None:
        """Call everybody; the change has happened, so a callback that raises is logged and stops nobody."""
        with self._lock:
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            try:
                callback(change)
            except Exception:  # noqa: BLE001 - whatever it raises, the change has happened
                _log.exception("a listener failed on %s", change)

    def _remove(self, callback: Callable[[Change], object]) -> None:
        with self._lock:
            self._callbacks = [kept for kept in self._callbacks if kept is not callback]
