"""Owns `RunSnapshot`: all that a pipeline run needs of the notebook, as plain data for a process of its own.

It is what a step takes along to a worker (`engine.remote`), for all steps of a run at once. What could not go to a
worker is refused here as there, before anything is started.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.components.component import Visibility
from zennb.engine.remote.dispatch import check_portable, pickled_values, snapshot
from zennb.engine.remote.namespace_pickling import pack
from zennb.engine.remote.process_snapshot import ProcessSnapshot
from zennb.engine.remote.worker_checks import refusal
from zennb.engine.run.planner import resolve_in_run
from zennb.engine.step.recording import Recording
from zennb.engine.step.request import request_for
from zennb.engine.step.reusability import earlier_code
from zennb.engine.step.shared_state import stored_apart
from zennb.engine.step.streams import redirected
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from zennb.core.planning.plan import Plan
    from zennb.core.records.records import Artifact, CacheKeyParts, StackSpec, Step
    from zennb.dependencies.library_calls import LibraryCalls
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.request import StepRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["RunSnapshot", "run_snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """A pipeline run to be executed by a process of its own. It can be pickled.

    Attributes:
        home: the home to record it in.
        stack: the stack to run it on.
        notebook: the notebook's name in records.
        folder: the notebook's folder; "" when it has none.
        definitions, plan, chosen, parameters, last, previous, rerun, binds, patches, calls, notify: as in `RunRequest`.
        origins: step → input → its artifact, of inputs that the notebook does not hold in memory.
        code: the notebook's functions, classes and modules that the steps use (`namespace_pickling.pack`).
        inputs: variable → its artifact.
        stored: variable → artifact to load it from: what shares state is stored together.
        values: pickled mapping of variable → value, of those that are not in the store.
        overrides: pickled mapping of the run's parameters.
        expected: step → parts of its cache key in the notebook.
        keys: step → its cache key in the notebook, of steps that read nothing from other steps of the run.
        process: the state of the notebook's process.
        provenance: step → provenance of what it uses, for its record, where that is known from the beginning.
    """

    home: str
    stack: StackSpec
    notebook: str = ""
    folder: str = ""
    definitions: Mapping[str, StepDefinition]
    plan: Plan
    chosen: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    previous: Mapping[str, Step] | None = None
    rerun: bool = False
    notify: tuple[str, ...] = ()
    binds: Mapping[str, Collection[str]] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    calls: LibraryCalls | None = None
    origins: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    code: bytes = b""
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    stored: Mapping[str, Artifact] = field(default_factory=dict)
    values: bytes = field(default=b"", repr=False)
    overrides: bytes = field(default=b"", repr=False)
    expected: Mapping[str, CacheKeyParts] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    process: ProcessSnapshot = field(default_factory=ProcessSnapshot)
    provenance: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The variables of the notebook that the run reads or binds."""
        bound = frozenset[str]().union(*self.binds.values())
        return bound | self.inputs.keys() | self.stored.keys()


def run_snapshot(
    request: RunRequest,
    run_context: RunContext,
    *,
    resolved: Mapping[str, ResolvedStep],
    fresh: Collection[str],
    home: str,
) -> RunSnapshot:
    """Return a run as plain data; its inputs are stored, so that later changes of variables do not reach it.

    Args:
        request: the run.
        run_context: the stack it runs on.
        resolved: its steps, as `RunPlanner` has resolved them.
        fresh: steps that would be reused; what they use need not work in another process.
        home: the home to record it in.

    Raises:
        StepRefused: a step would do something else in another process, or something that it needs cannot go there.
        ZennbError: a step cannot be resolved.
    """
    if run_context.store.visibility is Visibility.PROCESS:
        raise StepRefused(
            f"artifact store '{run_context.spec.artifact_store.name}' exists in this kernel only, and a run in the "
            "background could not reach it; choose another stack, or run it without --background."
        )
    chosen = tuple(request.chosen)
    # One that could not be resolved says here why.
    steps = {name: resolved.get(name) or resolve_in_run(request, name, _no_outputs) for name in chosen}
    inputs, stored = _stored_inputs(steps.values(), run_context)
    requests: dict[str, StepRequest] = {}
    values: dict[str, Any] = {}
    for name, step in steps.items():
        needs = {each: inputs[each] for each in step.inputs if each in inputs}
        given = {each: made for each, made in step.artifacts.items() if each not in step.values}
        made, channels = request_for(step, {**given, **needs}, request.namespace)
        made = replace(made, process=ProcessSnapshot(is_background=True))
        if name not in fresh:
            _refuse_magics(made)
            if (refused := earlier_code(step)) is not None:
                raise refused
            check_portable(run_context, made)
            pickled_values(made, channels)
        requests[name] = made
        values.update(channels.values)
    values = {name: value for name, value in values.items() if name not in request.overrides}
    return RunSnapshot(
        home=home,
        stack=run_context.spec,
        notebook=run_context.notebook,
        folder="" if run_context.folder is None else str(run_context.folder),
        definitions=dict(request.definitions),
        plan=request.plan,
        chosen=chosen,
        parameters=dict(request.parameters),
        last=dict(request.last),
        previous=None if request.previous is None else dict(request.previous),
        rerun=request.rerun,
        notify=request.notify,
        binds={name: frozenset(found) for name, found in request.binds.items()},
        patches=tuple(request.patches),
        calls=None if request.calls is None else request.calls.copy(),
        origins={name: _not_in_memory(step, request) for name, step in steps.items()},
        code=_packed(steps.values(), request.namespace, {**inputs, **_given(steps.values())}),
        inputs=inputs,
        stored={**inputs, **stored},
        values=cloudpickle.dumps(values) if values else b"",
        overrides=cloudpickle.dumps(dict(request.overrides)) if request.overrides else b"",
        expected={name: step.parts for name, step in steps.items()},
        keys={
            name: step.cache_key
            for name, step in steps.items()
            if not set(request.plan.sources.get(name, {}).values()).intersection(chosen)
        },
        process=_process(requests.values(), request, run_context),
    )


def _no_outputs(_step: str) -> Mapping[str, Artifact]:
    return {}


def _given(steps: Iterable[ResolvedStep]) -> dict[str, Artifact]:
    return {name: each for step in steps for name, each in step.artifacts.items() if name not in step.values}


def _not_in_memory(step: ResolvedStep, request: RunRequest) -> dict[str, Artifact]:
    """Return the inputs of a step that are artifacts, and neither variables nor from other steps of the run."""
    sources = request.plan.sources.get(step.definition.name, {})
    found = {name: each for name, each in _given([step]).items() if name not in sources}
    return {**request.origins.get(step.definition.name, {}), **found}


def _stored_inputs(
    steps: Iterable[ResolvedStep], run_context: RunContext
) -> tuple[dict[str, Artifact], dict[str, Artifact]]:
    """Store the variables that steps read; return variable → artifact, and those that are to be loaded together."""
    inputs: dict[str, Artifact] = {}
    values: dict[str, Any] = {}
    digests: dict[str, ValueDigest] = {}
    with redirected(Recording()):  # what values print while they are stored
        for step in steps:
            kept = run_context.keep_inputs(step)
            inputs.update((name, each) for name, each in kept.items() if name in step.values)
            values.update(step.values)
            digests.update(step.digests)
        names = stored_apart(digests, inputs) - set(run_context.unstored())
        together = {name: (values[name], digests[name]) for name in names}
        saved = run_context.artifacts.save(together, kind="captured").artifacts if together else {}
    return inputs, dict(saved)


def _packed(
    steps: Iterable[ResolvedStep], namespace: Mapping[str, Any], inputs: Mapping[str, Artifact]
) -> bytes:
    definitions: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for step in steps:
        definitions.update(step.dependencies.definitions)
        data.update(step.dependencies.data)
    needed = {need.split(".")[0] for artifact in inputs.values() for need in artifact.needs}
    definitions |= {name: namespace[name] for name in needed if name in namespace}
    return pack(definitions, namespace=namespace, data=data)[0] if definitions else b""


def _process(
    requests: Iterable[StepRequest], request: RunRequest, run_context: RunContext
) -> ProcessSnapshot:
    """Return the state of this process that any of the steps needs."""
    scope = run_context.artifacts.scope
    merged = ProcessSnapshot()
    wanted = set[str]()
    for each in requests:
        things = [scope[name] for name in each.names if name in scope]
        found = snapshot(run_context, each, things)
        wanted.update(found.calls)
        merged = replace(
            found,
            modules={**merged.modules, **found.modules},
            constants={**merged.constants, **found.constants},
            texts={**merged.texts, **found.texts},
        )
    # In the notebook's order: a later call may undo an earlier one.
    calls = [] if request.calls is None else [call.source for call in request.calls.all]
    return replace(merged, calls=tuple(each for each in calls if each in wanted), is_background=True)


def _refuse_magics(request: StepRequest) -> None:
    if magics := request.definition.analysis.magics:
        first = magics[0]
        raise refusal(request, f"`{first.text}` in line {first.line} works only in the kernel")
