"""Owns the `processes` orchestrator: calls run in other processes of this machine, each crash in its own.

A pool of processes breaks as a whole when one of them dies, and takes the calls of the others with it. So each worker
here is a pool of one (of loky, which starts workers without forking the kernel), driven by a thread of its own.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import LifoQueue
from typing import TYPE_CHECKING, Any, TypeVar

from loky.process_executor import ProcessPoolExecutor, ShutdownExecutorError
from traitlets import Float, Int

from zennb.compat.started_processes import note_own_pool
from zennb.components.component import Visibility
from zennb.components.pooled import PooledOrchestrator
from zennb.errors import WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ProcessesOrchestrator"]

R = TypeVar("R")

_EXIT_CODE = re.compile(r"([A-Z]+)\((-?\d+)\)")
"""How loky tells how its workers ended: `SIGSEGV(-11)`, `EXIT(3)`."""


class ProcessesOrchestrator(PooledOrchestrator):
    """Runs up to `workers` calls at once, in processes that are started when they are needed.

    A call that is cancelled while it runs has `grace` seconds to end by itself; then its worker is killed. A worker
    that dies takes no other call with it.
    """

    flavor = "processes"
    description = "runs independent steps side by side, in processes of this machine"
    visibility = Visibility.MACHINE
    is_direct = True

    workers = Int(
        max(2, min(8, os.cpu_count() or 2)), min=1, max=1000, help="How many steps run at once."
    ).tag(config=True)
    idle = Float(60.0, min=1.0, help="Seconds after which an idle worker ends and frees its memory.").tag(
        config=True
    )
    grace = Float(
        1.5, min=0.0, help="Seconds after an interrupt or a time limit until a worker that goes on is killed."
    ).tag(config=True)

    def make_executor(self) -> Executor:
        """Return workers that are isolated from each other."""
        return _IsolatedWorkers(self.workers, idle=self.idle, grace=self.grace, name=self.name)


class _IsolatedWorkers(Executor):
    """An executor whose workers can die one by one."""

    def __init__(self, count: int, *, idle: float, grace: float, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=f"zennb-{name}")
        # Last in, first out: few steps keep few workers busy, and the others end when they have been idle.
        self._workers: LifoQueue[_WorkerProcess] = LifoQueue()
        self._all = [_WorkerProcess(idle) for _ in range(count)]
        for worker in self._all:
            self._workers.put(worker)
        self._grace = grace

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        call: _KillableFuture[R] = _KillableFuture(self._grace)
        self._threads.submit(self._run, call, fn, args, kwargs)
        return call

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        for worker in self._all:
            worker.end()

    def _run(
        self, call: _KillableFuture[R], fn: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        worker = self._workers.get()
        try:
            call.run_on(worker, fn, args, kwargs)
        finally:
            self._workers.put(worker)


class _WorkerProcess:
    """A process that is started when it is needed, and again after it has died."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[R]:
        try:
            return self._submitted(fn, args, kwargs)
        except (BrokenExecutor, ShutdownExecutorError):  # it was killed while it was idle: nothing had begun
            self.kill()
            return self._submitted(fn, args, kwargs)

    def _submitted(self, fn: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[R]:
        if self._executor is None:
            # An interrupt of the notebook reaches its child processes too: idle ones must survive it.
            self._executor = ProcessPoolExecutor(
                1, timeout=self._idle, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
            )
            note_own_pool(self._executor)
        future: Future[R] = self._executor.submit(fn, *args, **kwargs)
        return future

    def kill(self) -> None:
        """End the process, whatever it does; the next call gets another."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)

    def end(self) -> None:
        """End the process, which is idle."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=True)


class _KillableFuture(Future[R]):
    """A call that can also be cancelled while it runs: its worker is killed if it goes on for too long.

    Such a future ends with KeyboardInterrupt, as if the call had been interrupted.
    """

    def __init__(self, grace: float) -> None:
        super().__init__()
        self._grace = grace
        self._mutex = threading.Lock()
        self._worker: _WorkerProcess | None = None
        self._is_cancelled = self._is_killed = False

    def cancel(self) -> bool:
        if super().cancel():
            return True
        with self._mutex:
            is_first, self._is_cancelled = not self._is_cancelled, True
        if is_first and not self.done():
            timer = threading.Timer(self._grace, self._kill)
            timer.daemon = True
            timer.start()
        return False

    def abandon(self) -> str:
        """Return where the call goes on running: nowhere, its worker is killed soon."""
        return ""

    def run_on(
        self, worker: _WorkerProcess, fn: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Run the call on a worker and wait for it."""
        if not self.set_running_or_notify_cancel():
            return
        try:
            result = self._begun_on(worker, fn, args, kwargs).result()
        except (BrokenExecutor, ShutdownExecutorError) as error:
            worker.kill()  # what is left of it
            self.set_exception(KeyboardInterrupt() if self._is_killed else _lost(error))
        except BaseException as error:  # noqa: BLE001 - whatever the call raised is its result
            self.set_exception(error)
        else:
            self.set_result(result)
        finally:
            with self._mutex:
                self._worker = None

    def _begun_on(
        self, worker: _WorkerProcess, fn: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[R]:
        with self._mutex:
            if self._is_killed:  # its time was over before it had a worker
                raise KeyboardInterrupt
            self._worker = worker
            return worker.submit(fn, args, kwargs)

    def _kill(self) -> None:
        # Under the lock, so that the call cannot end in between: the worker might do another one then.
        with self._mutex:
            self._is_killed = True
            if self._worker is not None:
                self._worker.kill()


def _lost(error: BaseException) -> WorkerLost:
    """Return what happened to a worker, in a sentence."""
    found = _EXIT_CODE.search(str(error))
    name, code = (found[1], int(found[2])) if found else ("", 0)
    with suppress(ValueError):
        name = signal.Signals(-code).name if code < 0 else name
    if name == "SIGKILL":
        why = "was killed (SIGKILL), most likely because the machine ran out of memory"
    elif code < 0:
        why = f"crashed ({name})"
    elif name == "EXIT":
        why = f"was ended by the code of the step (exit code {code})"
    else:
        why = "ended unexpectedly"
    return WorkerLost(
        f"the worker process {why}. What it was running is not stored, and no other step is affected; "
        "the next one gets a new worker."
    )
