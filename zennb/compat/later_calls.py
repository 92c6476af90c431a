"""Owns what calls functions later: threads, timers, processes, pools, event loops, finalizers, weak references."""

from __future__ import annotations

import concurrent.futures.thread
import signal
import sys
import threading
import weakref
from collections import deque
from contextlib import suppress
from functools import wraps
from gc import get_referents
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, bases_of, class_attributes, elements_of, is_a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = [
    "at_exit",
    "callbacks_on",
    "finalizers",
    "loop_calls",
    "note_calls",
    "parts_of_finalizer",
    "pool_calls",
    "signal_handlers",
    "workers",
]

_FINALIZERS: Mapping[Any, Any] = class_attributes(weakref.finalize).get("_registry", {})

# That of `signal` makes an enumeration of what it returns, which takes ten times as long.
_getsignal: Callable[[int], Any] = sys.modules["_signal"].getsignal

_SIGNALS = {each.name: int(each) for each in signal.Signals if each is not signal.SIGINT}
_TIMERS = {name: int(each) for name, each in vars(signal).items() if name.startswith("ITIMER_")}

_PARTS = 3
"""Of a task of an executor: a function, its arguments, and those by name."""

_MOST = 10_000
"""Objects in which `callbacks_on` looks for others."""

_ITEMS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""What executors of threads have to do or are doing, by its id."""


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


def parts_of_finalizer(finalizer: Any) -> tuple[Any, Any, tuple[Any, ...]] | None:
    """Return the object of a finalizer, what it calls, and with what; None when it has been called."""
    found = finalizer.peek()
    return None if found is None else (found[0], found[1], (*found[2], *found[3].values()))


# Pools


def note_calls() -> None:
    """Note from now on which calls executors of threads are given: each item lives until its call has been made.

    Those that run could be found in the frames of their threads. But to look at frames while other threads run them
    crashes Python 3.11.
    """
    item = concurrent.futures.thread._WorkItem  # noqa: SLF001 - there is no other way to see a call that has begun
    original = item.__init__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def init(self: Any, *given: Any, **named: Any) -> None:
        original(self, *given, **named)
        _ITEMS[id(self)] = self

    item.__init__ = init  # type: ignore[method-assign]


def pool_calls() -> dict[Any, list[Any]]:
    """Return the calls that pools of threads or processes have before them or are making → what they call, if known."""
    found: dict[Any, list[Any]] = {}
    for refers in _ITEMS.valuerefs():
        found.update(_as_call(refers()))
    kinds = tuple(
        kind
        for name in ("ApplyResult", "IMapIterator")
        if (kind := getattr(sys.modules.get("multiprocessing.pool"), name, None)) is not None
    )
    for thread in threading.enumerate():
        held = attributes_of(thread)
        for each in (*elements_of(held.get("_args")), held.get("pending_work_items")):
            if is_a(each, dict):
                for item in list(dict.values(each)):
                    found.update({item: []} if kinds and is_a(item, kinds) else _as_call(item))
    return found


def _as_call(item: Any) -> dict[Any, list[Any]]:
    """Return an item of an executor's work → what it calls."""
    held = attributes_of(item)
    if "future" not in held:
        return {}
    task = held.get("task")  # from Python 3.14 on
    if not is_a(task, tuple) or len(task) != _PARTS:
        task = tuple(held.get(name) for name in ("fn", "args", "kwargs"))
    called, given, named = task
    return {} if called is None else {item: [called, *elements_of(given), *dict.values(named or {})]}


# Event loops


def loop_calls() -> dict[Any, list[Any]]:
    """Return the tasks and calls that event loops have before them → what they call, with what."""
    found: dict[Any, list[Any]] = {}
    if "asyncio" not in sys.modules:
        return found
    loops = {id(loop): loop for loop in _loops()}.values()
    for loop in loops:
        waiting: list[Any] = []
        for name in ("_ready", "_scheduled"):
            with suppress(RuntimeError):  # another thread has added to it
                waiting += list(getattr(loop, name, ()))
        for handle in waiting:
            if not getattr(handle, "_cancelled", True):
                called = handle._callback  # noqa: SLF001 - not told otherwise
                found[handle] = [called, *_closed_over(called), *(handle._args or ())]  # noqa: SLF001 - as above
    for task in _tasks(loops):
        # One that is being cancelled ends as soon as the loop runs.
        if not task.done() and not getattr(task, "cancelling", int)():
            found[task] = list(_coroutines(task.get_coro()))
    return found


def _tasks(loops: Iterable[Any]) -> Iterator[Any]:
    import asyncio  # who uses it has loaded it; it is slow to load

    known = [getattr(asyncio.tasks, name, ()) for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks")]
    for group in known:
        with suppress(RuntimeError):  # as above
            yield from list(group)
    for loop in loops:
        with suppress(RuntimeError):
            yield from asyncio.all_tasks(loop)


def _loops() -> Iterator[Any]:
    """Yield the event loops that run in a thread, and the one that this thread will run next."""
    import asyncio

    with suppress(RuntimeError):
        yield asyncio.get_running_loop()
    held = getattr(getattr(asyncio.events, "_event_loop_policy", None), "_local", None)
    yield from filter(None, [getattr(held, "_loop", None)])
    for thread in threading.enumerate():
        loop = getattr(attributes_of(thread).get("_target"), "__self__", None)
        yield from [loop] if is_a(loop, asyncio.AbstractEventLoop) else []


def _coroutines(outer: Any, depth: int = 3) -> Iterator[Any]:
    """Yield a coroutine, and those that it waits for or was given: `asyncio.wait_for(work(), 5)`."""
    yield outer
    if depth and is_a(outer, CoroutineType):
        for each in get_referents(outer):
            if is_a(each, CoroutineType):
                yield from _coroutines(each, depth - 1)
            elif is_a(each, FunctionType):
                yield each


# What Python calls itself


def at_exit() -> int:
    """Return how many functions Python will call at its end."""
    count: int = getattr(sys.modules.get("atexit"), "_ncallbacks", int)()
    return count


def signal_handlers() -> dict[str, Any]:
    """Return the handlers of signals by name, and whether a timer will send one.

    Without that of an interrupt, which the kernel sets for each cell.
    """
    found = {name: _getsignal(number) for name, number in _SIGNALS.items()}
    found |= {name: signal.getitimer(number)[0] > 0 for name, number in _TIMERS.items()}
    return found


def callbacks_on(values: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the objects in values to which weak references with a callback refer, and what these call."""
    waiting, seen = deque(values), set[int]()
    while waiting and len(seen) < _MOST:
        value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for each in weakref.getweakrefs(value):
            # A proxy passes on what it is asked; it refers to nothing but its callback.
            called = each.__callback__ if is_a(each, weakref.ref) else next(iter(get_referents(each)), None)
            for inner in (called, *_closed_over(called)):
                if inner is not None:
                    yield value, inner
        for part in elements_of(value):
            waiting.extend(part if is_a(value, dict) else (part,))
        waiting.extend(attributes_of(value).values())


def _closed_over(function: Any) -> list[Any]:
    """Return what a function refers to as its own: `weakref.WeakMethod` calls the callback from one of its own."""
    cells = function.__closure__ if is_a(function, FunctionType) else None
    found = []
    for cell in cells or ():
        with suppress(ValueError):  # empty
            found.append(cell.cell_contents)
    return found
