"""Owns the plan of a pipeline run in a kernel: what the run would do with each step, in the order of the run.

A run and its plan resolve steps with the same function and the same inputs: an input from another step is the output of
the record that would be reused for that step, whatever the notebook's variables hold. The settings and files that a
reused step would restore form an overlay over the current state of the process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.planning.run_plan import Freshness, PlannedStep
from zennb.core.records.loaded_names import load_call, loaded_name
from zennb.digests.digest import digest_cache
from zennb.engine.run.element_steps import ElementSteps
from zennb.engine.run.input_sources import check_definitions, with_sources
from zennb.engine.run.possible_effects import PossibleEffects
from zennb.engine.run.repeated_calls import note_calls
from zennb.engine.run.run_context import LARGE
from zennb.engine.step.cache_options import is_ignored, refuse_unstored, without_reads
from zennb.engine.step.resolve import resolve_step
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.observed import Observed
    from zennb.core.records.records import Artifact, Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["RunPlanner", "resolve_in_run"]


def resolve_in_run(
    request: RunRequest, name: str, outputs: Callable[[str], Mapping[str, Artifact]]
) -> ResolvedStep:
    """Return what a step of a run depends on.

    Args:
        request: the run.
        name: the step.
        outputs: returns the outputs of another step of the plan, from this run or its latest record.

    Raises:
        StepRefused: a file named with `--depends-on`, or a name given with `-i`, does not exist; or another step does
            not store what it reads.
    """
    given = dict(request.origins.get(name, {}))
    for wanted, source in request.plan.sources[name].items():
        refuse_unstored(name, wanted, request.definitions.get(source))
        produced = outputs(source)
        if wanted in produced and (produced[wanted].is_stored or not request.holds(wanted, produced[wanted])):
            given[wanted] = produced[wanted]
            given.update(_stored_with(wanted, source, produced, request, name))
    given.update(_parts(given, request, name, outputs))
    definition, bound = request.definitions[name], request.bound.get(name, {})
    gone = frozenset(each for each, is_bound in bound.items() if not is_bound)
    resolved = resolve_step(
        replace(definition, analysis=without_reads(definition.analysis, gone, in_functions=True)),
        request.namespace,
        value_digest=request.value_digest,
        partners=request.partners,
        given=given,
        overrides=request.overrides,
        patches=request.patches,
        calls=request.calls,
    )
    if request.process is None:
        check_definitions(request, name, resolved)
    there = {each for each in definition.analysis.deletes - resolved.values.keys() if bound.get(each)}
    return replace(resolved, definition=definition, deletes=(resolved.deletes | there) - gone)


def _stored_with(
    wanted: str, source: str, outputs: Mapping[str, Artifact], request: RunRequest, reader: str
) -> dict[str, Artifact]:
    """Return the outputs that share state with one that a step reads: they are inputs as well, as in a cell.

    Outputs that a step in between has rebound no longer share it.
    """
    if outputs[wanted].item is None:
        return {}
    order = request.plan.order
    between = order[order.index(source) + 1 : order.index(reader)]
    rebound = {name for step in between for name in request.binds.get(step, ())}
    return {
        name: artifact
        for name, artifact in outputs.items()
        if artifact.blob == outputs[wanted].blob and name not in rebound
    }


def _parts(
    given: Mapping[str, Artifact],
    request: RunRequest,
    reader: str,
    outputs: Callable[[str], Mapping[str, Artifact]],
) -> dict[str, Artifact]:
    """Return what shares state with the inputs of a step as a part of one, or as the whole, in the order of the run."""
    sources, order = request.plan.sources[reader], request.plan.order
    before = {step: outputs(step) for step in order[: order.index(reader)]}
    # Few steps make parts, and every step comes by here: what takes longer with each step before is left for those.
    makers = [step for step, made in before.items() if any("part" in each.summary for each in made.values())]
    if not makers and not any("part" in each.summary for each in given.values()):
        return {}
    latest = {name: step for step, made in before.items() for name in (*request.binds.get(step, ()), *made)}
    found: dict[str, Artifact] = {}
    for name, artifact in given.items():
        whole = artifact.part_of
        # As long as no step in between has bound the whole to something else.
        if whole and whole not in given and not _is_later(latest.get(whole), sources.get(name), order):
            found[whole] = artifact.whole
    wholes = {**found, **given}
    for step in makers:
        for name, artifact in before[step].items():
            held = wholes.get(artifact.part_of)
            is_same = held is not None and held.digest == artifact.whole.digest
            if is_same and latest[name] == step and name not in given:
                found[name] = artifact
    return found


def _is_later(one: str | None, other: str | None, order: Sequence[str]) -> bool:
    return one is not None and other is not None and order.index(one) > order.index(other)


class RunPlanner:
    """Predicts what a run would do with each of its steps; runs and records nothing.

    Args:
        request: the run.
        run_context: the stack it would run on.

    Attributes:
        resolved: step → what it depends on in that run; known after `plan`, absent for a step that cannot be resolved.
    """

    def __init__(self, request: RunRequest, run_context: RunContext) -> None:
        calls = None if request.calls is None else request.calls.copy()
        self._request, self._context = replace(request, calls=calls), run_context
        self.resolved: dict[str, ResolvedStep] = {}
        self._planned: dict[str, PlannedStep] = {}
        self._outputs: dict[str, Mapping[str, Artifact]] = dict(request.last)
        self._deleted: dict[str, Sequence[str]] = {}
        self._overlay: dict[str, str] = {}
        self._running: list[tuple[str, PossibleEffects]] = []

    def plan(self) -> tuple[PlannedStep, ...]:
        """Return the steps of the run in their order, each with what the run would do with it, and why."""
        with digest_cache():
            for name in self._request.chosen:
                self._planned[name] = self._step(name)
        return tuple(self._planned.values())

    def last_outputs(self, name: str) -> dict[str, Artifact]:
        """Return those outputs of a step that no later step of the run replaces."""
        order = list(self._planned)
        later = {each for step in order[order.index(name) + 1 :] for each in self._outputs.get(step, {})}
        return {each: output for each, output in self._outputs[name].items() if each not in later}

    def _step(self, name: str) -> PlannedStep:
        request, remark = self._request, ""
        latest = (request.previous or {}).get(name)
        blocker = next((each for each in request.plan.parents(name) if self._matters(each, name)), None)
        try:
            request = with_sources(request, name, self._made_by)
            resolved = resolve_in_run(request, name, self._outputs_of)
            decision = self._context.decide(
                resolved, asked="--rerun" if request.rerun else "", overlay=self._overlay, is_plan=True
            )
            state, reason = self._state(resolved, decision, blocker)
            self.resolved[name] = resolved
            if resolved.definition.options.map:
                remark = self._fresh_elements(resolved, state)
        except ZennbError as error:
            decision = None
            state, reason = Freshness.STALE, error.message
            if blocker is not None:
                state, reason = Freshness.MAY_RUN, _waiting(blocker)
        if state is Freshness.FRESH and decision is not None and decision.reuse is not None:
            self._apply_reuse(name, decision.reuse)
        else:
            self._running.append((name, PossibleEffects(self.resolved.get(name), latest)))
            # As with its outputs: it is taken to call again what it called last.
            if latest is not None and latest.status.is_good:
                self._note_calls(latest)
            # The steps below are judged as if it put out the same again. If they would be
            # reused then, they are `may run`.
            last = latest if latest is not None and latest.status.is_good else None
            self._outputs[name], self._deleted[name] = (last.outputs, last.deletes) if last else ({}, ())
        return PlannedStep(
            name=name,
            state=state,
            reason=reason,
            status=latest.status.value if latest is not None else "",
            reads=tuple(sorted(request.plan.sources[name])),
            binds=tuple(sorted(request.binds.get(name, ()))),
            remark=remark,
            on="" if state is Freshness.FRESH else self._place(name),
        )

    def _outputs_of(self, source: str) -> Mapping[str, Artifact]:
        return self._outputs.get(source, {})

    def _made_by(self, step: str) -> Mapping[str, bool] | None:
        last = (self._request.previous or {}).get(step)
        if step not in self._planned or last is None:
            return None
        bound = {*self._outputs_of(step), *self._request.definitions[step].options.no_store}
        return {**dict.fromkeys(self._deleted[step], False), **dict.fromkeys(bound, True)}

    def _place(self, name: str) -> str:
        try:
            return self._context.placed(self._request.definitions[name]).ran_on
        except ZennbError:  # the reason says so
            return ""

    def _fresh_elements(self, resolved: ResolvedStep, state: Freshness) -> str:
        """Return of how many elements a mapped step would reuse the results, as a remark."""
        mapped = resolved.definition.options.map
        stored = None if mapped in resolved.values else resolved.artifacts.get(mapped)
        if stored is not None and stored.size > LARGE:
            return ""  # a plan loads nothing large
        try:
            asked = "--rerun" if self._request.rerun else ""
            steps = ElementSteps(resolved, self._request, self._context, asked=asked)
            fresh = len(steps) if state is Freshness.FRESH else self._count_fresh(steps)
        except (ZennbError, KeyError):
            return ""
        return f"{fresh} of {len(steps)} elements are fresh"

    def _count_fresh(self, steps: ElementSteps) -> int:
        found = 0
        for number in range(len(steps)):
            element = steps.resolve(number)
            source = steps.decide(number, element, self._overlay).reuse
            found += source is not None and not self._touched_before(source, element)
        return found

    def _matters(self, parent: str, name: str) -> bool:
        """Whether an earlier step may make this one run: it may run itself, and its outputs are not all ignored."""
        flows = self._request.plan.edges.get((parent, name), ())
        may_run = parent in self._planned and not self._planned[parent].is_fresh
        return may_run and not is_ignored(flows, self._request.definitions[name].options)

    def _state(
        self, resolved: ResolvedStep, decision: CacheDecision, blocker: str | None
    ) -> tuple[Freshness, str]:
        """Return what a run does with a step, given the decision in case the earlier steps produce the same outputs."""
        if blocker is not None:
            options = resolved.definition.options
            is_sure = resolved.unclear or self._request.rerun or options.forced
            return (Freshness.STALE, decision.reason) if is_sure else (Freshness.MAY_RUN, _waiting(blocker))
        if decision.reuse is None:
            return Freshness.STALE, decision.reason
        if touched := self._touched_before(decision.reuse, resolved):
            return Freshness.MAY_RUN, touched
        return Freshness.FRESH, decision.reason

    def _apply_reuse(self, name: str, source: Step) -> None:
        """Note the outputs of a reused step, and the files, variables and settings that it restores."""
        self._outputs[name], self._deleted[name] = source.outputs, source.deletes
        self._note_calls(source)
        observed, state_of = source.observed, self._context.environment.state_of
        left = {name: state for name, state in observed.left.items() if state not in observed.calls}
        restored = {**observed.written, **observed.restored, **left}
        if source.carried is not None:  # records of the first format lack the state of the settings
            missing = {
                each for each in source.carried.names if self._context.environment.settings.knows(each)
            }
            restored.update(dict.fromkeys(missing - restored.keys(), ""))
        self._overlay.update({load_call(name): output.digest for name, output in source.outputs.items()})
        for thing, state in restored.items():
            # The process is in that state already, also if an earlier step of the plan would have changed it before.
            if state_of(thing, state) == state:
                self._overlay.pop(thing, None)
            else:
                self._overlay[thing] = state

    def _note_calls(self, step: Step) -> None:
        if self._request.calls is not None:
            note_calls(self._request.calls, step)

    def _touched_before(self, source: Step, resolved: ResolvedStep) -> str:
        """Return which step that runs earlier may change what this one depends on, as a reason; "" for none."""
        for name, effects in self._running:
            if package := effects.may_call(resolved.used):
                return f"step '{name}', which would run again, may set something of {package}"
            for thing in _touched(source.observed, effects):
                return f"step '{name}', which would run again, may change {thing}"
        return ""


def _touched(observed: Observed, effects: PossibleEffects) -> Iterator[str]:
    """Yield what a step depends on and another one may change."""
    for path in observed.files:
        if effects.may_write(path):
            yield "the current folder" if path == "." else path
    yield from (
        name if loaded_name(name) else f"the {name}"
        for name, digest in observed.settings.items()
        if effects.may_set(name, digest)
    )
    yield from (f"environment variable {name}" for name in observed.environment if effects.may_mention(name))


def _waiting(step: str) -> str:
    return f"needs step '{step}', which would run again"
