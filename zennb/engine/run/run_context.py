"""Owns `RunContext`: the stack and stores of a run, the cache decisions on its steps, and their records."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.planning.cache_decision import CacheDecision, decide_reuse, reused
from zennb.core.planning.expiry import expires
from zennb.core.records.records import Run, Status, Step
from zennb.core.secrets.texts import mask_json
from zennb.engine.environment.open_figures import reopen
from zennb.engine.run.failures import failure_of, is_interrupt
from zennb.engine.run.lost_results import can_be_read, missing_results, why_lost, why_not_copied
from zennb.engine.run.masked_records import masked_step
from zennb.engine.run.other_stores import OtherStores
from zennb.engine.run.placement import magics_refused, unknown_operator
from zennb.engine.run.saved_output import marked_loops
from zennb.engine.sharing.shared_reuse import SharedReuse, adopted
from zennb.engine.step.cache_options import end_of_reuse, not_reusable, read_although_unstored
from zennb.engine.step.request import Resources
from zennb.engine.step.shared_state import stored_apart
from zennb.errors import MissingArtifact, MissingExtra, StoreError, UnknownName, UntrustedArtifact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from zennb.components.component import ArtifactStore, Orchestrator
    from zennb.core.records.records import Artifact, Attempt, ComponentSpec, StackSpec
    from zennb.digests.digest import ValueDigest
    from zennb.engine.environment.execution_environment import ExecutionEnvironment
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.saved_output import Scalars
    from zennb.engine.run.services import StackServices
    from zennb.engine.run.unit_of_work import UnitOfWork
    from zennb.engine.sharing.shared_records import SharedRecords
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.frontend import Frontend
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.metadata.step_history import StepHistory
    from zennb.metadata.store import MetadataStore

__all__ = ["LARGE", "RunContext"]

LARGE = 64 * 1024
"""Bytes from which on an output is loaded only when something reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Where the steps of a run are executed and recorded.

    Attributes:
        spec: snapshot of the stack.
        store: its opened artifact store.
        orchestrator: its opened orchestrator.
        artifacts: values ↔ artifacts in that store.
        metadata: where records go.
        environment: the files, environment and settings of this process.
        frontend: how values look.
        notebook: the notebook's name; "" when unknown.
        others: the artifact stores of other stacks, from which results are copied.
        shared: the records of other people in the artifact store; None where nobody else can reach it.
        run: id of the run that its steps belong to, if it exists already.
        unstored: returns the variables that steps of this notebook keep out of the store (`--no-store`).
        parent: id of the notebook's run, when the whole notebook is run; None else.
        folder: the notebook's folder, whose git commit belongs to a run; None when it has none.
        operator: returns what `--on NAME` names: what is registered, opened for use.
        ran_on: what runs a step in place of the stack's orchestrator, `big (dask)`; "" for that orchestrator.
        traced: takes a resolved step and its record, and returns the record with the provenance of its inputs.
        services: the stack's components beside these two: its data validator, alerters; None for the defaults.
    """

    spec: StackSpec
    store: ArtifactStore
    orchestrator: Orchestrator
    artifacts: ArtifactRepository
    metadata: MetadataStore
    environment: ExecutionEnvironment
    frontend: Frontend
    notebook: str = ""
    others: OtherStores = field(default_factory=OtherStores)
    shared: SharedRecords | None = None
    run: int | None = None
    unstored: Callable[[], Collection[str]] = frozenset
    parent: int | None = None
    folder: Path | None = None
    operator: Callable[[str], tuple[ComponentSpec, Orchestrator]] = unknown_operator
    ran_on: str = ""
    traced: Callable[[ResolvedStep, Step], Step] = lambda _resolved, step: step
    services: StackServices | None = None

    def with_store(self, store: Any) -> RunContext:
        """Return the same context with another artifact store, such as a `WriteBuffer`."""
        return replace(self, store=store, artifacts=replace(self.artifacts, store=store))

    def placed(self, definition: StepDefinition) -> RunContext:
        """Return the context that a step runs in: this one, or with what its `--on` names in place of the orchestrator.

        Raises:
            UnknownName, UnfitStack, MissingExtra, InvalidConfiguration: it cannot run there.
        """
        if not definition.options.on:
            return self
        spec, orchestrator = self.operator(definition.options.on)
        ran_on = "" if spec == self.spec.orchestrator else f"{spec.name} ({spec.flavor})"
        return replace(self, orchestrator=orchestrator, ran_on=ran_on)

    @property
    def resources(self) -> Resources:
        """The open resources that executing a step in this process needs."""
        return Resources(artifacts=self.artifacts, environment=self.environment, frontend=self.frontend)

    def decide(
        self,
        resolved: ResolvedStep,
        *,
        asked: str = "",
        known: UnitOfWork | None = None,
        history: StepHistory | None = None,
        overlay: Mapping[str, str] = MappingProxyType({}),
        is_plan: bool = False,
    ) -> CacheDecision:
        """Decide whether to reuse or run a step; runs and records nothing.

        Args:
            resolved: the step.
            asked: a user's option that forces a run, e.g. `--rerun`.
            known: what was read ahead for all steps of a run.
            history: the result of `step_history`, if you have it already.
            overlay: file, setting or `$VARIABLE` → state that earlier steps would leave.
            is_plan: whether it is for a plan: what other people share may have been asked for a moment ago.

        Raises:
            StepRefused: the step has magic or shell lines, which work only where steps run in the kernel.
            UnknownName, UnfitStack, MissingExtra, InvalidConfiguration: it has to run, and cannot where `--on` says.
        """
        definition = resolved.definition
        self._check_magics(definition)
        force = asked or definition.options.forced
        unclear = resolved.unclear_in_kernel or self._read_although_unstored(definition)
        # The key without doubtful names comes first: its results bind these names themselves, whatever they hold now.
        keys = () if force or unclear else (resolved.key_without_maybe_reads, resolved.cache_key)
        doubtful = resolved.sharing_state, resolved.deletes
        # Read ahead for most steps of a run; else the store is asked: another kernel may have finished the step since.
        for step in [found for key in keys if known is not None for found in known.find(key)][:1]:
            if not (
                not_reusable([step], definition, self.artifacts.signer, *doubtful)
                or self.environment.stale(step.observed)
            ):
                return reused(step)
        candidates, previous = self._known_of(resolved, known, history) if keys else ([], None)
        unusable = not_reusable(candidates, definition, self.artifacts.signer, *doubtful)
        # Prefer complete results: the output and settings of a run on another stack may be only in that stack's store.
        if len(candidates) > 1:
            candidates.sort(key=lambda step: bool(missing_results(step, self.store)))
        decision = decide_reuse(
            resolved.parts,
            candidates=candidates,
            previous=previous,
            missing=lambda step: why_lost(
                step, self.store, self.metadata, name=self.spec.artifact_store.name
            ),
            elsewhere=lambda step: self.others.holder(missing_results(step, self.store), besides=self.store),
            stale=lambda step: unusable.get(step.id, "") or self.environment.stale(step.observed, overlay),
            asked=force,
            unclear=unclear,
        )
        # Only now: nothing is asked of the store for steps whose results are known here.
        if decision.reuse is None and keys and self.shared is not None:
            reuse = SharedReuse(self.shared, self.artifacts, self.metadata, self.environment)
            decision = reuse.decision(resolved, decision, keys, candidates, overlay=overlay, is_plan=is_plan)
        if decision.reuse is None:
            self.placed(definition)  # results are reused wherever they were computed
        return decision

    def _read_although_unstored(self, definition: StepDefinition) -> tuple[str, ...]:
        names = definition.options.no_store
        latest = self.metadata.latest_steps(self.notebook) if names else ()
        return read_although_unstored(definition.name, names, latest)

    def step_history(self, resolved: ResolvedStep) -> StepHistory:
        """Return what a decision needs from the metadata store, and the stack as it is registered now."""
        definition = resolved.definition
        return self.metadata.known_of(
            (resolved.key_without_maybe_reads, resolved.cache_key),
            name=definition.name,
            notebook=self.notebook,
            source=definition.source,
            stack=self.spec.name,
        )

    def _known_of(
        self, resolved: ResolvedStep, known: UnitOfWork | None, history: StepHistory | None
    ) -> tuple[list[Step], Step | None]:
        """Return the steps that may be reused; if there are none, also the latest record of this step."""
        if known is None:
            history = history or self.step_history(resolved)
            return history.candidates, history.previous
        keys = [key for key in (resolved.key_without_maybe_reads, resolved.cache_key) if key]
        found = next((found for key in keys if (found := self.metadata.find(key))), [])
        return found, known.previous.get(resolved.definition.name)

    def bring(self, decision: CacheDecision) -> None:
        """Copy results that a decision reuses from another store; StoreError if they are damaged or do not fit here."""
        step = decision.reuse if decision.is_elsewhere else None
        lost = {} if step is None else self.others.copy(missing_results(step, self.store), into=self.store)
        if step is not None and lost:
            raise MissingArtifact(f"{why_not_copied(step, lost)}.", digest=next(iter(lost)))

    def proven(self, resolved: ResolvedStep, decision: CacheDecision, source: Step) -> CacheDecision:
        """Return the decision if the results of `source` can be loaded, else one to run, with the reason.

        Large outputs are not read here: `unreadable` checks them when a step is about to read them.
        """
        small = [artifact.blob for artifact in source.outputs.values() if artifact.size < LARGE]
        try:
            self.bring(decision)
            for blob in dict.fromkeys([*small, *([source.displays] if source.displays else [])]):
                self.store.get(blob)
            # Settings last: none may be changed for a step whose outputs turn out to be damaged, and which will run.
            self.environment.restore(changes := self.artifacts.load_changes(source.carried), resolved.uses)
            reopen(source, changes, self.artifacts)
        except (StoreError, UntrustedArtifact, UnknownName, MissingExtra) as error:
            return CacheDecision(reason=error.first_sentence)
        return decision

    def unreadable(self, resolved: ResolvedStep) -> list[str]:
        """Return the inputs whose stored bytes are damaged or missing; the store moves damaged ones aside."""
        waiting = [name for name in resolved.artifacts if name not in resolved.values]
        large = {n: resolved.artifacts[n] for n in waiting if resolved.artifacts[n].size >= LARGE}
        return [name for name, each in large.items() if not can_be_read(each, self.store)]

    def _check_magics(self, definition: StepDefinition) -> None:
        if definition.analysis.magics and not (here := self.placed(definition)).orchestrator.in_kernel:
            own = self.spec.orchestrator
            stacks = f"the orchestrator '{own.name}' ({own.flavor})"
            raise magics_refused(definition, f"`--on {here.ran_on}`" if here.ran_on else stacks)

    def keep_inputs(
        self, resolved: ResolvedStep, *, known: UnitOfWork | None = None, scalars: Scalars | None = None
    ) -> dict[str, Artifact]:
        """Return the inputs of a step that can be stored, as artifacts in this store; plain cells' values are saved."""
        present = set[str]() if known is None else known.present
        saved: dict[str, Artifact] = {}
        unsaved: dict[str, tuple[Any, ValueDigest]] = {}
        for name in sorted(resolved.inputs):
            artifact = resolved.artifacts.get(name)
            if artifact is not None and (
                present.issuperset(artifact.blobs)
                or all(map(self.store.has, artifact.blobs))
                or not self.others.copy(artifact.blobs, into=self.store)
            ):
                saved[name] = artifact
            elif name in resolved.digests and name not in self.unstored():
                unsaved[name] = (resolved.values[name], resolved.digests[name])
        if unsaved:
            saved.update(self.artifacts.save(unsaved, kind="captured", scalars=scalars).artifacts)
        return saved

    def copies(self, resolved: ResolvedStep, inputs: Mapping[str, Artifact]) -> dict[str, Artifact]:
        """Return the inputs for the step to load: inputs that share state are saved together, unlike in the record."""
        names = stored_apart(resolved.digests, inputs) - set(self.unstored())
        apart = {name: (resolved.values[name], resolved.digests[name]) for name in names}
        return {**inputs, **(self.artifacts.save(apart, kind="captured").artifacts if apart else {})}

    def new_run(self, kind: str, *, parameters: Mapping[str, str] | None = None) -> Run:
        """Return a new run that starts now, not recorded yet."""
        return Run(
            kind=kind,
            notebook=self.notebook,
            stack=self.spec,
            started=time.time(),
            parameters=mask_json(parameters or {}),
            host=socket.gethostname(),
            process=os.getpid(),
            parent=self.parent,
        )

    def made_step(
        self,
        resolved: ResolvedStep,
        decision: CacheDecision,
        outcome: StepOutcome,
        *,
        inputs: Mapping[str, Artifact],
        started: float,
        attempts: Sequence[Attempt] = (),
    ) -> Step:
        """Return the record of a completed step."""
        step = self.bare_step(
            resolved,
            status=Status.COMPLETED,
            reason=decision.reason,
            started=started,
            seconds=outcome.seconds,
            inputs=inputs,
            outputs=marked_loops(outcome.artifacts, resolved.definition),
            defines=outcome.defines,
            deletes=outcome.deletes,
            displays=outcome.displays,
            metrics=outcome.metrics,
            observed=outcome.observed,
            carried=outcome.carried,
            reusable=not outcome.not_reusable,
            unusable_because=outcome.not_reusable[0] if outcome.not_reusable else "",
            attempts=tuple(attempts),
        )
        return end_of_reuse(step, resolved.definition)

    def cached_step(
        self, resolved: ResolvedStep, decision: CacheDecision, source: Step, *, started: float, seconds: float
    ) -> Step:
        """Return the record of a step that reuses the results of `source`."""
        source = adopted(source, self.metadata, self.artifacts.signer, notebook=self.notebook)
        inputs = {
            name: resolved.artifacts.get(name) or source.inputs[name]
            for name in sorted(resolved.inputs)
            if name in resolved.artifacts or name in source.inputs
        }
        return self.bare_step(
            resolved,
            status=Status.CACHED,
            reason=decision.reason,
            started=started,
            seconds=seconds,
            inputs=inputs,
            outputs=source.outputs,
            defines=source.defines,
            deletes=source.deletes,
            displays=source.displays,
            metrics=source.metrics,
            observed=source.observed,
            carried=source.carried,
            reused=source.id,
            original=source,
            expires=expires(source, resolved.definition.options.expires),
            saved=max(0.0, source.seconds - seconds),
        )

    def failed_step(
        self,
        resolved: ResolvedStep,
        decision: CacheDecision,
        error: BaseException | None,
        *,
        started: float,
        seconds: float,
        attempts: Sequence[Attempt] = (),
        **more: Any,
    ) -> Step:
        """Return the record of a step that raised, or was interrupted; it has no outputs."""
        interrupted = error is None or is_interrupt(error)
        return self.bare_step(
            resolved,
            status=Status.INTERRUPTED if interrupted else Status.FAILED,
            reason=decision.reason,
            started=started,
            seconds=seconds,
            reusable=False,
            failure=None if error is None or interrupted else failure_of(error),
            attempts=tuple(attempts),
            **more,
        )

    def bare_step(
        self, resolved: ResolvedStep, *, status: Status, reason: str, started: float, **more: Any
    ) -> Step:
        """Return a record with the fields that are known before a step runs, and more fields."""
        self.environment.secrets.note(resolved.secrets)
        step = self.step_record(
            resolved.definition,
            status=status,
            reason=reason,
            cache_key=resolved.cache_key,
            parts=resolved.parts,
            started=started,
            **more,
        )
        return step if resolved.definition.element_of else self.traced(resolved, step)  # a part of a step

    def step_record(self, definition: StepDefinition, **more: Any) -> Step:
        """Return a record with what the definition of a step says, and more fields; its secrets are masked."""
        self.environment.secrets.note(definition.secrets.values)
        step = Step(
            run=self.run,
            name=definition.name,
            notebook=self.notebook,
            cell=definition.cell,
            source=definition.source,
            ran_on=self.ran_on,
            **more,
        )
        return masked_step(step, self.environment.secrets)
