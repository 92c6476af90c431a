"""Owns `uninterrupted`: short acts that an interrupt cannot cut in half; it is delivered when they are over.

Python raises KeyboardInterrupt in the main thread between any two instructions. A step that binds half of its outputs
would be neither run nor not run. So what belongs together is prepared first, where it can be interrupted, and bound in
one act. Both are classes: an interrupt on the way into the `__exit__` of a generator would leave it to the garbage
collector to run the rest, at a time when nobody expects that the signal's handler changes.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from zennb.engine.step.cancellation import interrupted

if TYPE_CHECKING:
    from types import FrameType, TracebackType

__all__ = ["interruptible", "uninterrupted"]

_LONGEST = 5.0
"""Seconds after which an interrupt is let through, whatever it cuts in half: nothing may make a kernel deaf."""


class _Held:
    """The interrupt that waits, since when it has to, and who gets it. There is one main thread, hence one of these."""

    came = False
    since = 0.0
    handler: Any = signal.default_int_handler


_held = _Held()


def _note(_number: int, _frame: FrameType | None) -> None:
    _held.came = True
    if time.monotonic() - _held.since > _LONGEST:
        raise KeyboardInterrupt


def _hold() -> None:
    _held.since = time.monotonic()
    _held.handler = signal.signal(signal.SIGINT, _note)


def _can_hold() -> bool:
    """Whether interrupts reach this thread, by a handler that was set from Python and can be set again."""
    if threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGINT) not in {_note, None}


class uninterrupted:  # noqa: N801 - used like a function, as `contextlib.suppress` is
    """Hold interrupts back until the block ends; nested blocks are one.

    Args:
        deliver: whether an interrupt that came meanwhile is delivered then. Not after the end of a cell: there is
            nothing left to interrupt.

    Attributes:
        came: whether an interrupt was held back; known after the block.
    """

    def __init__(self, *, deliver: bool = True) -> None:
        self._deliver, self._is_outer, self.came = deliver, False, False

    def __enter__(self) -> Self:
        if _can_hold():
            _held.came = False
            _hold()  # an interrupt that came before is raised by this, and nothing has begun; later ones are noted
            self._is_outer = True
        return self

    def __exit__(self, *_error: object) -> None:
        __tracebackhide__ = True
        if not self._is_outer:
            return
        self._is_outer = False
        signal.signal(signal.SIGINT, _held.handler)
        self.came, _held.came = _held.came, False
        if self.came and self._deliver:
            _deliver()


class interruptible:  # noqa: N801 - as above
    """Let interrupts through in the block, within an uninterrupted one: for the user's code and what takes long."""

    def __init__(self) -> None:
        self._is_open = False

    def __enter__(self) -> Self:
        __tracebackhide__ = True
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is _note:
            self._is_open = True
            signal.signal(signal.SIGINT, _held.handler)
            if _held.came:
                _held.came = False
                self._hold_again()
                _deliver()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open and _can_hold():
            self._hold_again()

    @staticmethod
    def _hold_again() -> None:
        while True:
            try:
                _hold()
                return
            except KeyboardInterrupt:  # it came before the line above took effect: delivered at the end
                _held.came = True


def _deliver() -> None:
    """Do what the interrupt would have done: raise, without the place where it was held back; or call the handler."""
    __tracebackhide__ = True
    if _held.handler is signal.default_int_handler:
        raise interrupted()
    if callable(_held.handler):
        _held.handler(signal.SIGINT, None)
    elif _held.handler == signal.SIG_DFL:
        signal.raise_signal(signal.SIGINT)
