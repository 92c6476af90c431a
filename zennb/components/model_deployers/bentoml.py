"""Owns `BentomlModelDeployer`: models served as services of BentoML, behind zennb's token."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zennb.components.model_deployers.process_deployer import ProcessDeployer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BentomlModelDeployer"]


class BentomlModelDeployer(ProcessDeployer):
    """Deployments whose `/predict` is an API of BentoML, with its description and checks of health beside it."""

    flavor = "bentoml"
    description = "serves each model as a service of BentoML, behind a token, in a process of its own"

    def command(self) -> Sequence[str]:
        """Return the program of a deployment, which serves the application in `zennb.serving.bentoml`."""
        return [sys.executable, "-P", "-m", "zennb.serving.process", self.flavor]
