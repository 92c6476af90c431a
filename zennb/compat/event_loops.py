"""Owns running a coroutine to its end in a thread whose event loop is running already, as a kernel's does."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

__all__ = ["run_to_end"]


def run_to_end(coroutine: Coroutine[Any, Any, Any], around: Callable[[], AbstractContextManager[Any]]) -> Any:
    """Run a coroutine in an event loop of its own and return its result; a loop of this thread waits meanwhile.

    asyncio refuses a second loop in a thread, unless it is told, by private functions, that none runs there; since
    Python 3.14, that no task does either, or the second loop would wait for ever. Where these functions are missing,
    another thread runs the coroutine.

    Args:
        coroutine: what to run.
        around: what has to hold in the thread that runs it; it holds in this thread already.
    """
    try:
        outer = asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine)
    set_loop = getattr(asyncio, "_set_running_loop", None)
    swap_task = getattr(asyncio.tasks, "_swap_current_task", None)  # not there before 3.12, and not needed
    if set_loop is None or (swap_task is None and sys.version_info >= (3, 14)):
        return _run_in_thread(coroutine, around)
    task = swap_task(outer, None) if swap_task is not None else None
    set_loop(None)
    try:
        return _run(coroutine)
    finally:
        set_loop(outer)  # first: a task is that of the loop that runs
        if swap_task is not None:
            swap_task(outer, task)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    __tracebackhide__ = True
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def _run_in_thread(
    coroutine: Coroutine[Any, Any, Any], around: Callable[[], AbstractContextManager[Any]]
) -> Any:
    cancel: list[Callable[[], object]] = []

    async def cancellable() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        return await coroutine

    def run() -> Any:
        with around():
            return _run(cancellable())

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="zennb-await") as thread:
        running = thread.submit(copy_context().run, run)
        try:
            return running.result()
        except KeyboardInterrupt:  # raised here: the other thread has to be told
            with suppress(RuntimeError):  # its loop is closed: it has just ended
                for call in cancel:
                    call()
            raise
