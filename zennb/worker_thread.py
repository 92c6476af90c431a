"""Owns `WorkerThread`: calls made one after another on a thread of their own, where no interrupt can reach them.

Python raises KeyboardInterrupt in the main thread only, between any two instructions. Inside a database
transaction that leaves the transaction open and blocks every other process. So whatever must not be cut in
half runs here, and the main thread merely waits: an interrupt ends the waiting, never the work.

The waiting uses C primitives only. `Future.result()` takes its condition's lock in Python code; an interrupt
just after that would leave the lock taken and the worker blocked for ever.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DelayedCall", "WorkerThread"]

P = ParamSpec("P")
R = TypeVar("R")


class _Job(Generic[R]):
    """One call: what to run, and what came of it."""

    __slots__ = ("args", "done", "error", "function", "kwargs", "result")

    def __init__(self, function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.result: R | None = None
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            self.result = self.function(*self.args, **self.kwargs)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the call was made
            self.error = error
        finally:
            del self.function, self.args, self.kwargs
            self.done.release()

    def wait(self) -> R:
        self.done.acquire()
        try:
            if self.error is not None:
                raise self.error
            return self.result  # type: ignore[return-value]  # set by `run` when there is no error
        finally:
            self.error = self.result = None  # no cycle between the exception and its frames


class DelayedCall(Generic[R]):
    """A call that is to be made in a while, unless it is taken back before.

    Args:
        job: the call.
        at: when it is due, on the clock of `time.monotonic`.
    """

    __slots__ = ("_job", "_owner", "at")

    def __init__(self, job: _Job[R], at: float) -> None:
        self._job: _Job[R] | None = job
        self._owner: dict[str, str] = {}
        self.at = at

    def run(self) -> None:
        """Make the call, unless it was taken back."""
        job = self._job
        if job is not None and self._claimed("worker"):
            job.run()

    def cancel_or_result(self) -> R | None:
        """Return None for a call that will not be made any more; else wait for it, and return what it returned.

        After an interrupt it can be asked again; what came of the call is told once.
        """
        job = self._job
        if job is None or self._claimed("caller"):
            self._job = None  # it may wait for a while yet, and is to keep nothing alive
            return None
        with job.done:  # an interrupt ends the waiting and changes nothing
            self._job = None
        return job.wait()

    def _claimed(self, who: str) -> bool:
        """Whether that one decides what becomes of the call: the first to ask, in one step that nothing can part."""
        return self._owner.setdefault("who", who) == who


_Queue: TypeAlias = "SimpleQueue[_Job[Any] | DelayedCall[Any] | None]"


def _work(queue: _Queue) -> None:
    waiting: list[DelayedCall[Any]] = []
    while True:
        try:
            pause = max(0.0, waiting[0].at - time.monotonic()) if waiting else None
            job = queue.get(timeout=pause)
        except Empty:
            waiting.pop(0).run()
            continue
        if job is None:
            return
        if isinstance(job, DelayedCall):
            waiting.append(job)
            waiting.sort(key=lambda each: each.at)
        else:
            job.run()
        del job  # an idle worker keeps no arguments or results alive


class _Worker:
    """A thread and the queue only it reads."""

    __slots__ = ("pid", "queue", "thread")

    def __init__(self, name: str) -> None:
        self.pid = os.getpid()
        self.queue: _Queue = SimpleQueue()
        self.thread = threading.Thread(target=_work, args=(self.queue,), name=name, daemon=True)
        self.thread.start()


def _begun(name: str) -> _Worker:
    """Return a worker; an interrupt while its thread starts is raised as an interrupt."""
    try:
        return _Worker(name)
    except RuntimeError as error:  # the interrupt has kept `threading` from taking its own lock back
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise


class WorkerThread:
    """One worker thread; `call` runs a function there and returns what it returned.

    The thread starts with the first call. In a forked child the first call starts a new one; connections that
    were opened before the fork must be opened again by their owner.

    Args:
        name: the thread's name, for debuggers and stack dumps.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` on the worker thread and wait for its result; nested calls run in place.

        Raises:
            RuntimeError: it was closed.
        """
        worker = self._at_work()
        if threading.get_ident() == worker.thread.ident:
            return function(*args, **kwargs)
        job: _Job[R] = _Job(function, args, kwargs)
        self._put(worker, job)
        return job.wait()

    def later(
        self, seconds: float, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> DelayedCall[R]:
        """Run `function` on the worker thread in so many seconds, unless it is taken back or the thread ended before.

        Raises:
            RuntimeError: it was closed.
        """
        worker = self._at_work()
        later = DelayedCall(_Job(function, args, kwargs), time.monotonic() + seconds)
        self._put(worker, later)
        return later

    def close(self) -> None:
        """Finish what was started and end the thread."""
        worker = self._worker
        if worker is not None and worker.pid != os.getpid():
            self._lock = threading.Lock()  # a thread of the parent may have held the old one at the fork
            self._worker = worker = None
        with self._lock:
            self._closed = True
        if worker is None:
            return
        worker.queue.put(None)
        if worker.thread is not threading.current_thread():
            worker.thread.join()

    def _at_work(self) -> _Worker:
        worker = self._worker
        return self._start() if worker is None or worker.pid != os.getpid() else worker

    def _put(self, worker: _Worker, job: _Job[Any] | DelayedCall[Any]) -> None:
        with self._lock:
            self._refuse_when_closed()
            worker.queue.put(job)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")

    def _start(self) -> _Worker:
        if self._worker is not None and self._worker.pid != os.getpid():
            self._lock = threading.Lock()
            self._worker = None
        with self._lock:
            self._refuse_when_closed()
            if self._worker is None:
                # One assignment of a finished worker: an interrupt before it leaves an idle thread, not two.
                self._worker = _begun(self._name)
                _watch(self, self._worker.queue)
            return self._worker


def _watch(serial: WorkerThread, queue: _Queue) -> None:
    """End the worker when `serial` is dropped, and let it finish its work before the interpreter ends."""
    finish = partial(_finish, weakref.ref(serial))
    atexit.register(finish)
    weakref.finalize(serial, _dropped, queue, finish).atexit = False


def _finish(reference: weakref.ref[WorkerThread]) -> None:
    serial = reference()
    if serial is not None:
        serial.close()


def _dropped(queue: _Queue, finish: Callable[[], None]) -> None:
    queue.put(None)
    atexit.unregister(finish)
