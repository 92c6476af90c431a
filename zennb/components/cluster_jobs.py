"""Owns `ClusterOrchestrator`: an orchestrator whose calls are batch jobs of a cluster, submitted through executorlib.

executorlib's file-based executors exchange calls and results as files in a folder that both sides reach. So a job goes
on when the kernel that submitted it ends, and no node has to open a connection.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import uuid
import warnings
from abc import abstractmethod
from collections import deque
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import suppress
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import cloudpickle
from traitlets import Dict, Float, Int, Unicode

from zennb.components.component import Visibility
from zennb.components.pooled import PooledOrchestrator
from zennb.components.relay import FileRelay, Relay
from zennb.components.sent_calls import make_call, opened
from zennb.errors import InvalidConfiguration, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClusterOrchestrator"]

R = TypeVar("R")

_ATTEMPTS = 3
"""How often executorlib is started again for a job whose files it no longer watches."""


class ClusterOrchestrator(PooledOrchestrator):
    """Each call is a job of its own, in the queue of a cluster."""

    visibility = Visibility.NETWORK

    _relay: FileRelay | None = None

    system: ClassVar[str]
    """The cluster's software, as it is called in messages."""
    template: ClassVar[str] = ""
    """The script of a job; "" for executorlib's own."""

    cache_directory = Unicode(
        help="A folder for the files of the jobs that this machine and the nodes of the cluster reach: "
        "/scratch/me/zennb."
    ).tag(config=True, required=True)
    cores = Int(1, min=1, help="CPU cores for each step.").tag(config=True)
    resources = Dict(
        key_trait=Unicode(),
        help="What else a job asks for, by the names in its template: {'partition': 'long', 'run_time_max': 3600}.",
    ).tag(config=True)
    workers = Int(64, min=1, help="How many jobs are in the queue at once; other steps wait here.").tag(
        config=True
    )
    pysqa_config_directory = Unicode(
        help="A folder with queue.yaml and templates of pysqa, in place of our template."
    ).tag(config=True)
    refresh = Float(1.0, min=0.01, help="Seconds between two looks at the files of the jobs.").tag(
        config=True
    )

    def relay(self) -> Relay | None:
        """Return a relay through files in `cache_directory`."""
        if self._relay is None:
            self._relay = FileRelay(Path(self.cache_directory).expanduser(), every=min(self.refresh, 0.5))
        return self._relay

    @abstractmethod
    def cluster_executor(self, **options: Any) -> Executor:
        """Return a file-based executor of executorlib with these arguments."""

    def make_executor(self) -> Executor:
        """Return an executor of jobs; nothing is submitted.

        Raises:
            InvalidConfiguration: the folder cannot be used, or an option of the cluster is wrong.
        """
        folder = Path(self.cache_directory).expanduser()
        if not folder.is_absolute() or any(each.isspace() for each in str(folder)):
            raise InvalidConfiguration(
                f"`cache_directory` is {str(folder)!r}, but has to be an absolute path without spaces, which the nodes "
                "of the cluster reach, too.",
                option="cache_directory",
            )
        if self.resources.get("cores", 1) != 1:
            raise InvalidConfiguration(
                "`resources` asks for MPI processes (cores), each of which would run the step; use the option `cores` "
                "for the CPU cores of a step.",
                option="resources",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidConfiguration(
                f"`cache_directory` cannot be used: {error}.", option="cache_directory"
            ) from error
        return _Jobs(self._started, folder, workers=self.workers, system=self.system)

    def _started(self) -> Executor:
        # executorlib counts processes as cores, and multiplies them with the threads of each.
        resources: dict[str, Any] = {"threads_per_core": self.cores, **self.resources, "cores": 1}
        options: dict[str, Any] = {
            "cache_directory": str(Path(self.cache_directory).expanduser()),
            "resource_dict": resources,
            "refresh_rate": self.refresh,
        }
        if self.pysqa_config_directory:
            options["pysqa_config_directory"] = str(Path(self.pysqa_config_directory).expanduser())
        elif self.template:
            resources.setdefault("submission_template", self.template)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of the names that only the template knows
            return self.cluster_executor(**options)


class _Jobs(Executor):
    """Keeps some calls in the queue of a cluster, and follows them.

    Args:
        start: returns a new executor of executorlib.
        folder: where the files of the jobs are.
        workers: how many jobs are in the queue at once.
        system: the cluster's software.
    """

    def __init__(self, start: Callable[[], Executor], folder: Path, *, workers: int, system: str) -> None:
        self._start, self._folder, self._workers, self._system = start, folder, workers, system
        self._lock = threading.RLock()
        self._waiting: deque[_JobFuture[Any]] = deque()
        self._running: dict[str, _JobFuture[Any]] = {}
        self._is_closed = False
        self._executor = self._followed()

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        call: _JobFuture[R] = _JobFuture(cloudpickle.dumps((fn, args, kwargs)), str(Path.cwd()))
        with self._lock:
            if self._is_closed:
                raise RuntimeError("closed")
            self._waiting.append(call)
        self._fill()
        return call

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        del cancel_futures
        with self._lock:
            self._is_closed = True
            calls = [*self._waiting, *self._running.values()]
        if wait:
            wait_for(calls)
        self._executor.shutdown(wait=wait)

    def _fill(self) -> None:
        """Submit calls that wait, as many as the queue may hold."""
        with self._lock:
            while self._waiting and len(self._running) < self._workers:
                call = self._waiting.popleft()
                if not call.done():
                    self._running[call.key] = call
                    self._submit(call)

    def _submit(self, call: _JobFuture[Any]) -> None:
        call.attempts += 1
        # executorlib takes the result of an earlier call for that of an equal one, unless it is given a key.
        options: Any = {"resource_dict": {"cache_key": call.key}}
        inner: Any = self._executor.submit(_perform, call.content, call.folder, **options)
        inner.set_result, inner.set_exception = _tolerant(inner.set_result), _tolerant(inner.set_exception)
        call.inner = inner
        if call.cancelled():  # before there was anything to cancel
            inner.cancel()
        inner.add_done_callback(lambda inner: self._take(call, inner))

    def _take(self, call: _JobFuture[Any], inner: Future[bytes]) -> None:
        """Take over what a job returned, on the thread of executorlib."""
        if call.inner is not inner:  # followed by another executor by now
            return
        if call.set_running_or_notify_cancel():
            try:
                result, raised = opened(inner.result())
            except (Exception, CancelledError) as error:  # noqa: BLE001 - each is a reason why there is no result
                call.set_exception(self._lost(call, error))
            else:
                self._remove(call)
                if raised is None:
                    call.set_result(result)
                else:
                    call.set_exception(raised)
        else:
            self._remove(call)
        with self._lock:
            self._running.pop(call.key, None)
        self._fill()

    def _remove(self, call: _JobFuture[Any]) -> None:
        for end in ("_i.h5", "_o.h5"):
            with suppress(OSError):
                (self._folder / f"{call.key}{end}").unlink()
        shutil.rmtree(self._folder / call.key, ignore_errors=True)

    def _lost(self, call: _JobFuture[Any], error: BaseException) -> WorkerLost:
        """Return why a job has no result, in a sentence."""
        system = self._system
        if isinstance(error, FileNotFoundError):
            why = f"{system} cannot be used here ({error}): start the notebook on a machine that submits jobs"
        elif isinstance(error, CalledProcessError):
            why = f"{system} did not take the job: {str(error.output or error).strip()}"
        elif isinstance(error, RuntimeError) and "terminated without" in str(error):
            why = (
                f"the {system} job of the step ended without a result: most likely it ran out of time or memory, or "
                "was cancelled"
            )
        else:
            why = f"{system} did not run the job ({type(error).__name__}: {error})"
        logs = self._folder / call.key
        return WorkerLost(
            f"{why}. What it was running is not stored{f'; its log is in {logs}' if logs.exists() else ''}."
        )

    # Following executorlib

    def _followed(self) -> Executor:
        """Return a new executor, which is watched.

        executorlib looks at its files in a thread that ends with the first error, such as a `squeue` that gets no
        answer, and no future would end then. Besides, that thread would keep the kernel from exiting: threads that
        a daemon starts are daemons.
        """
        started: Future[Executor] = Future()
        threading.Thread(target=self._follow, args=(started,), daemon=True, name="zennb-jobs").start()
        return started.result()

    def _follow(self, started: Future[Executor]) -> None:
        try:
            executor = self._start()
        except BaseException as error:  # noqa: BLE001 - it is raised where the executor was asked for
            started.set_exception(error)
            return
        thread = getattr(getattr(executor, "_task_scheduler", None), "_process", None)
        started.set_result(executor)
        if not isinstance(thread, threading.Thread):
            return
        # While this waits, its frame holds the executor, whose finalizer waits for that thread: at exit for ever.
        thread.join()
        if not self._is_closed:
            self._follow_again(executor)

    def _follow_again(self, broken: Any) -> None:
        """Follow the jobs with a new executor: with their keys it finds those that run and those that have ended."""
        queue = broken.future_queue
        # Nobody takes from this queue any more, and shutting down waits until it is empty.
        threading.Thread(target=_drain, args=(queue,), daemon=True).start()
        broken.shutdown(wait=False)
        try:
            executor = self._followed()
        except BaseException as error:  # noqa: BLE001 - it is the result of all calls
            failure: BaseException = error
            executor = None
        with self._lock:
            calls = [each for each in self._running.values() if not each.done()]
            again = [each for each in calls if executor is not None and each.attempts < _ATTEMPTS]
            if executor is not None:
                self._executor = executor
                failure = RuntimeError("its jobs could not be followed")
            for call in again:
                self._submit(call)
        for call in [each for each in calls if each not in again]:
            self._running.pop(call.key, None)
            if call.set_running_or_notify_cancel():
                call.set_exception(self._lost(call, failure))


class _JobFuture(Future[R]):
    """The future of a job; to cancel it also ends the job, even if that runs already.

    Attributes:
        content: the pickled call.
        folder: the working folder of the notebook.
        key: names its files.
        inner: the future of executorlib; None while the call waits.
        attempts: how often it was given to executorlib.
    """

    def __init__(self, content: bytes, folder: str) -> None:
        super().__init__()
        self.content, self.folder, self.key = content, folder, f"zennb-{uuid.uuid4().hex}"
        self.inner: Future[bytes] | None = None
        self.attempts = 0

    def cancel(self) -> bool:
        is_cancelled = super().cancel()
        if is_cancelled and self.inner is not None:
            self.inner.cancel()
        return is_cancelled


def _tolerant(act: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a method of a future that does nothing once the future has ended.

    A call may be cancelled at the moment when its result arrives, and the error would end executorlib's thread.
    """

    def acted(value: Any) -> None:
        with suppress(Exception):
            act(value)

    return acted


def _drain(queue: Any) -> None:
    while True:
        item = queue.get()
        queue.task_done()
        if "shutdown" in item:
            return


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise WorkerLost(
            f"the folder of the notebook, {folder}, cannot be used on {socket.gethostname()}, where the job of the "
            f"step ran ({error.strerror}). Start the notebook in a folder that the nodes of the cluster reach."
        ) from error


def _perform(content: bytes, folder: str) -> bytes:
    """Make a call, in a job; return its result and None, or its error and the traceback, pickled.

    Args:
        content: the pickled call.
        folder: the working folder of the notebook, where its files are.
    """
    return make_call(content, partial(_enter, folder))
