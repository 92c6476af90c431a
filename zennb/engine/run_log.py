"""Owns what the steps of a past run printed and showed, read from whichever artifact store has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.engine.recording import Recording, settled
from zennb.errors import DamagedArtifact, StoreError, UnknownName
from zennb.stacks.stores import artifact_stores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records import Run, Step
    from zennb.stacks.workspace import Workspace

__all__ = ["RunLog", "StepLog", "run_log", "step_log"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """What one step printed and showed.

    Attributes:
        step: the record of the step.
        events: in order, as `engine.recording.Event` describes them.
        missing: why what it showed cannot be read, in one sentence; "" when it can.
    """

    step: Step
    events: Sequence[Mapping[str, Any]] = ()
    missing: str = ""

    @property
    def text(self) -> str:
        """What it printed, the text of what it showed, and the traceback of its error, in order."""
        failure = self.step.failure
        failed = "" if failure is None else failure.traceback or f"{failure.type}: {failure.message}"
        parts = [*(_text(event) for event in settled(self.events)), self.missing, failed]
        return "\n".join(part.removesuffix("\n") for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """What the steps of a run printed and showed, in the order they ended.

    Attributes:
        run: the record of the run.
        steps: one for each record of a step.
    """

    run: Run
    steps: Sequence[StepLog] = ()

    @property
    def text(self) -> str:
        """What all of them printed and showed."""
        return "\n".join(part for part in (each.text for each in self.steps) if part)


def run_log(workspace: Workspace, run: Run, step: str | None = None) -> RunLog:
    """Return what a run printed and showed; nothing that its steps stored is loaded, and no code is run.

    Args:
        workspace: where the run is recorded.
        run: the run.
        step: only the records of this step.

    Raises:
        UnknownName: the run has no such step.
    """
    found = [] if run.id is None else workspace.metadata.steps(run.id)
    if step is not None:
        known = list(dict.fromkeys(each.name for each in found))
        if step not in known:
            raise UnknownName(f"step of run {run.id} called", step, known)
        found = [each for each in found if each.name == step]
    return RunLog(run=run, steps=[step_log(workspace, run, each) for each in found])


def step_log(workspace: Workspace, run: Run, step: Step) -> StepLog:
    """Return what one record of a step of that run printed and showed."""
    if not step.displays:
        return StepLog(step=step)
    trouble = ""
    for _, store in artifact_stores(workspace, run.stack.name):
        try:
            if store.has(step.displays):
                return StepLog(step=step, events=tuple(Recording.load(store.get(step.displays))))
        except DamagedArtifact:
            trouble = f"what step '{step.name}' showed is damaged; run the step again with --rerun."
        except StoreError as error:  # another store may have it
            trouble = trouble or f"what step '{step.name}' showed cannot be read: {error.message}"
    gone = (
        f"what step '{step.name}' showed is in no registered artifact store (it ran on stack '{run.stack.name}'); "
        "run the step again."
    )
    return StepLog(step=step, missing=trouble or gone)


def _text(event: Mapping[str, Any]) -> str:
    if event["kind"] == "stream":
        lines = str(event["text"]).replace("\r\n", "\n").split("\n")
        return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
    plain = (event.get("data") or {}).get("text/plain", "")
    return "".join(plain) if isinstance(plain, list) else str(plain)
