"""Owns the ways to stop a running step: a time limit, an interrupt, and an interrupt in another thread."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from zennb.errors import StepTimeout
from zennb.with_blocks import block

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

__all__ = ["CancellationToken", "interrupted", "interrupts_raise", "keep_loop_responsive", "time_limit"]

_TURN = 0.2  # seconds an event loop sleeps at most while a step awaits


class CancellationToken:
    """Stops a step, in whichever thread it runs.

    Attributes:
        rest: after `stop`, returns what goes on running all the same, as a sentence; "" for nothing. It is given the
            seconds that the step has to end.
        is_stopped: whether `stop` was called.
    """

    rest: Callable[[float], str] = staticmethod(lambda _seconds: "")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self.is_stopped = False
        self._others: list[Callable[[], object]] = []

    @block
    def held(self) -> Iterator[None]:
        """Run the block as the step that `stop` stops.

        Raises:
            KeyboardInterrupt: it was stopped before it began.
        """
        with self._lock:
            if self.is_stopped:
                raise KeyboardInterrupt
            self._thread = threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                self._thread = None

    def also(self, stop: Callable[[], object]) -> None:
        """Also call `stop` when the step is stopped, because it runs in another process."""
        with self._lock:
            self._others.append(stop)
            is_stopped = self.is_stopped
        # It was stopped before this was registered. Outside the lock, as is every call that
        # may wait for another process.
        if is_stopped:
            stop()

    def stop(self) -> None:
        """Raise KeyboardInterrupt in the step, at its next instruction; in the main thread even while it waits."""
        with self._lock:
            self.is_stopped = True
            others = tuple(self._others)
            # Under the lock, so that the step cannot end in between: the interrupt would hit
            # whatever this thread does next.
            if self._thread is not None:
                _interrupt(self._thread)
        for stop in others:
            stop()


@block
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `StepTimeout` in the block when it takes longer than `seconds`; None means no limit.

    In the main thread a timer signal also ends waiting in system calls (`time.sleep`, a socket); in other threads
    the error is raised at the next Python instruction.
    """
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        yield from _with_signal(seconds)
    else:
        yield from _with_timer(seconds)


@block
def keep_loop_responsive() -> Iterator[None]:
    """Wake the event loop of this thread, if any, a few times a second until the block ends.

    An interrupt of a cell that awaits cancels its task, and a loop that sleeps would see that only when it wakes.
    """
    loop = _running_loop()
    if loop is None:
        yield
        return

    timers: list[asyncio.TimerHandle] = []

    def turn() -> None:
        timers[:] = [loop.call_later(_TURN, turn)]

    turn()
    try:
        yield
    finally:
        timers[0].cancel()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread; there is none if `asyncio` is not loaded."""
    loaded = sys.modules.get("asyncio")
    try:
        return None if loaded is None else loaded.get_running_loop()
    except RuntimeError:
        return None


def interrupted(notes: Sequence[str] = ()) -> KeyboardInterrupt:
    """Return an interrupt that is displayed as one line: the place where this thread waited is of no use.

    Args:
        notes: those of the one that came; they are displayed, too.
    """
    error = KeyboardInterrupt()
    for note in notes:
        error.add_note(note)
    error._render_traceback_ = lambda *_: ["KeyboardInterrupt", *notes]  # type: ignore[attr-defined]  # IPython asks
    return error


class interrupts_raise:  # noqa: N801 - used like a function, as `contextlib.suppress` is
    """Let an interrupt raise KeyboardInterrupt in the block, also in a cell that awaits.

    In such a cell the kernel cancels a task instead, which does nothing as long as the cell waits for a thread. This is
    a class, since the rest of an interrupted generator would set the handler whenever it is collected.
    """

    def __init__(self) -> None:
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *_error: object) -> None:
        if self._before is not None:  # a handler that was set from Python
            signal.signal(signal.SIGINT, self._before)


def _with_signal(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StepTimeout

    # The handler first: an alarm that nobody handles ends the process. At the end the timer
    # first, for the same reason.
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _with_timer(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, _raise_in, (threading.get_ident(), StepTimeout))
    # A step that hangs must not keep the process from exiting.
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _interrupt(thread: int) -> None:
    main = threading.main_thread().ident
    if thread == main and thread != threading.get_ident() and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signal.SIGINT)  # ends waiting in system calls too
    else:
        _raise_in(thread, KeyboardInterrupt)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    # The only way to raise in another thread. A blocking C call ends first, as the error waits for the next bytecode.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
