"""Owns `LoopCalls`: coroutines that run on fsspec's event loop while the caller waits, for a bounded time.

fsspec's own `sync` waits forever, and leaves a call that was interrupted to itself. An upload in parts that nobody
ends stays in the bucket, and is paid for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.components.long_calls import LongCall, long_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

__all__ = ["LoopCalls", "NoAnswerError", "gathered"]

R = TypeVar("R")


class NoAnswerError(Exception):
    """Nothing moved for so long that the call was given up."""


class LoopCalls:
    """Runs coroutines on a loop that runs in another thread.

    Args:
        loop: the loop.
        patience: seconds without any progress after which a call is given up.
    """

    def __init__(self, loop: Any, *, patience: float) -> None:
        self._loop, self._patience = loop, patience

    def run(self, work: Callable[[LongCall], Coroutine[Any, Any, R]], what: str, *, total: int = 0) -> R:
        """Run `work(call)` and return its result.

        Args:
            work: returns the coroutine. It counts what it has moved in `call`, and ends soon after `call.stop` is set.
            what: what it does, for displays.
            total: bytes to be moved.

        Raises:
            NoAnswerError: there was no progress for too long.
        """
        with long_call(what, total=total) as call:
            future = asyncio.run_coroutine_threadsafe(work(call), self._loop)
            # A plain lock: `Future.result` waits in Python code, which an interrupt leaves in any state.
            done = threading.Lock()
            done.acquire()
            future.add_done_callback(lambda _: done.release())
            try:
                self._wait(done, call)
            except BaseException:
                # Asked to stop, not cancelled: libraries give an upload in parts up after an error, but not when
                # they are cancelled. What does not even notice that is cancelled later.
                call.stop.set()
                self._loop.call_soon_threadsafe(self._loop.call_later, self._patience, future.cancel)
                raise
            return future.result()

    def _wait(self, done: threading.Lock, call: LongCall) -> None:
        seen, since = call.moved, time.monotonic()
        while not done.acquire(timeout=min(1.0, self._patience)):
            if call.moved != seen:
                seen, since = call.moved, time.monotonic()
            elif time.monotonic() - since > self._patience:
                raise NoAnswerError(f"no answer for {self._patience:g} seconds")


async def gathered(
    calls: Iterable[Callable[[], Awaitable[R]]], *, at_once: int, stop: threading.Event
) -> list[R]:
    """Await calls, some at once, and return their results in order; after the first error no other is begun.

    All that were begun have ended when this returns or raises.
    """
    turns = asyncio.Semaphore(at_once)
    failed: list[BaseException] = []

    async def one(call: Callable[[], Awaitable[R]]) -> R | None:
        async with turns:
            if failed or stop.is_set():
                return None
            try:
                return await call()
            except BaseException as error:
                failed.append(error)
                raise

    found = await asyncio.gather(*[one(call) for call in calls], return_exceptions=True)
    if failed:
        raise failed[0]
    return found  # type: ignore[return-value]  # without a failure, each has its result
