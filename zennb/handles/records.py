"""Owns the handles of runs, steps, artifacts and stacks, and their listings."""

from __future__ import annotations

import sys
from functools import cached_property, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

from zennb.core.records.labels import tag_words
from zennb.core.records.log import event_text
from zennb.core.records.metrics import metrics_of_run
from zennb.core.records.records import Artifact, Run, StackSpec, Step
from zennb.engine.background.attach import attach, forget_output, stop_run
from zennb.engine.run.run_log import run_log
from zennb.errors import UnknownName
from zennb.handles.handle import Handle, Source, SourcedHandle
from zennb.handles.labels import LabelledHandle
from zennb.handles.listing import Listing
from zennb.space.gone import freed
from zennb.views import artifact as artifact_view
from zennb.views import log as log_view
from zennb.views import run as run_view
from zennb.views import stack as stack_view
from zennb.views import step as step_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from zennb.core.records.records import Failure
    from zennb.core.records.space import FreedBlob
    from zennb.metadata.deletion import DeletedRuns
    from zennb.views.table import Table
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


class RunHandle(LabelledHandle[Run]):
    """A run: its record's fields (`id`, `kind`, `status`, `parameters`, `seconds`, `saved` ...) and its steps."""

    _steps: Listing[StepHandle] | None = None

    @property
    def steps(self) -> Listing[StepHandle]:
        """Its steps, in the order in which they ended; cached once the run has ended."""
        found = self._steps
        if found is None:
            metadata = self._source.workspace().metadata
            records = metadata.steps(self.record.id) if self.record.id is not None else []
            found = list_steps(records, self._source)
            self._steps = found if self.record.status.is_final else None
        return found

    def step(self, name: str) -> StepHandle:
        """Return one of its steps; if it ran several times, the last.

        Raises:
            UnknownName: it has no step of that name.
        """
        found = [step for step in self.steps if step.record.name == name]
        if not found:
            raise UnknownName("step", name, [step.record.name for step in self.steps])
        return found[-1]

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric that its steps logged; `train.accuracy` where several steps log `accuracy`."""
        steps = [each.record for each in self.steps if not each.record.is_element]
        found = metrics_of_run((step.name, step.metrics) for step in steps)
        return {name: metric.last for name, metric in found.items()}

    @property
    def failure(self) -> Failure | None:
        """The failure of its first failed step; None when none failed."""
        return next((step.record.failure for step in self.steps if step.record.failure is not None), None)

    def log(self, step: str | None = None) -> str:
        """Return the output of its steps, or of one step, as text; that of all steps with their status lines.

        Raises:
            UnknownName: it has no step of that name.
        """
        found = run_log(self._source.workspace(), self.record, step)
        return log_view.log(found, most=sys.maxsize).text if step is None else found.text

    def attach(self) -> RunHandle:
        """Print the output of a run in the background as it comes, until it ends; return it as it is then.

        An interrupt ends this, not the run.

        Raises:
            UsageError: it runs, and was not started in the background.
        """
        opened, last = self._source.workspace(), ""
        for entry in attach(opened, self.record):
            if entry["kind"] == "output":
                head = f"── {entry['step']} ──\n" if entry["step"] != last else ""
                sys.stdout.write(f"{head}{event_text(entry['event'], live=True)}")
                last = entry["step"]
        return self._now()

    def stop(self) -> RunHandle:
        """End a run in the background, and return it as it is then; what its steps have finished stays.

        Raises:
            UsageError: it runs, and was not started in the background, or not on this machine.
        """
        stop_run(self._source.workspace(), self.record)
        return self._now()

    def _now(self) -> Self:
        found = self._source.workspace().metadata.run(self.record.id or 0)
        return self if found is None else type(self)(found, self._source)

    def _describe(self, note: str, tags: Mapping[str, str]) -> None:
        self._source.workspace().metadata.labels.describe("run", self.record.id or 0, note, tags)

    def delete(self) -> DeletedRuns:
        """Delete its record and those of its steps, except what other runs need; no bytes are deleted.

        Raises:
            InUse: its kernel is open, or it is the newest run.
        """
        opened = self._source.workspace()
        found = opened.metadata.deletions.delete([] if self.record.id is None else [self.record.id])
        forget_output(opened, found.runs)
        return found

    def _view(self) -> Shown:
        number = self.record.id
        started = [] if number is None else self._source.workspace().metadata.children(number)
        return run_view.run(self.record, [step.record for step in self.steps], started=started)


class StepHandle(SourcedHandle[Step]):
    """A step of a run: its record's fields (`name`, `status`, `reason`, `seconds`, `failure` ...) and its artifacts."""

    @cached_property
    def inputs(self) -> Mapping[str, ArtifactHandle]:
        """Its inputs, by name."""
        return {name: ArtifactHandle(each, self._source) for name, each in self.record.inputs.items()}

    @cached_property
    def outputs(self) -> Mapping[str, ArtifactHandle]:
        """Its outputs, by name: `step.outputs["model"].load()`."""
        return {name: ArtifactHandle(each, self._source) for name, each in self.record.outputs.items()}

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric that it logged; `record.metrics` also has the curves."""
        return {name: metric.last for name, metric in self.record.metrics.items()}

    def log(self) -> str:
        """Return its output as text, with the traceback if it failed."""
        step, opened = self.record, self._source.workspace()
        run = opened.metadata.run(step.run) if step.run is not None else None
        logs = [] if run is None else run_log(opened, run, step.name).steps
        return next((each.text for each in logs if each.step.id == step.id), "")

    def _view(self) -> Shown:
        return step_view.step(self.record)


class ArtifactHandle(LabelledHandle[Artifact]):
    """An artifact: its record's fields (`name`, `version`, `type`, `size`, `summary` ...), its value and its origin."""

    def load(self) -> Any:
        """Return its value; raises as `zennb.load`."""
        return self._source.load(self.record)

    def pin(self) -> None:
        """Keep its bytes from being deleted to free space."""
        self._source.workspace().metadata.space.pin(self._number)

    def unpin(self) -> None:
        """Let its bytes be deleted to free space again."""
        self._source.workspace().metadata.space.unpin(self._number)

    @property
    def is_pinned(self) -> bool:
        """Whether its bytes are never deleted to free space."""
        return self._number in self._source.workspace().metadata.space.pins()

    @property
    def freed(self) -> FreedBlob | None:
        """When its bytes were deleted to free space; None when they were not."""
        return freed(self._source.workspace(), [self.record]).get(self.record.blob)

    def _now(self) -> Self:
        found = self._source.workspace().metadata.artifact(self.record.name, self.record.version)
        return self if found is None else type(self)(found, self._source)

    def _describe(self, note: str, tags: Mapping[str, str]) -> None:
        self._source.workspace().metadata.labels.describe("artifact", self._number, note, tags)

    @property
    def _number(self) -> int:
        return self.record.id or 0

    @property
    def producer(self) -> StepHandle | None:
        """The step that produced it, or captured it as an input."""
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
            freed=self.freed,
            is_pinned=self.is_pinned,
        )


class StackHandle(Handle[StackSpec]):
    """The definition of a stack: `name`, `components`, `orchestrator`, `artifact_store`.

    Args:
        record: the record.
        is_active: whether steps run on it now.
    """

    def __init__(self, record: StackSpec, *, is_active: bool = False) -> None:
        super().__init__(record)
        self.is_active = is_active

    def _view(self) -> Shown:
        return stack_view.stack(self.record, active=self.is_active)


RUN_COLUMNS: dict[str, Callable[[RunHandle], Any]] = {
    "run": attrgetter("record.id"),
    "status": attrgetter("record.status.value"),
    "kind": attrgetter("record.kind"),
    "stack": attrgetter("record.stack.name"),
    "notebook": attrgetter("record.notebook"),
    "steps": lambda handle: dict(handle.record.steps),
    "seconds": lambda handle: handle.record.seconds if handle.record.status.is_final else None,
    "started": attrgetter("record.started"),
    "parameters": lambda handle: dict(handle.record.parameters),
    "computed": attrgetter("record.computed"),
    "saved": attrgetter("record.saved"),
    "tags": lambda handle: tag_words(handle.record.tags),
    "note": attrgetter("record.note"),
}
STEP_COLUMNS: dict[str, Callable[[StepHandle], Any]] = {
    "step": attrgetter("record.name"),
    "status": attrgetter("record.status.value"),
    "reason": attrgetter("record.reason"),
    "seconds": attrgetter("record.seconds"),
    "saved": attrgetter("record.saved"),
    "started": attrgetter("record.started"),
    "inputs": lambda handle: list(handle.record.inputs),
    "outputs": lambda handle: list(handle.record.outputs),
    "run": attrgetter("record.run"),
    "notebook": attrgetter("record.notebook"),
}


def _run_columns(handle: RunHandle) -> dict[str, Any]:
    parameters = {f"parameter {name}": _value(text) for name, text in handle.record.parameters.items()}
    return {**parameters, **{f"metric {name}": value for name, value in handle.metrics.items()}}


def _step_columns(handle: StepHandle) -> dict[str, Any]:
    return {f"metric {name}": value for name, value in handle.metrics.items()}


def _value(text: str) -> Any:
    """Return the number that a parameter's text stands for; else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def list_runs(found: Sequence[Run], source: Source) -> Listing[RunHandle]:
    """Return runs as a listing."""
    handles = [RunHandle(each, source) for each in found]
    return Listing(handles, show=_table(run_view.runs), columns=RUN_COLUMNS, more=_run_columns)


def list_steps(found: Sequence[Step], source: Source) -> Listing[StepHandle]:
    """Return steps as a listing."""
    handles = [StepHandle(each, source) for each in found]
    return Listing(handles, show=_table(run_view.steps), columns=STEP_COLUMNS, more=_step_columns)


def list_artifacts(
    found: Sequence[Artifact], source: Source, *, of_one_name: bool = False
) -> Listing[ArtifactHandle]:
    """Return artifacts, or the versions of one name, as a listing."""
    table = artifact_view.history if of_one_name else artifact_view.artifacts
    return Listing([ArtifactHandle(each, source) for each in found], show=_table(table))


def list_stacks(found: Sequence[StackSpec], *, active: str) -> Listing[StackHandle]:
    """Return stacks as a listing."""
    handles = [StackHandle(each, is_active=each.name == active) for each in found]
    return Listing(handles, show=_table(partial(stack_view.stacks, active=active)))


def _table(view: Callable[[list[Any]], Table]) -> Callable[[Sequence[Handle[Any]]], Table]:
    """Return a function that shows the records of handles as the table that `view` makes."""
    return lambda handles: view([each.record for each in handles])
