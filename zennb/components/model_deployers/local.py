"""Owns `LocalModelDeployer`: models served by Python's own HTTP server, so that nothing has to be installed."""

from __future__ import annotations

from zennb.components.model_deployers.process_deployer import ProcessDeployer

__all__ = ["LocalModelDeployer"]


class LocalModelDeployer(ProcessDeployer):
    """Deployments by `zennb.serving`, each with a token."""

    flavor = "local"
    description = "serves each model over HTTP on 127.0.0.1, in a process of its own"
