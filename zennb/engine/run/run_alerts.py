"""Owns `RunAlerts`: who is told of a pipeline run and of its steps (`--notify`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.engine.delivery.alerts import NOT_WATCHED, run_alert, step_alert
from zennb.engine.run.step_services import watch_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Run, Step
    from zennb.engine.delivery.alerts import Watched
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.definition import StepDefinition

__all__ = ["RunAlerts"]


class RunAlerts:
    """The alerts of one pipeline run.

    Args:
        context: the stack it runs on.
        request: what is run.
        is_recorded: whether the run records its steps; else whoever records them sends the alerts.
    """

    def __init__(self, context: RunContext, request: RunRequest, *, is_recorded: bool) -> None:
        self._context, self._notify, self._is_recorded = context, request.notify, is_recorded
        of = f" of {context.notebook}" if context.notebook else ""
        self._what = f"the pipeline{of}"
        self._run = NOT_WATCHED
        self._steps: dict[str, Watched] = {}

    def begin_run(self) -> None:
        """Begin to watch the run.

        Raises:
            UnknownName: there is no such alerter.
        """
        if self._notify and self._context.services is not None:
            self._run = self._context.services.alerts.watch(self._notify, self._what)

    def begin(self, definition: StepDefinition) -> None:
        """Begin to watch a step that is about to run.

        Raises:
            UnknownName: there is no such alerter.
        """
        if self._is_recorded:
            self._steps[definition.name] = watch_step(self._context, definition)

    def end(self, step: Step) -> None:
        """Tell of a step that has ended, if it was watched."""
        if step.status.is_final and (watched := self._steps.pop(step.name, None)) is not None:
            watched.end(step_alert(step))

    def end_run(self, run: Run, steps: Mapping[str, Step]) -> None:
        """Tell of the run, if it was watched."""
        self._run.end(run_alert(run, steps.values(), self._what))
        self._run = NOT_WATCHED
