"""Owns runs, steps, artifacts and stacks as handles, and the listings of them."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zennb.core.records.records import Artifact, Run, StackSpec, Status, Step
from zennb.engine.run.run_log import run_log
from zennb.errors import UnknownName
from zennb.handles.handle import Handle
from zennb.handles.listing import Listing
from zennb.views import artifact as artifact_view
from zennb.views import log as log_view
from zennb.views import run as run_view
from zennb.views import stack as stack_view
from zennb.views import step as step_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import Failure
    from zennb.handles.source import Source
    from zennb.views.view import Shown

__all__ = [
    "ArtifactHandle",
    "RunHandle",
    "StackHandle",
    "StepHandle",
    "list_artifacts",
    "list_runs",
    "list_stacks",
    "list_steps",
]


class RunHandle(Handle[Run]):
    """A run: its record's fields (`id`, `kind`, `status`, `parameters`, `seconds`, `saved` ...) and its steps.

    Args:
        record: the record.
        source: where its steps are found.
    """

    def __init__(self, record: Run, source: Source) -> None:
        super().__init__(record)
        self._source = source
        self._steps: Listing[StepHandle] | None = None

    @property
    def steps(self) -> Listing[StepHandle]:
        """Its steps, in the order they ended; read when first asked for, and again while it is running."""
        found = self._steps
        if found is None:
            metadata = self._source.workspace().metadata
            records = metadata.steps(self.record.id) if self.record.id is not None else []
            found = list_steps(records, self._source)
            self._steps = found if self.record.status.is_final else None
        return found

    def step(self, name: str) -> StepHandle:
        """Return one of its steps; of one that ran several times, the last.

        Raises:
            UnknownName: it has no step of that name.
        """
        found = [step for step in self.steps if step.record.name == name]
        if not found:
            raise UnknownName("step", name, [step.record.name for step in self.steps])
        return found[-1]

    @property
    def failure(self) -> Failure | None:
        """What its first step that failed raised; None when none failed."""
        return next((step.record.failure for step in self.steps if step.record.failure is not None), None)

    def log(self, step: str | None = None) -> str:
        """Return what its steps, or one of them, printed and showed, as text; of all steps with their status lines.

        Raises:
            UnknownName: it has no step of that name.
        """
        found = run_log(self._source.workspace(), self.record, step)
        return log_view.log(found, most=sys.maxsize).text if step is None else found.text

    def _view(self) -> Shown:
        number = self.record.id
        started = [] if number is None else self._source.workspace().metadata.children(number)
        return run_view.run(self.record, [step.record for step in self.steps], started=started)


class StepHandle(Handle[Step]):
    """A step of a run: its record's fields (`name`, `status`, `reason`, `seconds`, `failure` ...), and its artifacts.

    Args:
        record: the record.
        source: where its output and artifacts are found.
    """

    def __init__(self, record: Step, source: Source) -> None:
        super().__init__(record)
        self._source = source

    @cached_property
    def inputs(self) -> Mapping[str, ArtifactHandle]:
        """What it read, by name."""
        return {name: ArtifactHandle(each, self._source) for name, each in self.record.inputs.items()}

    @cached_property
    def outputs(self) -> Mapping[str, ArtifactHandle]:
        """What it made, by name: `step.outputs["model"].load()`."""
        return {name: ArtifactHandle(each, self._source) for name, each in self.record.outputs.items()}

    def log(self) -> str:
        """Return what it printed and showed, as text, and the traceback of its failure."""
        step, opened = self.record, self._source.workspace()
        run = opened.metadata.run(step.run) if step.run is not None else None
        logs = [] if run is None else run_log(opened, run, step.name).steps
        return next((each.text for each in logs if each.step.id == step.id), "")

    def _view(self) -> Shown:
        return step_view.step(self.record)


class ArtifactHandle(Handle[Artifact]):
    """An artifact: its record's fields (`name`, `version`, `type`, `size`, `summary` ...), its value and its origin.

    Args:
        record: the record.
        source: where its value and its steps are found.
    """

    def __init__(self, record: Artifact, source: Source) -> None:
        super().__init__(record)
        self._source = source

    def load(self) -> Any:
        """Return its value; raises as `zennb.load`."""
        return self._source.load(self.record)

    @property
    def producer(self) -> StepHandle | None:
        """The step that made it, or that it was captured for."""
        found = self._source.workspace().metadata.producer(self.record)
        return None if found is None else StepHandle(found, self._source)

    @property
    def consumers(self) -> Listing[StepHandle]:
        """The steps that read it, newest first."""
        return list_steps(self._source.workspace().metadata.consumers(self.record), self._source)

    def _view(self) -> Shown:
        metadata = self._source.workspace().metadata
        return artifact_view.artifact(
            self.record,
            producer=metadata.producer(self.record),
            consumers=metadata.consumers(self.record),
        )


class StackHandle(Handle[StackSpec]):
    """A stack on paper: `name`, `components`, `orchestrator`, `artifact_store`.

    Args:
        record: the record.
        is_active: whether steps run on it now.
    """

    def __init__(self, record: StackSpec, *, is_active: bool = False) -> None:
        super().__init__(record)
        self.is_active = is_active

    def _view(self) -> Shown:
        return stack_view.stack(self.record, active=self.is_active)


RUN_COLUMNS = (
    "run",
    "status",
    "kind",
    "stack",
    "notebook",
    "steps",
    "seconds",
    "started",
    "parameters",
    "computed",
    "saved",
)
STEP_COLUMNS = (
    "step",
    "status",
    "reason",
    "seconds",
    "saved",
    "started",
    "inputs",
    "outputs",
    "run",
    "notebook",
)


def list_runs(found: Sequence[Run], source: Source) -> Listing[RunHandle]:
    """Return runs as a listing."""
    handles = [RunHandle(each, source) for each in found]
    return Listing(
        handles,
        show=lambda shown: run_view.runs([each.record for each in shown]),
        row=_run_row,
        columns=RUN_COLUMNS,
    )


def list_steps(found: Sequence[Step], source: Source) -> Listing[StepHandle]:
    """Return steps as a listing."""
    handles = [StepHandle(each, source) for each in found]
    return Listing(
        handles,
        show=lambda shown: run_view.steps([each.record for each in shown]),
        row=_step_row,
        columns=STEP_COLUMNS,
    )


def list_artifacts(
    found: Sequence[Artifact], source: Source, *, of_one_name: bool = False
) -> Listing[ArtifactHandle]:
    """Return artifacts, or the versions of one name, as a listing."""
    table = artifact_view.history if of_one_name else artifact_view.artifacts
    handles = [ArtifactHandle(each, source) for each in found]
    return Listing(handles, show=lambda shown: table([each.record for each in shown]))


def list_stacks(found: Sequence[StackSpec], *, active: str) -> Listing[StackHandle]:
    """Return stacks as a listing."""
    handles = [StackHandle(each, is_active=each.name == active) for each in found]
    return Listing(
        handles, show=lambda shown: stack_view.stacks([each.record for each in shown], active=active)
    )


def _run_row(handle: RunHandle) -> dict[str, Any]:
    run = handle.record
    return {
        "run": run.id,
        "status": run.status.value,
        "kind": run.kind,
        "stack": run.stack.name,
        "notebook": run.notebook,
        "steps": dict(run.steps),
        "seconds": run.seconds if run.status is not Status.RUNNING else None,
        "started": run.started,
        "parameters": dict(run.parameters),
        "computed": run.computed,
        "saved": run.saved,
    }


def _step_row(handle: StepHandle) -> dict[str, Any]:
    step = handle.record
    return {
        "step": step.name,
        "status": step.status.value,
        "reason": step.reason,
        "seconds": step.seconds,
        "saved": step.saved,
        "started": step.started,
        "inputs": list(step.inputs),
        "outputs": list(step.outputs),
        "run": step.run,
        "notebook": step.notebook,
    }
