"""Owns `Planning`: what each step of a kernel reads and binds in the notebook as it is now, and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.planning.ordering import ordering
from zennb.core.planning.plan import Outline, Plan, plan, same_name
from zennb.dependencies.dependencies import DependencySearch
from zennb.digests.reachability import code_in
from zennb.engine.run.planner import RunPlanner
from zennb.engine.step.namespace_changes import is_code
from zennb.errors import CannotDigest, PlanError, UnknownName, UsageError
from zennb.headless.parameter_values import UNKNOWN, fitted_value
from zennb.jupyter.kernel.notebook import saved_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.core.records.records import Artifact, Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["Planning", "last_outputs"]


class Planning:
    """Plans the steps of one kernel.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelState) -> None:
        self._session = session

    def definitions(self) -> dict[str, StepDefinition]:
        """Return the steps of the notebook by name, top to bottom.

        Raises:
            PlanError: the user gave one name to two cells of the saved file.
        """
        session = self._session
        registry, hints, file = session.registry, session.saved_hints, session.path
        for step in registry.hidden():
            if hints.are_saved(file, step, registry.get(step.name)):
                raise same_name(step.name)
            if name := hints.new_name(file, step):
                registry.rename(step, name)
        cells, saved = saved_cells(file)
        found = registry.ordered(cells, saved=saved)
        return {step.name: hints.with_saved_names(file, step) for step in found}

    def plan(
        self,
        definitions: Mapping[str, StepDefinition],
        previous: Mapping[str, Step],
        *,
        side_by_side: bool = False,
    ) -> Plan:
        """Return the plan of the steps, ordered by files and settings too, unless that makes a cycle."""
        outlines = self._outlines(definitions, previous)
        after = ordering(list(definitions), previous, all_of_it=side_by_side)
        ordered = [replace(each, after=(*each.after, *after.get(each.name, ()))) for each in outlines]
        try:
            return plan(ordered)
        except PlanError:
            # A circle that only files or settings make: the order by variables must still work.
            return plan(outlines)

    def _outlines(
        self, definitions: Mapping[str, StepDefinition], previous: Mapping[str, Step]
    ) -> list[Outline]:
        binds = {name: self.binds(definition, previous.get(name)) for name, definition in definitions.items()}
        deletes = {name: each.analysis.deletes - binds[name] for name, each in definitions.items()}
        bound = frozenset().union(*binds.values(), *deletes.values())
        return [
            Outline(
                name=name,
                aliases=definition.derived,
                reads=self.reads(definition, bound),
                binds=binds[name],
                deletes=deletes[name],
                after=definition.options.after,
                captured=self._captured(definition, previous.get(name)),
            )
            for name, definition in definitions.items()
        ]

    def reads(self, definition: StepDefinition, bound: frozenset[str]) -> frozenset[str]:
        """Return the data that a step reads, itself or through functions; also names that other steps will bind."""
        made = self._session.variables.made()
        search = DependencySearch(definition.analysis, self._session.namespace)
        search.follow(())
        followed: dict[str, Any] = {}
        while found := {name: value for name, value in search.data.items() if name not in followed}:
            followed |= found
            search.follow(code for name, value in found.items() for code in self._code_in(name, value))
        functions = {n for n, value in search.definitions.items() if n in made and made[n].place == id(value)}
        return (
            frozenset({*search.data, *functions})
            | (bound & {*definition.analysis.reads, *search.missing})
            | frozenset(definition.options.inputs)
        )

    def _code_in(self, name: str, value: Any) -> Iterable[object]:
        with self._session.lock:
            try:
                return self._session.variables.digest(name, value)[0].code
            except CannotDigest:
                return code_in([value])

    def binds(self, definition: StepDefinition, previous: Step | None) -> frozenset[str]:
        """Return what a step binds or changes, by its code and by what its latest run changed."""
        namespace = self._session.namespace
        if definition.options.outputs is not None:
            by_code = set(definition.options.outputs)
        else:
            by_code = {name for name in definition.analysis.binds if not name.startswith("_")}
        by_code = {name for name in by_code if not is_code(namespace.get(name))} - definition.analysis.imports
        seen = (
            set(previous.outputs) if previous is not None and previous.source == definition.source else set()
        )
        return frozenset(by_code | seen)

    def origins(
        self,
        definition: StepDefinition,
        drawn: Plan,
        previous: Mapping[str, Step],
        *,
        pending: bool = False,
    ) -> dict[str, Artifact]:
        """Return inputs of a step as plain cells made them, where a step has changed or bound the variable since.

        A run starts from the plain cells' version, while the variable holds the result.

        Args:
            definition: the step.
            drawn: the plan; outputs of its steps are left out.
            previous: step → its latest record.
            pending: whether to include outputs of steps outside the plan that no cell has read yet.
        """
        session = self._session
        found = dict(session.lazy_outputs.artifacts(definition.analysis.reads) if pending else {})
        latest = previous.get(definition.name)
        recorded = latest.inputs if latest is not None else {}
        made = session.variables.made()
        for name in {*definition.analysis.reads, *recorded} - drawn.sources[definition.name].keys():
            if name not in made or session.untracked.may_bind(name, since=made[name].made_at):
                continue
            steps = {step: each for step, each in previous.items() if step in drawn.sources}
            if (origin := self._origin(name, recorded.get(name), steps)) is not None:
                found[name] = origin
        return {name: each for name, each in found.items() if name not in drawn.sources[definition.name]}

    def unstored(self, request: RunRequest, run_context: RunContext) -> set[str]:
        """Return the pending outputs that could not be stored, and that a step of a run reads when it has to run."""
        unstored = self._session.lazy_outputs.unstored
        reads = {
            name: unstored.intersection(request.definitions[name].analysis.reads) for name in request.chosen
        }
        if not any(reads.values()):
            return set()
        with self._session.capture.discarding():
            planned = RunPlanner(request, run_context).plan()
        return {each for step in planned if not step.is_fresh for each in reads[step.name]}

    def overrides(
        self,
        parameters: Mapping[str, str],
        definitions: Mapping[str, StepDefinition],
        drawn: Plan,
        previous: Mapping[str, Step],
    ) -> dict[str, Any]:
        """Return the values of `-p NAME=VALUE`; each must be a plain variable that some step reads.

        Raises:
            UnknownName: no step reads such a variable.
            UsageError: a step binds it.
        """
        if not parameters:
            return {}
        plain = {
            name: definition.name
            for definition in definitions.values()
            for name in self.reads(definition, frozenset())
            if name not in drawn.sources[definition.name]
        }
        binder = {
            name: step
            for step, definition in definitions.items()
            for name in self.binds(definition, previous.get(step))
        }
        for name in parameters:
            if name in plain:
                continue
            if name in binder:
                raise UsageError(
                    f"-p {name}: `{name}` is made by step '{binder[name]}', so it cannot be given; "
                    "only plain variables of the notebook can."
                )
            raise UnknownName("plain variable that a step reads called", name, sorted(plain))
        namespace = self._session.namespace
        return {
            name: fitted_value(name, text, namespace.get(name, UNKNOWN)) for name, text in parameters.items()
        }

    def _origin(self, name: str, recorded: Artifact | None, previous: Mapping[str, Step]) -> Artifact | None:
        """Return the version of a variable that a plain cell made, if the variable now holds a step's version."""
        session = self._session
        if name in session.namespace:
            with session.lock:
                try:
                    _, held = session.variables.digest(name, session.namespace[name])
                except CannotDigest:
                    return None
        else:
            held = session.lazy_outputs.artifacts([name]).get(name)
        makers = {step.outputs[name].digest: step for step in previous.values() if name in step.outputs}
        seen = set[str]()
        # From each step's version back to the input it was made from, until a plain cell's version is reached.
        while held is not None and held.kind == "output" and held.digest not in seen:
            seen.add(held.digest)
            maker = makers.get(held.digest)
            if maker is None:  # a step of an earlier version of the notebook may have made the same
                return held if len(seen) > 1 else None
            held = maker.inputs.get(name) or (recorded if _is_plain(recorded) else None)
        return held if _is_plain(held) and seen else None

    def _captured(self, definition: StepDefinition, previous: Step | None) -> frozenset[str]:
        """Return the names that the latest run of the same code captured from plain cells."""
        if previous is None or previous.parts is None or previous.parts.code != definition.code:
            return frozenset()
        return frozenset(name for name, each in previous.inputs.items() if _is_plain(each))


def _is_plain(artifact: Artifact | None) -> bool:
    return artifact is not None and artifact.kind != "output"


def last_outputs(
    drawn: Plan, chosen: tuple[str, ...], previous: Mapping[str, Step]
) -> dict[str, Mapping[str, Artifact]]:
    """Return what the steps that are not chosen made last."""
    others = set(drawn.order).difference(chosen)
    return {name: step.outputs for name, step in previous.items() if name in others and step.status.is_good}
