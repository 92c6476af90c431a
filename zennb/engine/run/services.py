"""Owns `StackServices`: the components that a run uses beside orchestrator and artifact store."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zennb.engine.delivery.alerts import AlertSender
from zennb.engine.delivery.outbox import Outbox
from zennb.engine.delivery.tracking import Tracking
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.alerter import Alerter
    from zennb.components.data_validator import DataValidator
    from zennb.components.experiment_tracker import ExperimentTracker
    from zennb.core.secrets.texts import KnownSecrets
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = ["StackServices"]


class StackServices:
    """The optional components of a stack, each with its embedded default; none is made before it is used.

    Args:
        workspace: where components are registered.
        stack: the stack.
        secrets: masked in what is sent.
        say: shows a sentence to the user.
    """

    def __init__(
        self,
        workspace: Workspace,
        stack: Stack,
        *,
        secrets: KnownSecrets,
        say: Callable[[str], None],
    ) -> None:
        self._workspace, self._stack, self._secrets, self._say = workspace, stack, secrets, say

    @property
    def validator(self) -> DataValidator:
        """The data validator of the stack."""
        spec = self._stack.spec.components.get("data_validator")
        name = DEFAULT if spec is None else spec.name
        return cast("DataValidator", self._workspace.component("data_validator", name, self._stack))

    @property
    def tracking(self) -> Tracking | None:
        """Tells the experiment tracker of the stack; None without one, and for zennb's own records."""
        spec = self._stack.spec.components.get("experiment_tracker")
        if spec is None or spec.flavor == "local":
            return None
        tracking = Tracking(
            spec.name,
            lambda: cast("ExperimentTracker", self._workspace.component(spec.type, spec.name, self._stack)),
            # Nobody waits for it, and the first call may have to create a database.
            Outbox(self._workspace.home, secrets=self._secrets, deadline=60.0),
            say=self._say,
        )
        tracking.prepare()
        return tracking

    @property
    def alerts(self) -> AlertSender:
        """Sends alerts by the alerter of the stack, or any that is registered."""
        return AlertSender(
            lambda name: cast("Alerter", self._workspace.component("alerter", name, self._stack)),
            Outbox(self._workspace.home, secrets=self._secrets),
            say=self._say,
        )
