"""Owns `block`: context managers that change the state of a thread or process, and always change it back.

An interrupt can arrive on the way into `__exit__`, before its first instruction. Python then never goes on with the
generator of a `contextlib.contextmanager`. Its rest runs when the generator is collected, at any later moment: output
stays discarded, an alarm stays set, or a state is put back that others have changed since. So blocks are noted when
they begin. What an interrupt has left open is ended by the block around it, or by `end_abandoned`, inner ones first.
"""

from __future__ import annotations

from _thread import get_ident
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

__all__ = ["Block", "block", "end_abandoned", "open_blocks"]

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")


_open: dict[int, list[Block[Any]]] = {}
"""Thread → its blocks that have begun and not ended, outer ones first."""


class Block(Generic[T]):
    """A `with` block of a generator function, or a decorator that runs each call in one.

    Args:
        make: the generator function.
        args: its arguments.
        named: those that are passed by name.
    """

    # A cell passes through a dozen of them: this is not built on `contextlib`, which would take twice as long.
    __slots__ = ("_args", "_generator", "_make", "_named")

    def __init__(self, make: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._make, self._args, self._named = make, args, named
        self._generator: Generator[T, None, None] = make(*args, **named)

    def __call__(self, function: Callable[Q, R]) -> Callable[Q, R]:
        """Return the function; each of its calls runs in a block of its own."""

        @wraps(function)
        def within(*args: Q.args, **named: Q.kwargs) -> R:
            with Block(self._make, self._args, self._named):
                return function(*args, **named)

        return within

    def __enter__(self) -> T:
        __tracebackhide__ = True
        # Before it begins: an interrupt after its first half must not leave that in force.
        ident = get_ident()
        if ident in _open:
            _open[ident].append(self)
        else:
            _open[ident] = [self]
        try:
            return next(self._generator)
        except BaseException:
            self.abandon()  # it has begun if an interrupt came on the way back from it
            self._end()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        __tracebackhide__ = True
        if error is None:
            next(self._generator, None)
            self._end()
            return False
        if isinstance(error, KeyboardInterrupt):
            within = _open.get(get_ident(), [])
            while self in within and within[-1] is not self:
                within[-1].abandon()  # it counts as open while its rest runs
                within.pop()
        try:
            self._generator.throw(error)
        except StopIteration as stop:
            return stop is not error
        except BaseException as raised:
            # A StopIteration that leaves a generator becomes the cause of another error.
            if raised is error or (isinstance(error, StopIteration) and raised.__cause__ is error):
                error.__traceback__ = trace
                return False
            raise
        finally:
            self._end()
        return True

    def _end(self) -> None:
        thread = get_ident()
        blocks = _open.get(thread, [])
        if blocks and blocks[-1] is self:
            blocks.pop()
        elif self in blocks:
            blocks.remove(self)
        if not blocks:
            _open.pop(thread, None)  # the thread may end now

    def is_of(self, function: object) -> bool:
        """Whether it is a block of this generator function."""
        return self._make is function

    def abandon(self) -> None:
        """Run the rest of the generator function now; nothing happens if it has ended, or not begun."""
        with suppress(BaseException):
            self._generator.close()


def block(function: Callable[P, Iterator[T]]) -> Callable[P, Block[T]]:
    """Make a context manager of a generator function, as `contextlib.contextmanager` does."""

    @wraps(function)
    def begin(*args: P.args, **named: P.kwargs) -> Block[T]:
        return Block(function, args, named)

    return begin


def open_blocks(of: Callable[..., Block[Any]]) -> int:
    """Return how many blocks of a kind have begun and not ended, in all threads; the one that asks counts."""
    function = getattr(of, "__wrapped__", None)
    return sum(each.is_of(function) for blocks in list(_open.values()) for each in list(blocks))


def end_abandoned() -> None:
    """End the blocks of this thread that an interrupt has left open; called where none is open otherwise."""
    blocks = _open.get(get_ident(), [])
    while blocks:
        blocks[-1].abandon()
        blocks.pop()
    _open.pop(get_ident(), None)
