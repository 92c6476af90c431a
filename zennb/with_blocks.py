"""Owns `block`: context managers that change the state of a thread or process, and always change it back.

An interrupt can arrive on the way into `__exit__`, before its first instruction. Python then never goes on with the
generator of a `contextlib.contextmanager`. Its rest runs when the generator is collected, at any later moment: output
stays discarded, an alarm stays set, or a state is put back that others have changed since. So blocks are noted when
they begin. What an interrupt has left open is ended by the block around it, or by `end_abandoned`, inner ones first.
"""

from __future__ import annotations

from _thread import get_ident
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

__all__ = ["Block", "block", "end_abandoned"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")


_open: dict[int, list[Block[Any]]] = {}
"""Thread → its blocks that have begun and not ended, outer ones first."""


class Block(Generic[T]):
    """A `with` block of a generator function, or a decorator that runs each call in one.

    Args:
        make: returns the context manager that `contextlib` makes of it.
    """

    __slots__ = ("_inner", "_make")

    def __init__(self, make: Callable[[], AbstractContextManager[T]]) -> None:
        self._make, self._inner = make, make()

    def __call__(self, function: Callable[Q, R]) -> Callable[Q, R]:
        """Return the function; each of its calls runs in a block of its own."""

        @wraps(function)
        def within(*args: Q.args, **named: Q.kwargs) -> R:
            with Block(self._make):
                return function(*args, **named)

        return within

    def __enter__(self) -> T:
        __tracebackhide__ = True
        # Before it begins: an interrupt after its first half must not leave that in force.
        _open.setdefault(get_ident(), []).append(self)
        try:
            return self._inner.__enter__()
        except BaseException:
            self.abandon()  # it has begun if an interrupt came on the way back from it
            self._end()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        __tracebackhide__ = True
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            within = _open.get(get_ident(), [])
            while self in within and within[-1] is not self:
                within.pop().abandon()
        is_handled = self._inner.__exit__(kind, error, trace)
        self._end()
        return is_handled

    def _end(self) -> None:
        blocks = _open.get(get_ident(), [])
        with suppress(ValueError):  # it was ended as an abandoned one
            blocks.remove(self)
        if not blocks:
            _open.pop(get_ident(), None)

    def abandon(self) -> None:
        """Run the rest of the generator function now; nothing happens if it has ended, or not begun."""
        with suppress(BaseException):
            self._inner.__exit__(GeneratorExit, GeneratorExit(), None)


def block(function: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
    """Make a context manager of a generator function, as `contextlib.contextmanager` does."""
    make = contextmanager(function)

    @wraps(function)
    def begin(*args: P.args, **named: P.kwargs) -> Block[T]:
        return Block(lambda: make(*args, **named))

    return begin


def end_abandoned() -> None:
    """End the blocks of this thread that an interrupt has left open; called where none is open otherwise."""
    blocks = _open.pop(get_ident(), [])
    while blocks:
        blocks.pop().abandon()
