"""Owns the log of a past run: the output of its steps, read from whichever artifact store has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.log import RunLog, StepLog
from zennb.engine.step.recording import Recording
from zennb.errors import DamagedArtifact, StoreError, UnknownName
from zennb.registry.stores import artifact_stores

if TYPE_CHECKING:
    from zennb.core.records.records import Run, Step
    from zennb.registry.workspace import Workspace

__all__ = ["run_log", "step_log"]


def run_log(workspace: Workspace, run: Run, step: str | None = None) -> RunLog:
    """Return the output of a run; no artifact is loaded, and no code runs.

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
    else:  # a mapped step has shown what its elements have
        found = [each for each in found if not each.is_element]
    return RunLog(run=run, steps=[step_log(workspace, run, each) for each in found])


def step_log(workspace: Workspace, run: Run, step: Step) -> StepLog:
    """Return the output of one step of that run."""
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
    if step.displays in workspace.metadata.space.freed([step.displays]):
        trouble = trouble or f"what step '{step.name}' showed was deleted to free space; run the step again."
    gone = (
        f"what step '{step.name}' showed is in no registered artifact store (it ran on stack '{run.stack.name}'); "
        "run the step again."
    )
    return StepLog(step=step, missing=trouble or gone)
