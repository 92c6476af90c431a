"""Owns `LaterCalls`: what a step leaves behind that calls the user's code later. Reuse would leave nothing behind."""

from __future__ import annotations

from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from zennb.compat.instances import is_a
from zennb.compat.later_calls import finalizers, parts_of_finalizer, workers
from zennb.engine.environment.log_handlers import LOGGING, logging_state
from zennb.engine.step.outcome import Reason
from zennb.packages.origin import module_of, origin

__all__ = ["LaterCalls"]


class LaterCalls:
    """What calls code later, as it is before a step runs: handlers of log messages, threads, finalizers."""

    def __init__(self) -> None:
        self._logging = logging_state()
        self._workers = frozenset(workers())
        self._finalizers = finalizers()

    def reasons(self) -> list[Reason]:
        """Return what has been added since that calls code of the user, as reasons against reuse."""
        found = []
        if logging_state() != self._logging:
            found.append(Reason(LOGGING, loses="result"))
        for worker, called in workers().items():
            if worker not in self._workers and any(map(_is_users, called)):
                kind = "process" if hasattr(worker, "exitcode") else "thread"
                found.append(
                    Reason(f"it leaves a {kind} running", "which reuse would not start", loses="result")
                )
        for each in finalizers() - self._finalizers:
            parts = parts_of_finalizer(each)
            if parts is not None and (_is_users(parts[1]) or _is_users(type(parts[0]))):
                why = "which reuse would not make again"
                found.append(Reason(f"it makes a finalizer of `{_name(parts[0])}`", why, loses="result"))
        return list(dict.fromkeys(found))


def _name(value: object) -> str:
    return type(value).__qualname__


def _is_users(called: Any) -> bool:
    """Whether what is called is code of the user, works on an object of the user's, or is one of Python's functions."""
    if is_a(called, partial):
        return _is_users(called.func)
    if is_a(called, MethodType):
        return _is_users(called.__func__) or _is_users(type(called.__self__))
    if is_a(called, BuiltinFunctionType):
        # Libraries call functions of their modules (`os.close`), and seldom `print` or a method of a list.
        return not is_a(called.__self__, ModuleType) or called.__module__ == "builtins"
    if is_a(called, type | FunctionType):
        return origin(module_of(called)).is_users
    return _is_users(type(called))
