"""Owns the interfaces of what the state of a kernel refers to and what builds on that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zennb.core.records.records import Step
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["BackgroundStarter", "Remaker"]


class Remaker(Protocol):
    """The part of the pipeline that runs steps again."""

    def step_names(self) -> list[str]:
        """Return the names of its steps."""

    def remake(self, name: str) -> None:
        """Run a step again, and before it those that must run for it."""


class BackgroundStarter(Protocol):
    """The part of the kernel that runs steps in the background."""

    def start_step(self, resolved: ResolvedStep, running: Step) -> None:
        """Start a run of one step, and show its status line."""

    def hint(self, name: str) -> str:
        """Return which run is going to bind a name; "" for none."""
