"""Owns `Session`: the interface between commands and the kernel they run in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.planning.run_plan import RunPlan
    from zennb.core.records.records import Run, Step
    from zennb.engine.step.recording import Event
    from zennb.views.view import Shown

__all__ = ["Session"]


class Session(Protocol):
    """The notebook session of a kernel.

    Attributes:
        autostep: whether every following cell is a step, unless its heading says otherwise.
    """

    autostep: bool

    @property
    def notebook(self) -> str:
        """The notebook's name in records; "" when unknown."""

    def step_names(self) -> list[str]:
        """Return the names of this notebook's steps, in order, without I/O."""

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
        background: bool = False,
        notify: tuple[str, ...] = (),
    ) -> Run:
        """Run the pipeline with a live table of its steps; once all is recorded, raise the first failure.

        In the background, start it in a process of its own, and return its record.
        """

    def follow(self, run: Run) -> None:
        """Bind what a background run of this notebook makes, when it has ended."""

    def collect(self) -> list[int]:
        """Bind what background runs that have ended made, and say so; return their ids."""

    def emit(self, event: Event) -> None:
        """Show output of a step."""

    def explain(self, step: str) -> list[str]:
        """Return the differences between a step and its latest record, one phrase each.

        Raises:
            UnknownName: there is no such step.
        """

    def latest(self) -> Mapping[str, Step]:
        """Return step name → its latest record, for the steps that have one."""

    def forget(self, step: str) -> None:
        """Remove a step from the pipeline; its records stay, and running its cell adds it again.

        Raises:
            UnknownName: there is no such step.
        """

    def forget_records(self) -> None:
        """Forget what this kernel knows of the records of its home, which was opened again and may be another one."""

    def annotate(self, name: str, *, labels: Sequence[str], target: str, annotator: str) -> Shown:
        """Return what labels the items of a variable by hand; see `jupyter.kernel.annotations`."""

    def panel(self, kind: str) -> Shown:
        """Return this kernel's panel of a kind (`picker`, `dashboard`), with a text and an HTML representation."""
