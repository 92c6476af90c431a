"""Owns `Session`: what the commands ask of the kernel they run in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.records.records import Run, Step
    from zennb.views.view import Shown

__all__ = ["Session"]


class Session(Protocol):
    """The notebook session of a kernel.

    Attributes:
        autostep: whether every cell that follows is a step, unless it says otherwise.
    """

    autostep: bool

    @property
    def notebook(self) -> str:
        """The notebook's name in records; "" when unknown."""

    def step_names(self) -> list[str]:
        """Return the names of the steps of this notebook, in order; does no I/O."""

    def plan(self) -> RunPlan:
        """Return the pipeline, and what a run would do with each step."""

    def run_pipeline(
        self,
        *,
        parameters: Mapping[str, str],
        stack: str | None,
        start: str | None,
        only: str | None,
        rerun: bool,
    ) -> Run:
        """Run the pipeline, showing a live table of its steps; raise the first failure once all is recorded."""

    def explain(self, step: str) -> list[str]:
        """Return, one phrase each, what differs between a step as it stands and its latest record.

        Raises:
            UnknownName: there is no such step.
        """

    def latest(self) -> Mapping[str, Step]:
        """Return step name → its latest record, for the steps that have one."""

    def forget(self, step: str) -> None:
        """Take a step out of the pipeline; its records stay, and running its cell brings it back.

        Raises:
            UnknownName: there is no such step.
        """

    def panel(self, kind: str) -> Shown:
        """Return this kernel's panel of a kind, `picker`: live where there is a frontend, and with both faces."""
