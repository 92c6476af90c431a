"""Owns how a call travels to a worker and back: pickled, and its error as a part of the result.

Executors hand the errors of calls back in forms of their own, which are not what the call raised.
"""

from __future__ import annotations

import traceback
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import cloudpickle

from zennb.errors import WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SendingExecutor", "make_call", "opened"]

R = TypeVar("R")


class SendingExecutor(Executor):
    """Runs calls on another executor, and hands back the errors that they raised.

    Args:
        executor: the other one.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Hand a call to the other executor."""
        return _SentFuture(self._executor.submit(make_call, cloudpickle.dumps((fn, args, kwargs))))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut the other executor down."""
        del cancel_futures  # not every executor knows this
        self._executor.shutdown(wait=wait)


class _SentFuture(Future[R]):
    """The future of a call on another executor.

    Args:
        inner: what the executor has returned.
    """

    def __init__(self, inner: Future[bytes]) -> None:
        super().__init__()
        self._inner = inner
        inner.add_done_callback(self._take)

    def cancel(self) -> bool:
        """Cancel the call, if the executor can; return whether it is cancelled."""
        with suppress(RuntimeError):  # Parsl never can, and raises a kind of it
            self._inner.cancel()
        return self.cancelled()

    def _take(self, inner: Future[bytes]) -> None:
        if inner.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
            return
        try:
            result, error = opened(inner.result())
        except BaseException as failure:  # noqa: BLE001 - of the executor, whatever it is
            error = WorkerLost(
                f"the executor has not run the step to its end ({type(failure).__name__}: {failure}). What was running "
                "is not stored."
            )
            error.__cause__ = failure
        if error is None:
            self.set_result(result)
        else:
            self.set_exception(error)


class _WorkerTraceback(Exception):
    """The traceback of an error in a worker, as text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def __str__(self) -> str:
        return f"\n{self._text}"


def make_call(content: bytes, prepare: Callable[[], None] | None = None) -> bytes:
    """Make a call, in a worker; return its result and None, or its error and the traceback, pickled.

    Args:
        content: the pickled call.
        prepare: called first.
    """
    try:
        if prepare is not None:
            prepare()
        function, args, kwargs = cloudpickle.loads(content)
        pickled: bytes = cloudpickle.dumps((function(*args, **kwargs), None))
    except BaseException as error:  # noqa: BLE001 - whatever the call raised is its result
        text = "".join(traceback.format_exception(error))
        try:
            return bytes(cloudpickle.dumps((error, text)))
        except Exception:  # noqa: BLE001 - the error cannot be pickled
            return bytes(cloudpickle.dumps((RuntimeError(f"{type(error).__name__}: {error}"), text)))
    return pickled


def opened(content: bytes) -> tuple[Any, BaseException | None]:
    """Return the result of a call and None, or None and the error that it raised."""
    result, text = cloudpickle.loads(content)
    if text is None:
        return result, None
    result.__cause__ = _WorkerTraceback(text)  # a pickle keeps no traceback and no cause
    return None, result
