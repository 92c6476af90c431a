"""Owns the `dask` orchestrator: calls run on the workers of a Dask cluster."""

from __future__ import annotations

import platform
from concurrent.futures import Executor
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import cloudpickle
import distributed
from traitlets import Dict, Int, Unicode, observe

from zennb.components.component import Visibility
from zennb.components.pooled import PooledOrchestrator
from zennb.errors import InvalidConfiguration, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["DaskOrchestrator"]

R = TypeVar("R")

_PACKAGES = ("zennb", "cloudpickle", "distributed")
"""Packages that have to be the same on both sides: they read what the other side has pickled."""


class DaskOrchestrator(PooledOrchestrator):
    """Connects to a running scheduler, or starts a cluster at first use and closes it with the session."""

    flavor = "dask"
    description = "runs steps on the workers of a Dask cluster"
    visibility = Visibility.MACHINE

    address = Unicode(help="A running scheduler: tcp://host:8786.").tag(config=True)
    cluster = Unicode(
        help="Where the class is whose cluster is started at first use: dask_kubernetes.operator.KubeCluster. Without "
        "it and `address`, a cluster on this machine."
    ).tag(config=True)
    options = Dict(key_trait=Unicode(), help="Keyword arguments of the cluster: {'n_workers': 4}.").tag(
        config=True
    )
    resources = Dict(key_trait=Unicode(), help="What a worker must offer to run steps: {'GPU': 1}.").tag(
        config=True
    )
    retries = Int(1, min=0, help="How often a step runs again whose worker has died.").tag(config=True)
    patience = Int(
        60, min=1, help="Seconds until a scheduler that does not answer, or has no workers, is an error."
    ).tag(config=True)

    @observe("address", "cluster")
    def _reach(self, _change: Any) -> None:
        self.visibility = Visibility.NETWORK if self.address or self.cluster else Visibility.MACHINE

    @property
    def link(self) -> str:
        """The address of the cluster's dashboard; "" while there is no connection."""
        executor = self._executor
        return executor.client.dashboard_link or "" if isinstance(executor, _Connected) else ""

    def make_executor(self) -> Executor:
        """Connect.

        Raises:
            WorkerLost: the scheduler does not answer, or has no worker.
            InvalidConfiguration: the cluster cannot be made, or runs other versions of Python or zennb.
        """
        cluster = None if self.address else self._started_cluster()
        try:
            client = distributed.Client(
                self.address or cluster, timeout=self.patience, set_as_default=False, name="zennb"
            )
        except OSError as error:
            raise WorkerLost(
                f"the Dask scheduler {self.address or ''} does not answer within {self.patience} s ({error}). Nothing "
                "was started; check the address, and that the scheduler runs."
            ) from error
        connected = _Connected(client, cluster, resources=self.resources, retries=self.retries)
        try:
            connected.check(self.patience)
        except BaseException:
            connected.shutdown(wait=False)
            raise
        return connected

    def _started_cluster(self) -> Any:
        try:
            if not self.cluster:
                # No port for the dashboard of its own: two kernels may each have a cluster.
                return distributed.LocalCluster(
                    **{"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1, **self.options}
                )
            module, _, name = self.cluster.replace(":", ".").rpartition(".")
            return getattr(import_module(module), name)(**self.options)
        except (ImportError, AttributeError, ValueError, TypeError) as error:
            raise InvalidConfiguration(
                f"the cluster `{self.cluster or 'distributed.LocalCluster'}` cannot be made: {error}.",
                option="cluster",
            ) from error


class _Connected(Executor):
    """A connection to a scheduler, as an executor.

    Args:
        client: the connection.
        cluster: what was started for it; None for a scheduler that was there.
        resources: what a worker must offer.
        retries: how often a call runs again whose worker has died.
    """

    def __init__(
        self, client: Any, cluster: Any, *, resources: dict[str, float], retries: int
    ) -> None:
        self.client, self._cluster = client, cluster
        self._executor = client.get_executor(
            pure=False, resources=resources or None, retries=0, allow_other_workers=False
        )
        del retries

    def check(self, patience: int) -> None:
        """Wait for a worker, and refuse a cluster with other versions than here."""
        try:
            self.client.wait_for_workers(1, timeout=patience)
        except TimeoutError as error:
            raise WorkerLost(
                f"no Dask worker came within {patience} s. Nothing was started; start workers for "
                f"{self.client.scheduler.address}."
            ) from error
        wrong = _differences(self.client.run(_versions), _versions())
        if wrong:
            raise InvalidConfiguration(
                "the Dask workers have other versions than this kernel, and cannot read what it pickles: "
                f"{'; '.join(wrong)}. Install the same ones on both sides."
            )

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        future: Future[R] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait, cancel_futures=cancel_futures)
        self.client.close()
        if self._cluster is not None:
            self._cluster.close()


def _versions() -> dict[str, str]:
    """Return the versions of this process: Python's, without the patch, and those of packages."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _differences(workers: dict[str, dict[str, str]], here: dict[str, str]) -> list[str]:
    seen: dict[tuple[str, str], list[str]] = {}
    for worker, versions in workers.items():
        for name, version in versions.items():
            if version != here[name]:
                seen.setdefault((name, version), []).append(worker)
    return [
        f"{name} {version} on {len(where)} of {len(workers)} workers, {here[name]} here"
        for (name, version), where in seen.items()
    ]


assert cloudpickle  # versions of it have to agree
