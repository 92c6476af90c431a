"""Owns `RunRequest`, what to run in a pipeline, and `FinishedRun`, its result."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.components.component import Visibility
from zennb.core.records.records import Status
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.planning.plan import Plan
    from zennb.core.records.records import Artifact, Run, Step
    from zennb.dependencies.library_calls import LibraryCalls
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.remote.process_snapshot import ProcessSnapshot
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.engine.step.shared_state import Partners
    from zennb.errors import StepRefused

__all__ = ["FinishedRun", "RunRequest", "status_of_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run.

    Attributes:
        definitions: step name → definition.
        plan: order and edges of all steps.
        chosen: the steps to run; the others contribute their latest outputs.
        namespace: the notebook's variables.
        value_digest: returns the digest of a variable, and the artifact it is.
        partners: returns the variables that share mutable state with the given ones.
        overrides: variables that have another value in this run.
        patches: attributes of packages' modules and classes that the notebook replaced.
        calls: what the notebook called for its effect on libraries; a run adds what its steps call.
        parameters: the same as typed, for the record.
        last: outputs of steps that are not chosen: step → name → artifact.
        previous: step name → its latest record; None when it was not asked for.
        rerun: run the steps even if results could be reused.
        binds: step → names it binds or changes in place.
        origins: step → input from plain cells → its artifact before other steps changed the variable.
        bound: step → name → whether it is bound when that step begins, of what steps before it have bound or deleted.
        decided: steps that are already known to run, as resolved and decided.
        process: the state of the notebook's process, where this is another one; None in the kernel.
        notify: who is told of the end or duration of the run, as typed after `--notify`.
        refused: returns why a step must not run here, because the notebook has other code; None as a rule.
        holds: whether a variable of the notebook is what a step made, and could not store.
    """

    definitions: Mapping[str, StepDefinition]
    plan: Plan
    chosen: Sequence[str]
    namespace: Mapping[str, Any]
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]]
    partners: Partners = lambda *_: {}
    overrides: Mapping[str, Any] = field(default_factory=dict)
    patches: Collection[Patch] = ()
    calls: LibraryCalls | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    previous: Mapping[str, Step] | None = None
    rerun: bool = False
    binds: Mapping[str, Collection[str]] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    bound: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    decided: Mapping[str, tuple[ResolvedStep, CacheDecision]] = field(default_factory=dict)
    process: ProcessSnapshot | None = None
    notify: tuple[str, ...] = ()
    refused: Callable[[ResolvedStep], StepRefused | None] = lambda _resolved: None
    holds: Callable[[str, Artifact], bool] = lambda _name, _artifact: False

    def unchanged(self, steps: Mapping[str, Step]) -> dict[str, Artifact]:
        """Return what these steps have not changed this time, though they had before: as plain cells made it."""
        ended = [name for name in self.chosen if name in steps and steps[name].status.is_good]
        made = {each for name in ended for each in steps[name].outputs}
        return {
            each: artifact
            for name in ended
            for each, artifact in self.origins.get(name, {}).items()
            if each in self.binds.get(name, ()) and each not in made
        }

    def stays_here(self, run_context: RunContext) -> bool:
        """Return whether all its steps are executed in this process."""
        contexts = [run_context]
        for name in self.chosen:
            with suppress(ZennbError):  # that step will fail and say why
                contexts.append(run_context.placed(self.definitions[name]))
        return all(each.orchestrator.visibility is Visibility.PROCESS for each in contexts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """How a pipeline run ended.

    Attributes:
        run: its record.
        steps: its steps' records.
        repository: loads their outputs, also those that the run still holds in memory.
        error: the first error that a step raised.
        held: step → name → value, of what it bound and is not stored: bound in the notebook as it is.
        sharing: step → name → value, of its inputs and outputs that share state with these values.
        unstored: names of blobs that the store has not taken; only `repository` has them.
    """

    run: Run
    steps: Mapping[str, Step]
    repository: ArtifactRepository
    error: BaseException | None = None
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    sharing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    unstored: frozenset[str] = frozenset()

    def shared_outputs(self, step: Step) -> dict[str, Any]:
        """Return the outputs of a step that share state with what it bound and is not stored: name → value."""
        found = self.sharing.get(step.name, {})
        return {name: found[name] for name in step.outputs if name in found}


def status_of_run(steps: Iterable[Step]) -> Status:
    """Return how a run has ended whose steps have ended so."""
    found = {step.status for step in steps}
    for status in (Status.INTERRUPTED, Status.FAILED):
        if status in found:
            return status
    return Status.CACHED if found == {Status.CACHED} else Status.COMPLETED
