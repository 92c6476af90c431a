"""Owns the `dask` orchestrator: calls run on the workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from concurrent.futures import Executor, Future
from concurrent.futures import wait as wait_for
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

import cloudpickle
import distributed
from traitlets import Dict, Int, Unicode, observe

from zennb.components.component import Visibility
from zennb.components.orchestrators.dask_address import look_at
from zennb.components.orchestrators.dask_calls import call_text, refused_versions, versions_text
from zennb.components.orchestrators.dask_processes import ProcessSetup, use_own_generator
from zennb.components.orchestrators.dask_relay import DaskRelay
from zennb.components.pooled import PooledOrchestrator, named
from zennb.errors import InvalidConfiguration, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from zennb.components.relay import Relay

__all__ = ["DaskOrchestrator"]

R = TypeVar("R")

_LOST = (
    "the connection to the Dask scheduler was lost while the step ran. What was running is not stored; run it again "
    "when the scheduler is there."
)
_NO_WORKER = (
    "no Dask worker{offering} was left for {patience} s while the step waited for one or ran. What was running "
    "is not stored; start one for {address}, and run the step again."
)


_ANSWER_SECONDS = 0.5
"""Seconds that the scheduler gets to say where tasks are: an interrupt waits for it."""
_PLACES_SECONDS, _SILENT_SECONDS = 0.1, 5.0
"""Seconds for which its answer holds, and for which it is not asked again when none came."""


class DaskOrchestrator(PooledOrchestrator):
    """Connects to a running scheduler, or starts a cluster at first use and closes it with the session."""

    flavor = "dask"
    description = "runs steps on the workers of a Dask cluster"
    visibility = Visibility.MACHINE
    on_demand = True

    address = Unicode(help="A running scheduler: tcp://host:8786.").tag(config=True)
    cluster = Unicode(
        help="Where the class is whose cluster is started at first use: dask_kubernetes.operator.KubeCluster. Without "
        "it and `address`, a cluster on this machine."
    ).tag(config=True)
    arguments = Dict(key_trait=Unicode(), help="Keyword arguments of the cluster: {'n_workers': 4}.").tag(
        config=True
    )
    resources = Dict(key_trait=Unicode(), help="What a worker must offer to run steps: {'GPU': 1}.").tag(
        config=True
    )
    patience = Int(
        60, min=1, help="Seconds until a scheduler that does not answer, or has no workers, is an error."
    ).tag(config=True)

    @observe("address", "cluster")
    def _reach(self, _change: Any) -> None:
        own = Visibility.NETWORK if self.address or self.cluster else Visibility.MACHINE
        self.visibility = own  # type: ignore[misc]  # it depends on the options
        self.on_demand = not self.address

    @property
    def dashboard(self) -> str:
        """The page of the scheduler, once it is connected."""
        connected = self._executor
        return connected.dashboard if isinstance(connected, _SchedulerConnection) else ""

    def probe(self, *, seconds: float) -> None:
        """Look for the scheduler, or for the class of the cluster, without starting one.

        Raises:
            WorkerLost: no scheduler answers at the address.
            InvalidConfiguration: there is no such class, or it is no address.
        """
        if self.address:
            look_at(self.address, seconds=seconds)
        elif self.cluster:
            named(self.cluster, option="cluster")

    def relay(self) -> Relay | None:
        """Return a relay through the scheduler; none for a cluster of this machine."""
        connected = self.executor() if self.visibility is Visibility.NETWORK else None
        return connected.relay if isinstance(connected, _SchedulerConnection) else None

    def make_executor(self) -> Executor:
        """Connect.

        Raises:
            WorkerLost: the scheduler does not answer, or has no worker.
            InvalidConfiguration: the cluster cannot be made, or runs other versions of Python or zennb.
        """
        use_own_generator()
        if self.address:
            look_at(self.address, seconds=self.patience, is_patient=True)
        cluster = None if self.address else self._started_cluster()
        try:
            client = distributed.Client(  # type: ignore[no-untyped-call]
                self.address or cluster, timeout=self.patience, set_as_default=False, name="zennb"
            )
        except OSError as error:
            if cluster is not None:
                cluster.close()
            raise WorkerLost(
                f"the Dask scheduler {self.address or ''} does not answer within {self.patience} s "
                f"({_reason(error)}). Nothing was started; check the address, and that the scheduler runs."
            ) from error
        connected = _SchedulerConnection(client, cluster, self.resources, self.patience)
        try:
            connected.check(self.patience)
            is_local = isinstance(cluster, distributed.LocalCluster)
            client.register_plugin(ProcessSetup(ignores_interrupts=is_local), name="zennb")
        except BaseException:
            connected.shutdown(wait=False)
            raise
        return connected

    def _started_cluster(self) -> Any:
        try:
            if not self.cluster:
                # No port for the dashboard of its own: two kernels may each have a cluster.
                return distributed.LocalCluster(  # type: ignore[no-untyped-call]
                    **{"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, **self.arguments}
                )
            return named(self.cluster, option="cluster")(**self.arguments)
        except (ValueError, TypeError) as error:
            raise InvalidConfiguration(
                f"the cluster `{self.cluster or 'distributed.LocalCluster'}` cannot be made: {error}.",
                option="cluster",
            ) from error


class _SchedulerConnection(Executor):
    """A connection to a scheduler, as an executor.

    Args:
        client: the connection.
        cluster: what was started for it; None for a scheduler that was there.
        resources: what a worker must offer.
        patience: seconds after which a scheduler that does not answer is lost.
    """

    def __init__(self, client: Any, cluster: Any, resources: dict[str, float], patience: int) -> None:
        self.client, self._cluster = client, cluster
        self._patience, self._is_lost, self._guard = patience, False, threading.Lock()
        self._watcher: threading.Thread | None = None
        self._seen = time.monotonic()  # a worker that can run calls
        self._needed = resources
        self._options = {"pure": False, "resources": resources or None}
        self._calls: WeakSet[_TaskFuture[Any]] = WeakSet()
        self._placing, self._placed_until = threading.Lock(), 0.0
        self._places: dict[str, str] = {}
        self.relay = DaskRelay(client)

    def check(self, patience: int) -> None:
        """Wait until a worker does something, and refuse a cluster with other versions than here."""
        first = self.client.submit(eval, *versions_text(), **self._options)
        try:
            first.result(timeout=patience)
        except (TimeoutError, distributed.TimeoutError) as error:
            first.cancel()
            raise WorkerLost(
                f"no Dask worker{self._offering} was there within {patience} s. Nothing was started; start one for "
                f"{self.client.scheduler.address}."
            ) from error
        if refused := refused_versions(self.client.run(eval, *versions_text())):
            raise refused

    @property
    def _offering(self) -> str:
        return f" that offers {self._needed}" if self._needed else ""

    @property
    def dashboard(self) -> str:
        with suppress(Exception):  # the scheduler is gone, or has no such page
            return str(self.client.dashboard_link or "")
        return ""

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        if self._is_lost or self.client.status != "running":
            raise RuntimeError(self.client.status)  # the scheduler is gone: a new connection is tried
        # As bytes: Dask would pickle the call twice, first without cloudpickle.
        text = call_text(cloudpickle.dumps((fn, args, kwargs)))
        task = self.client.submit(eval, *text, key=f"zennb-{uuid.uuid4().hex}", **self._options)
        future: _TaskFuture[R] = _TaskFuture(task, self)
        self._calls.add(future)
        task.add_done_callback(future.take)
        self._watch()
        return future

    def worker_of(self, key: str) -> str:
        """Return the address of the worker that has a task; "" if none is known to have it."""
        with self._placing:
            # For all tasks that are cancelled together: each second counts when the scheduler does not answer.
            if time.monotonic() > self._placed_until:
                self._places, wait = {}, _PLACES_SECONDS
                try:
                    found = self.client.sync(
                        self.client.scheduler.processing, workers=None, callback_timeout=_ANSWER_SECONDS
                    )
                    self._places = {key: address for address, keys in found.items() for key in keys}
                except Exception:  # noqa: BLE001 - whatever it is, there was no answer
                    wait = _SILENT_SECONDS
                self._placed_until = time.monotonic() + wait
            return self._places.get(key, "")

    def has_worker(self, address: str) -> bool:
        """Return whether a worker of this address may be there: the scheduler has not said that there is none.

        Args:
            address: "" for one that nobody knows.
        """
        try:
            known = self.client.sync(self.client.scheduler.identity, callback_timeout=self._patience)[
                "workers"
            ]
        except Exception:  # noqa: BLE001 - whatever it is, there was no answer
            return self.client.status not in {"closing", "closed"}
        return address in known if address else bool(known)

    def end_worker(self, address: str) -> bool:
        """End the process of a worker of this machine that was started for this connection; another takes its place."""
        for worker in getattr(self._cluster, "workers", {}).values():
            if isinstance(worker, distributed.Nanny) and worker.worker_address == address and worker.pid:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
                return True
        return False

    def _watch(self) -> None:
        """Look after the scheduler and its workers while calls run.

        When the scheduler's process ends, the connection does too. But a machine that is frozen, or cut off, keeps it
        open. And a scheduler without workers lets calls wait for ever.
        """
        with self._guard:
            if self._watcher is None:
                self._seen = time.monotonic()
                self._watcher = threading.Thread(target=self._ask, daemon=True, name="zennb-dask")
                self._watcher.start()

    def _ask(self) -> None:
        while True:
            with self._guard:
                calls = [call for call in self._calls if not call.done()]
                if not calls or self.client.status != "running":
                    self._watcher = None
                    return
            try:
                known = self.client.sync(self.client.scheduler.identity, callback_timeout=self._patience)
            except Exception:  # noqa: BLE001 - whatever it is, there was no answer
                self._is_lost = True
                for call in calls:
                    call.lose(_LOST)
                continue
            self._look_after(known["workers"].values(), calls)
            wait_for(calls, timeout=min(5.0, self._patience))

    def _look_after(self, workers: Iterable[Mapping[str, Any]], calls: Sequence[_TaskFuture[Any]]) -> None:
        """Start workers of this machine again that are gone for good; end the calls if none comes for too long."""
        cluster = self._cluster
        # Dask gives up a process that has died and is not back within 15 s, on a busy machine one after the other.
        if isinstance(cluster, distributed.LocalCluster) and len(cluster.workers) < len(cluster.worker_spec):
            cluster.scale(len(cluster.worker_spec))  # type: ignore[no-untyped-call]
        needed = self._needed.items()
        if any(
            all(worker["resources"].get(name, 0) >= least for name, least in needed) for worker in workers
        ):
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > self._patience:
            address = self.client.scheduler.address
            why = _NO_WORKER.format(offering=self._offering, patience=self._patience, address=address)
            for call in calls:
                call.lose(why)
                call.withdraw()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        del cancel_futures
        if wait:  # tasks end also when the connection is lost
            wait_for(list(self._calls))
        self.relay.end()
        if self._is_lost:
            with suppress(Exception):  # nobody answers
                self.client.close(timeout=1)
        else:
            self.client.close()
        if self._cluster is not None:
            self._cluster.close()


class _TaskFuture(Future[R]):
    """The future of a task. What runs already is not stopped by `cancel`: the step is, over its own link."""

    def __init__(self, task: Any, connection: _SchedulerConnection) -> None:
        super().__init__()
        self._task, self._is_taken, self._guard = task, False, threading.Lock()
        self._connection, self._worker = connection, ""

    def cancel(self) -> bool:
        if not self.done():
            self._worker = self._connection.worker_of(
                self._task.key
            )  # the scheduler forgets what is cancelled
        is_cancelled = super().cancel()
        if is_cancelled:
            self._task.cancel()
        return is_cancelled

    def abandon(self) -> str:
        """End the worker that runs the call, which was cancelled, or return where the call goes on running."""
        is_ended = bool(self._worker) and self._connection.end_worker(self._worker)
        return "" if is_ended else f"the Dask worker {self._worker}".rstrip()

    def has_worker(self) -> bool:
        """Return whether the worker that runs the call, which was cancelled, may still be there."""
        return self._connection.has_worker(self._worker)

    def take(self, task: Any) -> None:
        """Take over the result of the task, on a thread of the client."""
        if not self._is_first():
            return
        error = _error_of(task)
        result, others = (cast("R", None), None) if error is not None else task.result()
        error = error or (refused_versions(dict([others])) if others else None)
        if error is None:
            self.set_result(result)
        else:
            self.set_exception(error)
        task.release()  # the worker need not keep the result

    def lose(self, why: str) -> None:
        """End it, because the scheduler does not answer any more, or has no workers."""
        if self._is_first():
            self.set_exception(WorkerLost(why))

    def withdraw(self) -> None:
        """Keep the scheduler from running the task when a worker comes."""
        self._task.cancel()

    def _is_first(self) -> bool:
        """Whether it has no result yet, and is to get one now."""
        with self._guard:
            is_first, self._is_taken = not self._is_taken, True
        return is_first and self.set_running_or_notify_cancel()


def _reason(error: BaseException) -> str:
    """Return why no connection came about."""
    cause: BaseException | None = error
    for _ in range(100):
        if cause is None:
            break
        if "ConnectionRefusedError" in f"{type(cause).__name__} {cause}":
            return "the connection was refused"
        cause = cause.__cause__
    return str(error)


def _error_of(task: Any) -> BaseException | None:
    if task.status == "finished":
        return None
    if task.status != "error":
        return WorkerLost(_LOST)
    error: BaseException = task.exception()
    if isinstance(error, distributed.KilledWorker):
        return WorkerLost(
            "the Dask workers that ran the step died, one after another: most likely they ran out of memory, or the "
            "step crashes its process. What they were running is not stored; the logs of the workers say more."
        )
    return error
