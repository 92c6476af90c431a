"""Owns `MlflowModelDeployer`: models served by MLflow's scoring server, behind zennb's token."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zennb.components.model_deployers.process_deployer import ProcessDeployer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MlflowModelDeployer"]


class MlflowModelDeployer(ProcessDeployer):
    """Deployments that answer `/invocations` as `mlflow models serve` does, and `/predict` as the flavor `local`."""

    flavor = "mlflow"
    description = "serves each model by MLflow's scoring server, behind a token, in a process of its own"

    def command(self) -> Sequence[str]:
        """Return the program of a deployment, which serves the application in `zennb.serving.mlflow`."""
        return [sys.executable, "-P", "-m", "zennb.serving.process", self.flavor]
