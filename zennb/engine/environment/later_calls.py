"""Owns `LaterCalls`: what a step leaves behind that calls the user's code later. Reuse would leave nothing behind."""

from __future__ import annotations

from collections import deque
from functools import partial
from threading import Thread, Timer
from types import BuiltinFunctionType, CoroutineType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import ref

from zennb.compat.instances import attributes_of, elements_of, is_a
from zennb.compat.later_calls import (
    at_exit,
    callbacks_on,
    finalizers,
    loop_calls,
    note_calls,
    parts_of_finalizer,
    pool_calls,
    signal_handlers,
    workers,
)
from zennb.engine.environment.callers import is_users, module_name
from zennb.engine.environment.held_by_libraries import HeldByLibraries
from zennb.engine.environment.log_handlers import LOGGING, logging_state
from zennb.engine.step.outcome import Reason
from zennb.packages.origin import OWN, Origin, module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["LaterCalls"]

_CONTAINERS = (list, dict, set, bytearray, deque)

_WAITS = frozenset(
    {"asyncio", "_asyncio", "concurrent", "multiprocessing", "selectors", "socket", "threading"}
)
"""Modules of Python that call their own functions later."""

_MOST = 500
"""Objects in which `_holds_users` looks for others."""

_POOLS = frozenset({"concurrent", "multiprocessing"})
"""Modules of Python whose functions run in the threads of pools."""

_RUN_CELLS = frozenset({OWN, "IPython", "ipykernel"})
"""Packages that run cells and steps in threads of their own."""

_OTHERS_TASKS = _RUN_CELLS | {"", "jupyter_client", "tornado", "zmq"}
"""Import names of what runs tasks in the event loop of a kernel."""

_IDLE_PROCESSES = ("PoolWorker", "Manager-")
"""Parts of the names of processes that wait for work."""


class LaterCalls:
    """What calls code later, as it is before a step runs: threads, pools, event loops, finalizers, signals and more."""

    def __init__(self) -> None:
        note_calls()
        self._logging = logging_state()
        self._workers = frozenset(workers())
        self._finalizers = finalizers()
        self._waiting = {id(each): _reference(each) for each in (*pool_calls(), *loop_calls())}
        self._signals = signal_handlers()
        self._at_exit = at_exit()
        self._held = HeldByLibraries()

    def reasons(
        self, *, modules: Collection[str] = (), calls: Iterable[str] = (), values: Iterable[Any] = ()
    ) -> list[Reason]:
        """Return what has been added since that calls code of the user, as reasons against reuse.

        Args:
            modules: dotted names of what the user's code uses of modules: what it starts itself counts, whatever that
                calls. Libraries leave threads and pools of their own, which are harmless.
            calls: library calls that reuse executes again, or that are reasons against it anyway.
            values: what the step has read and made.
        """
        found = [Reason(LOGGING, loses="result")] if logging_state() != self._logging else []
        found += [
            Reason(what, "which reuse would not change", loses="result")
            for what in self._held.changed(values)
        ]
        counted = {top_level(name) for name in calls}
        left = [*self._workers_left(modules), *self._calls_left(modules), *self._finalizers_left(modules)]
        if _uses(modules, "weakref"):
            left += _callbacks(values)
        if "signal" not in counted:
            left += self._signals_set(modules)
        if "atexit" not in counted and _uses(modules, "atexit.register") and at_exit() > self._at_exit:
            left.append(("it registers a function to be called at the end", "which reuse would not register"))
        found += [Reason(what, why, loses="result") for what, why in left]
        return list(dict.fromkeys(found))

    def _workers_left(self, modules: Collection[str]) -> Iterator[tuple[str, str]]:
        found = []
        if _uses(modules, "_thread"):
            found.append("thread")
        starts = _uses(modules, "threading.Thread", "threading.Timer", "multiprocessing")
        for worker, called in workers().items():
            if worker in self._workers:
                continue
            if not is_a(worker, Thread):  # a process forgets what it calls when it has started
                is_users = starts and not any(kind in worker.name for kind in _IDLE_PROCESSES)
                found += ["process"] if is_users or any(map(_is_users, called)) else []
            elif _holds_users(worker) or any(
                _is_users(each)
                or (starts and not _is_plain(each) and _package(each) not in _POOLS | _RUN_CELLS)
                for each in called
            ):
                found.append("thread")
        for kind in found:
            yield f"it leaves a {kind} running", "which reuse would not start"

    def _calls_left(self, modules: Collection[str]) -> Iterator[tuple[str, str]]:
        has_pool = _uses(modules, "concurrent", "multiprocessing")
        for item, called in pool_calls().items():
            # What a pool of `multiprocessing` calls cannot be told.
            is_left = has_pool or not called or any(map(_is_left_by_user, called))
            if is_left and self._is_new(item) and not any(_package(each) in _RUN_CELLS for each in called):
                yield "it leaves calls running in a pool", "which reuse would not make"
        starts = _uses(modules, "asyncio")
        for item, called in loop_calls().items():
            is_left = any(map(_is_left_by_user, called))
            is_own_task = (
                starts and is_a(called[0], CoroutineType) and _package(called[0]) not in _OTHERS_TASKS
            )
            if (is_left or is_own_task) and self._is_new(item):
                yield "it leaves a task in the event loop", "which reuse would not start"

    def _is_new(self, item: object) -> bool:
        known = self._waiting.get(id(item))
        return known is None or known() is not item

    def _finalizers_left(self, modules: Collection[str]) -> Iterator[tuple[str, str]]:
        are_users = _uses(modules, "weakref.finalize")
        for each in finalizers() - self._finalizers:
            parts = parts_of_finalizer(each)
            if parts is None:
                continue
            held, called, given = parts
            if are_users or _is_users(called) or _is_users(type(held)) or any(map(_is_left_by_user, given)):
                yield f"it makes a finalizer of `{_name(held)}`", "which reuse would not make again"

    def _signals_set(self, modules: Collection[str]) -> Iterator[tuple[str, str]]:
        are_users = _uses(modules, "signal")
        for name, handler in signal_handlers().items():
            if handler != self._signals.get(name) and (are_users or _is_users(handler)):
                what = "starts the timer" if name.startswith("ITIMER") else "sets the handler of"
                yield f"it {what} {name}", "which reuse would not do"


def _callbacks(values: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for value, called in callbacks_on(values):
        if _is_users(called):
            yield (
                f"it makes a weak reference to `{_name(value)}` with a callback",
                "which reuse would not make again",
            )


def _reference(item: Any) -> Any:
    try:
        return ref(item)
    except TypeError:
        return lambda: item


def _uses(modules: Iterable[str], *names: str) -> bool:
    """Whether code uses one of these names, or something in them."""
    return any(each.startswith(names) for each in modules)


def _is_plain(called: Any) -> bool:
    """Whether this is one of Python's own classes of threads, which says nothing of what it calls."""
    return called is Thread or called is Timer


def _package(called: Any) -> str:
    """Return the import name of what defines a function or the class of an object."""
    if is_a(called, CoroutineType):
        return top_level(module_name(called.cr_frame)) if called.cr_frame is not None else ""
    for _ in range(_MOST):  # a call with arguments can be made to call itself
        if not is_a(called, MethodType | partial):
            break
        called = partial.func.__get__(called) if is_a(called, partial) else called.__func__
    is_defined = is_a(called, type | FunctionType | BuiltinFunctionType)
    return top_level(module_of(called if is_defined else type(called)))


def _holds_users(worker: Any) -> bool:
    """Whether a thread of a library holds code or objects of the user, as one that watches files for them does."""
    waiting, seen = deque[Any]([attributes_of(worker)]), set[int]()
    while waiting and len(seen) < _MOST:
        part = waiting.popleft()
        if id(part) in seen or is_a(part, type | ModuleType) or _package(part) in _RUN_CELLS:
            continue
        seen.add(id(part))
        if is_a(part, MethodType):
            waiting += (part.__func__, part.__self__)
        elif origin(module_of(part if is_a(part, FunctionType) else type(part))).is_users:
            return True
        for each in elements_of(part):
            waiting.extend(each if is_a(part, dict) else (each,))
        waiting.extend(attributes_of(part).values())
    return False


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


def _is_left_by_user(part: Any) -> bool:
    """Whether a part of a call, which a pool or loop will make, is the user's: libraries leave functions of their own.

    The user's are code and objects of the user, methods of lists, and functions of Python such as `shutil.copy`.
    """
    if is_a(part, partial):
        return any(map(_is_left_by_user, (part.func, *part.args, *part.keywords.values())))
    if is_a(part, CoroutineType):
        return part.cr_frame is not None and is_users(module_name(part.cr_frame))
    if is_a(part, BuiltinFunctionType):
        return is_a(part.__self__, _CONTAINERS) or (is_a(part.__self__, ModuleType) and _is_pythons(part))
    return _is_users(part) or (is_a(part, FunctionType) and _is_pythons(part))


def _is_pythons(function: Any) -> bool:
    """Whether this is a function of Python's own modules, other than those that call functions later."""
    module = module_of(function) if is_a(function, FunctionType | BuiltinFunctionType) else ""
    return bool(module) and top_level(module) not in _WAITS and origin(module) is Origin.PYTHON
