"""Owns the interface of experiment trackers: `ExperimentTracker`, and `TrackedStep`, what one is told."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.components.component import Component, Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ExperimentTracker", "TrackedStep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedStep:
    """What a tracker is told of a step that has ended: JSON values only; secrets are masked.

    Attributes:
        id: identifies this execution; the same step is never told under two.
        original: the `id` of the execution whose results were reused; "" for a step that ran.
        step: its name.
        notebook: its notebook, as far as known; "" otherwise.
        stack: name of the stack.
        run: number of its run in the home; None when it is not on record.
        status: `completed`, `cached` or `failed`.
        started: seconds since the epoch.
        seconds: duration.
        parameters: name → text, of its small inputs and of the run's parameters.
        metrics: name → points, each a position and a value.
        artifacts: its outputs: name, version, digest, type, size in bytes, and value as far as it fits a line.
        error: what it raised, when failed.
    """

    id: str
    original: str = ""
    step: str
    notebook: str = ""
    stack: str = ""
    run: int | None = None
    status: str
    started: float
    seconds: float = 0.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    artifacts: Sequence[Mapping[str, Any]] = ()
    error: str = ""


class ExperimentTracker(Component):
    """Receives what the steps of a stack did: parameters, metrics and outputs by reference.

    An implementation guarantees, and `zennb.testing.experiment_tracker.ExperimentTrackerContract` checks: when
    `log_step` returns, the step is recorded there; otherwise it raises. To be told of a step twice changes nothing. A
    step that was reused is no new result: it is noted with the execution that made its results. `log_step` is called
    from a thread of its own, for one step at a time. Whatever it raises never fails a step: zennb says so once, keeps
    what it was to be told in the outbox of the home, and sends it again with `zennb sync`.
    """

    type = "experiment_tracker"
    visibility: ClassVar[Visibility] = Visibility.NETWORK

    def prepare(self) -> None:
        """Import the libraries that `log_step` needs; called before a step runs, on the thread that runs cells.

        While another thread imports a library, code that looks it up in `sys.modules`, as scikit-learn does, finds
        half of it, and fails. By default there is nothing to import.
        """

    @abstractmethod
    def log_step(self, step: TrackedStep) -> None:
        """Record a step that has ended."""

    def deliver(self, payload: Mapping[str, Any]) -> None:
        """Record a step from the outbox."""
        self.log_step(TrackedStep(**payload))
