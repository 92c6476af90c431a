"""Owns `Session`: what the commands ask of the kernel they run in, and the state of a pipeline as they get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records import Run
    from zennb.views.view import Shown

__all__ = ["Node", "PipelineState", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step of a pipeline.

    Attributes:
        name: the step.
        status: how its latest run ended, a word of `core.records.Status`; "" when it never ran.
        reason: why its results would or would not be reused, for a person.
        stale: whether it would run again now.
        reads: names it takes from the notebook.
        binds: names it binds or changes in place.
        remark: what plain cells did to its outputs since it ran; "" as a rule.
    """

    name: str
    status: str = ""
    reason: str = ""
    stale: bool = False
    reads: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineState:
    """The steps of a notebook, in an order that can be run, and the names that flow between them."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


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

    def show(self) -> PipelineState:
        """Return the pipeline and where each step stands."""

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

    def panel(self, kind: str) -> Shown:
        """Return this kernel's panel of a kind, `picker`: live where there is a frontend, and with both faces."""
