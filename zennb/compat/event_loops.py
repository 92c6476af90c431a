"""Owns running a coroutine to its end in a thread whose event loop is running already, as a kernel's does."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

__all__ = ["run_to_end"]


def run_to_end(coroutine: Coroutine[Any, Any, Any], around: Callable[[], AbstractContextManager[Any]]) -> Any:
    """Run a coroutine in an event loop of its own and return its result; a loop of this thread waits meanwhile.

    asyncio refuses a second loop in a thread, unless it is told, by a private function, that none runs there. Where
    that function is missing, another thread runs the coroutine.

    Args:
        coroutine: what to run.
        around: what has to hold in the thread that runs it; it holds in this thread already.
    """
    try:
        outer = asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine)
    set_running_loop = getattr(asyncio, "_set_running_loop", None)
    if set_running_loop is None:
        return _run_in_thread(coroutine, around)
    set_running_loop(None)
    try:
        return _run(coroutine)
    finally:
        set_running_loop(outer)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    __tracebackhide__ = True
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def _run_in_thread(
    coroutine: Coroutine[Any, Any, Any], around: Callable[[], AbstractContextManager[Any]]
) -> Any:
    def run() -> Any:
        with around():
            return _run(coroutine)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="zennb-await") as thread:
        return thread.submit(copy_context().run, run).result()
