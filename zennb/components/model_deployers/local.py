"""Owns `LocalModelDeployer`: models served by Python's own HTTP server, so that nothing has to be installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zennb.components.model_deployers.process_deployer import ProcessDeployer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LocalModelDeployer"]


class LocalModelDeployer(ProcessDeployer):
    """Deployments by `zennb.serving`, each with a token."""

    flavor = "local"
    description = "serves each model over HTTP on 127.0.0.1, in a process of its own"

    def command(self) -> Sequence[str]:
        """Return the program of a deployment."""
        # -P: what lies in the notebook's folder must not take the place of Python's modules while they are imported.
        return [sys.executable, "-P", "-m", "zennb.serving.process"]
