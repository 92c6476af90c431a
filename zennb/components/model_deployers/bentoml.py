"""Owns `BentomlModelDeployer`: models served as services of BentoML, behind zennb's token."""

from __future__ import annotations

from zennb.components.model_deployers.process_deployer import ProcessDeployer

__all__ = ["BentomlModelDeployer"]


class BentomlModelDeployer(ProcessDeployer):
    """Deployments whose `/predict` is an API of BentoML, with its description and checks of health beside it."""

    flavor = "bentoml"
    description = "serves each model as a service of BentoML, behind a token, in a process of its own"
    application = "bentoml"
