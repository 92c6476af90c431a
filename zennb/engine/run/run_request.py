"""Owns what a pipeline run is asked for, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.planning.plan import Plan
    from zennb.core.records.records import Artifact, Run, Step
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["FinishedRun", "RunRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What is to be run.

    Attributes:
        definitions: step name → definition.
        plan: order and edges of all steps.
        chosen: the steps to run; the others give what they last made.
        namespace: the notebook's variables.
        value_digest: content of a variable, and the artifact it is.
        partners: variables that share mutable state with some that were looked at.
        overrides: variables that have another value in this run.
        patches: what the notebook put into modules and classes of packages.
        parameters: the same as typed, for the record.
        last: outputs of steps that are not chosen: step → name → artifact.
        previous: step name → its latest record; None when it was not asked for.
        rerun: run whatever is stored.
        binds: step → names it binds or changes in place.
        origins: step → name it takes from plain cells → the version that these made, where a step has changed the
            variable since.
        decided: steps on which it has been decided already that they run.
    """

    definitions: Mapping[str, StepDefinition]
    plan: Plan
    chosen: Sequence[str]
    namespace: Mapping[str, Any]
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]]
    partners: Callable[[Mapping[str, ValueDigest]], Mapping[str, Any]] = lambda _looks: {}
    overrides: Mapping[str, Any] = field(default_factory=dict)
    patches: Collection[Patch] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    previous: Mapping[str, Step] | None = None
    rerun: bool = False
    binds: Mapping[str, Collection[str]] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    decided: Mapping[str, tuple[ResolvedStep, CacheDecision]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """How a pipeline run ended.

    Attributes:
        run: its record.
        steps: its steps' records.
        repository: where what they made is, with what the run still has at hand.
        error: the first that a step raised.
    """

    run: Run
    steps: Mapping[str, Step]
    repository: ArtifactRepository
    error: BaseException | None = None
