"""Owns what calls functions later: threads, timers, processes, and finalizers of objects."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, bases_of, class_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["finalizers", "parts_of_finalizer", "workers"]

_FINALIZERS: Mapping[Any, Any] = class_attributes(weakref.finalize).get("_registry", {})


def workers() -> dict[Any, list[Any]]:
    """Return the threads and processes that run → what they call: functions, and the class that says so."""
    processes = getattr(sys.modules.get("multiprocessing.process"), "_children", ())
    return {each: _called_by(each) for each in [*threading.enumerate(), *list(processes)]}


def _called_by(worker: Any) -> list[Any]:
    held = attributes_of(worker)
    called = (held.get("_target"), held.get("function"))  # of a thread or process, until it ends; of a timer
    runs = next((base for base in bases_of(type(worker)) if "run" in class_attributes(base)), None)
    return [each for each in (*called, runs) if each is not None]


def finalizers() -> frozenset[Any]:
    """Return what `weakref.finalize` has made, as long as its object lives."""
    return frozenset(list(_FINALIZERS))


def parts_of_finalizer(finalizer: Any) -> tuple[Any, Any] | None:
    """Return the object of a finalizer and what it calls; None when it has been called."""
    found = finalizer.peek()
    return None if found is None else found[:2]
