"""Owns the `flux` orchestrator: each call is a batch job of the Flux Framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.components.cluster_jobs import ClusterOrchestrator

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["FluxOrchestrator"]


class FluxOrchestrator(ClusterOrchestrator):
    """Submits jobs with `flux batch`, and follows them with `flux jobs`."""

    flavor = "flux"
    description = "runs each step as a batch job of Flux"
    system = "Flux"

    def cluster_executor(self, **options: Any) -> Executor:
        """Return executorlib's executor."""
        from executorlib import FluxClusterExecutor  # only here: with it come h5py and pandas

        executor: Executor = FluxClusterExecutor(**options)
        return executor
