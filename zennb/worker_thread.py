"""Owns `WorkerThread`: calls that run one after another on their own thread, where no interrupt can reach them.

Python raises KeyboardInterrupt in the main thread only, between any two instructions. Inside a database
transaction that would leave the transaction open and block every other process. So calls that must not be cut in
half run here while the main thread waits: an interrupt ends the waiting, never the work.

Waiting uses C primitives only. `Future.result()` acquires the lock of its condition in Python code; an interrupt
right after that would leave the lock acquired and the worker blocked forever.
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

__all__ = ["DelayedCall", "WorkerClosedError", "WorkerThread"]

P = ParamSpec("P")
R = TypeVar("R")


class WorkerClosedError(RuntimeError):
    """A call came after `close`, as at the end of the process."""


class _Job(Generic[R]):
    """One call and its result."""

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
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller
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
            self.error = self.result = None  # avoids a cycle between the exception and its frames


class DelayedCall(Generic[R]):
    """A call that runs after a delay, unless it is cancelled before.

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
        """Make the call, unless it was cancelled."""
        job = self._job
        if job is not None and self._claimed("worker"):
            job.run()

    def cancel_or_result(self) -> R | None:
        """Cancel the call and return None; if it has already started, wait for it and return its result.

        After an interrupt this may be called again; the result is returned once.
        """
        job = self._job
        if job is None or self._claimed("caller"):
            self._job = None  # the queue may hold this object for a while: release the job now
            return None
        with job.done:  # an interrupt ends the waiting and changes nothing
            self._job = None
        return job.wait()

    def _claimed(self, who: str) -> bool:
        """Return whether `who` is first to claim the call, in one atomic operation."""
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
        del job  # an idle worker must not keep arguments or results alive


class _Worker:
    """A thread and its queue."""

    __slots__ = ("pid", "queue", "thread")

    def __init__(self, name: str) -> None:
        self.pid = os.getpid()
        self.queue: _Queue = SimpleQueue()
        self.thread = threading.Thread(target=_work, args=(self.queue,), name=name, daemon=True)
        self.thread.start()


def _start_worker(name: str) -> _Worker:
    """Return a worker; an interrupt during its start is raised as such."""
    try:
        return _Worker(name)
    except RuntimeError as error:  # after the interrupt `threading` releases a lock it does not hold
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
        worker = self._current_worker()
        if threading.get_ident() == worker.thread.ident:
            return function(*args, **kwargs)
        job: _Job[R] = _Job(function, args, kwargs)
        self._put(worker, job)
        return job.wait()

    def later(
        self, seconds: float, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> DelayedCall[R]:
        """Run `function` on the worker thread after a delay, unless it is cancelled or the thread ends before.

        Raises:
            RuntimeError: it was closed.
        """
        worker = self._current_worker()
        later = DelayedCall(_Job(function, args, kwargs), time.monotonic() + seconds)
        self._put(worker, later)
        return later

    def close(self) -> None:
        """Finish what was started and end the thread."""
        worker = self._worker
        if worker is not None and worker.pid != os.getpid():
            self._lock = threading.Lock()  # at the fork, a thread of the parent may have held the old one
            self._worker = worker = None
        with self._lock:
            self._closed = True
        if worker is None:
            return
        worker.queue.put(None)
        if worker.thread is not threading.current_thread():
            worker.thread.join()

    def _current_worker(self) -> _Worker:
        worker = self._worker
        return self._start() if worker is None or worker.pid != os.getpid() else worker

    def _put(self, worker: _Worker, job: _Job[Any] | DelayedCall[Any]) -> None:
        with self._lock:
            self._refuse_when_closed()
            worker.queue.put(job)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise WorkerClosedError(f"{self._name} is closed")

    def _start(self) -> _Worker:
        if self._worker is not None and self._worker.pid != os.getpid():
            self._lock = threading.Lock()
            self._worker = None
        with self._lock:
            self._refuse_when_closed()
            if self._worker is None:
                # Assign only a started worker: an interrupt before this line leaves an idle thread, not two.
                self._worker = _start_worker(self._name)
                _watch(self, self._worker.queue)
            return self._worker


def _watch(owner: WorkerThread, queue: _Queue) -> None:
    """End the worker when `owner` is dropped, and let it finish its work before the interpreter ends."""
    finish = partial(_finish, weakref.ref(owner))
    atexit.register(finish)
    weakref.finalize(owner, _dropped, queue, finish).atexit = False


def _finish(reference: weakref.ref[WorkerThread]) -> None:
    owner = reference()
    if owner is not None:
        owner.close()


def _dropped(queue: _Queue, finish: Callable[[], None]) -> None:
    queue.put(None)
    atexit.unregister(finish)
