"""Owns `MlflowModelDeployer`: models served by MLflow's scoring server, behind zennb's token."""

from __future__ import annotations

from zennb.components.model_deployers.process_deployer import ProcessDeployer

__all__ = ["MlflowModelDeployer"]


class MlflowModelDeployer(ProcessDeployer):
    """Deployments that answer `/invocations` as `mlflow models serve` does, and `/predict` as the flavor `local`."""

    flavor = "mlflow"
    description = "serves each model by MLflow's scoring server, behind a token, in a process of its own"
    application = "mlflow"
