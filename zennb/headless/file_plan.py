"""Owns `FilePlan`: the plan of running a notebook file, worked out cell by cell without a kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.planning.cache_decision import copied, reason_to_run, reused
from zennb.core.planning.ordering import file_edges, flows
from zennb.core.planning.run_plan import Freshness, PlannedStep, RunPlan
from zennb.core.records.records import Status
from zennb.digests.digest import digest_value
from zennb.engine.environment.execution_environment import sealed
from zennb.engine.environment.local_modules import find_local, package_reader, reader, text_reader
from zennb.engine.run.lost_results import missing_results, why_lost
from zennb.engine.run.other_stores import OtherStores
from zennb.engine.step.cache_options import not_reusable, read_although_unstored
from zennb.errors import ZennbError
from zennb.headless.file_elements import fresh_elements
from zennb.headless.notebook_label import label
from zennb.headless.record_match import RecordMatch
from zennb.headless.run_environment import Difference, RunEnvironment
from zennb.provenance.module_source import ModuleSources
from zennb.provenance.notebook import Provenance
from zennb.provenance.steps import apply, step_statements
from zennb.provenance.value_source import SourceKind
from zennb.registry.registered_models import loaded_digest
from zennb.registry.stores import artifact_stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.planning.plan import Plan
    from zennb.core.planning.run_plan import Edge
    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition
    from zennb.provenance.cell_statements import CellStatement
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = ["FileCell", "FilePlan"]

_MODELS = re.compile(
    r"\bmodel\s+(register|alias|unalias|delete)\b|\b(register_model|set_alias|delete_alias)\b"
)
"""What cells contain that change which artifact the name of a model stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCell:
    """One code cell of a notebook file.

    Attributes:
        number: the number beside it when the notebook is run from top to bottom.
        source: its text.
        statements: what a plain cell does; None when it cannot be read.
        definition: the step that it is; None for a plain cell.
        binds: names that the step binds, as declared or as read.
    """

    number: int
    source: str
    statements: tuple[CellStatement, ...] | None = ()
    definition: StepDefinition | None = None
    binds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a run would do with a step."""

    state: Freshness
    reason: str
    record: Step | None = None
    on: str = ""
    remark: str = ""


@dataclass(slots=True, kw_only=True)
class FilePlan:
    """Works out the plan of one notebook file.

    Attributes:
        cells: its code cells, in order.
        plan: its steps and what flows between them.
        workspace: where records are.
        path: the notebook.
        ours: magics of this package.
        previous: the latest record of each step.
    """

    cells: Sequence[FileCell]
    plan: Plan
    workspace: Workspace
    path: Path
    ours: frozenset[str]
    previous: Mapping[str, Step]
    _names: Provenance = field(init=False)
    _modules: ModuleSources = field(init=False)
    _environment: RunEnvironment = field(init=False)
    _records: dict[str, list[Step]] = field(init=False)
    _stacks: dict[str, Stack] = field(init=False, default_factory=dict)
    _answers: dict[str, _Answer] = field(init=False, default_factory=dict)
    _literals: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        folder = str(self.path.absolute().parent)
        signer = self.workspace.signer

        def seal(name: str, value: str | None) -> str:
            return sealed(signer.seal, name, value)

        def locate(name: str) -> Path | None:
            return find_local(name, [folder])

        self._modules = ModuleSources(
            reader(locate), package_reader(locate), written=text_reader(locate), seal=seal
        )
        self._names = Provenance(modules=self._modules, ours=self.ours, seal=seal)
        self._environment = RunEnvironment(
            folder=Path(folder),
            sealed=seal,
            loaded=partial(loaded_digest, self.workspace, notebook=label(self.path, self.workspace.home)),
            changes_models=any(_MODELS.search(cell.source) for cell in self.cells),
        )
        self._records = {}
        codes = {cell.definition.code for cell in self.cells if cell.definition is not None}
        # One query for all steps, whatever notebook the records are of: equal code with equal inputs can be reused.
        for record in self.workspace.metadata.with_code(codes):
            if record.parts is not None:
                self._records.setdefault(record.parts.code, []).append(record)

    def work_out(self) -> RunPlan:
        """Return the plan."""
        for cell in self.cells:
            if cell.definition is None:
                self._names.run(cell.statements, source=cell.source, number=cell.number)
                for statement in cell.statements or ():
                    self._literals.update(statement.literals)
            else:
                self._step(cell, cell.definition)
        binds = {cell.definition.name: cell.binds for cell in self.cells if cell.definition is not None}
        steps = tuple(self._planned(name, binds[name]) for name in self.plan.order)
        return RunPlan(steps=steps, edges=self._edges(), aliases=self.plan.aliases)

    # One step

    def _step(self, cell: FileCell, definition: StepDefinition) -> None:
        answer = self._placed(self._judge(definition), definition)
        if definition.options.map and not definition.options.forced:
            answer = replace(answer, remark=self._elements(definition))
        self._answers[definition.name] = answer
        statements = step_statements(definition.tree, definition.text)
        inside, last = self._names.folder, self.previous.get(definition.name)
        # The steps below see what reuse would leave: the recorded outputs, files and settings.
        if answer.state is Freshness.FRESH and answer.record is not None:
            self._environment.reused(answer.record, inside)
            apply(self._names, answer.record, statements, number=cell.number)
            return
        same = last is not None and last.parts is not None and last.parts.code == definition.code
        known = self._records.get(definition.code)
        may_write = self._names.step(
            definition.name,
            statements,
            outputs=None,
            changes=frozenset().union(*(each.outputs for each in known)) if known else None,
            number=cell.number,
        )
        self._environment.will_run(definition.name, last, inside, is_known=same or not may_write)

    def _placed(self, answer: _Answer, definition: StepDefinition) -> _Answer:
        """Return the answer with what runs the step in place of the stack's orchestrator, or why nothing does."""
        if not definition.options.on or answer.state is Freshness.FRESH:
            return answer
        stack = self._stack(definition)
        try:
            spec, _ = self.workspace.step_operator(stack, definition.options.on)
        except ZennbError as error:
            return replace(answer, reason=error.message)
        own = spec == stack.spec.orchestrator
        return answer if own else replace(answer, on=f"{spec.name} ({spec.flavor})")

    def _elements(self, definition: StepDefinition) -> str:
        """Return of how many elements a mapped step would reuse the results; "" where only running it tells."""
        name = definition.options.map
        source = self._names.names.get(name)
        if name not in self._literals or source is None or source.kind is not SourceKind.VALUE:
            return ""
        value, latest = self._literals[name], self.previous.get(definition.name)
        if digest_value(value, name=name).digest != source.own:  # a step has bound it since
            return ""
        steps = {self._source(each).id: self._source(each) for each in self._records.get(definition.code, ())}
        if latest is not None:
            steps[latest.id] = latest
        return fresh_elements(
            definition,
            value,
            matching=self._match,
            runs=[(each, self._parts_of(each, definition)) for each in steps.values()],
        )

    def _parts_of(self, step: Step, definition: StepDefinition) -> list[Step]:
        """Return the elements of a mapped step that ran in the run of this record, and can be reused."""
        found = self.workspace.metadata.steps(step.run or 0)
        good = (each for each in found if each.is_element and each.status.is_good and each.reusable)
        return [each for each in good if not self._lacks(each, definition)]

    def _match(self, definition: StepDefinition) -> RecordMatch:
        return RecordMatch(
            definition,
            names=self._names,
            modules=self._modules,
            environment=self._environment,
            records=self._records.get(definition.code, []),
        )

    def _judge(self, definition: StepDefinition) -> _Answer:
        if definition.options.forced:
            return _Answer(state=Freshness.STALE, reason=f"asked for with {definition.options.forced}")
        records = self._records.get(definition.code, [])
        readers = read_although_unstored(definition.name, definition.options.no_store, self.previous.values())
        if readers:
            return _Answer(state=Freshness.STALE, reason=f"not cacheable: {readers[0]}")
        match = self._match(definition)
        is_open: list[list[Difference]] = []
        lost = ""
        away: dict[str, Step] = {}
        for record in records:
            found = match.differences(record)
            if any(each.is_certain for each in found):
                continue
            if found:
                is_open.append(found)
            # From here on the record would match. What keeps it from being reused is the better
            # reason, if no other matches.
            elif reason := self._unusable(self._source(record), definition):
                lost = lost or reason
            elif reason := self._lacks(record, definition):
                away.setdefault(reason, record)
            else:
                return _Answer(
                    state=Freshness.FRESH, reason=reused(self._source(record)).reason, record=record
                )
        if found_elsewhere := self._elsewhere(away.values(), definition):
            return found_elsewhere
        lost = lost or next(iter(away), "")
        if is_open:
            return self._undecided(
                # The record with the fewest questions only running the notebook answers, then with the fewest at all.
                min(is_open, key=lambda found: (sum(not each.waits for each in found), len(found)))
            )
        return _Answer(state=Freshness.STALE, reason=lost or self._why(definition, match, records))

    def _lacks(self, record: Step, definition: StepDefinition) -> str:
        """Return why results of a record cannot be taken from the store; "" if they can."""
        stack = self._stack(definition)
        return why_lost(record, stack.store, self.workspace.metadata, name=stack.spec.artifact_store.name)

    def _elsewhere(self, records: Iterable[Step], definition: StepDefinition) -> _Answer | None:
        """Return the answer for a step whose results another store has; None when there is none."""
        others = OtherStores(lambda: artifact_stores(self.workspace))
        for record in records:
            store = self._stack(definition).store
            name = others.holder(missing_results(record, store), besides=store)
            if name:
                return _Answer(state=Freshness.FRESH, reason=copied(record, name).reason, record=record)
        return None

    def _stack(self, definition: StepDefinition) -> Stack:
        name = definition.options.stack
        if name not in self._stacks:
            self._stacks[name] = self.workspace.open(name or None)
        return self._stacks[name]

    def _source(self, record: Step) -> Step:
        """Return the step that ran, for one that reused its results."""
        return record if record.reused is None else self.workspace.metadata.step(record.reused) or record

    def _unusable(self, source: Step, definition: StepDefinition) -> str:
        """Return why matching results cannot be reused: they have expired, or cannot be loaded here."""
        ran = [each for each in self._records[definition.code] if each.status is Status.COMPLETED]
        alike = [each for each in ran if each.cache_key == source.cache_key]
        return not_reusable(alike or [source], definition, self.workspace.signer).get(source.id, "")

    def _undecided(self, found: Sequence[Difference]) -> _Answer:
        """Return the answer for a step that would perhaps be reused."""
        looked_at = [each for each in found if not each.waits]
        if looked_at:
            return _Answer(state=Freshness.UNKNOWN, reason=looked_at[0].reason)
        waits = sorted({step for each in found for step in each.waits})
        runs = [step for step in waits if self._answers[step].state in {Freshness.STALE, Freshness.MAY_RUN}]
        if not runs:
            return _Answer(
                state=Freshness.UNKNOWN,
                reason=f"needs step '{waits[0]}', of which nobody knows whether it would run",
            )
        how = "would run again" if self._answers[runs[0]].state is Freshness.STALE else "may run again"
        return _Answer(state=Freshness.MAY_RUN, reason=f"needs step '{runs[0]}', which {how}")

    def _why(self, definition: StepDefinition, match: RecordMatch, records: Sequence[Step]) -> str:
        """Return why a step would certainly run."""
        last = self.previous.get(definition.name) or next(iter(records), None)
        found = [] if last is None else match.differences(last)
        return reason_to_run(last, [each.reason for each in found if each.is_certain])

    # The plan

    def _planned(self, name: str, binds: frozenset[str]) -> PlannedStep:
        answer, last = self._answers[name], self.previous.get(name)
        return PlannedStep(
            name=name,
            state=answer.state,
            reason=answer.reason,
            status="" if last is None else last.status.value,
            reads=tuple(sorted(self.plan.sources.get(name, ()))),
            binds=tuple(sorted(binds)),
            on=answer.on,
            remark=answer.remark,
        )

    def _edges(self) -> tuple[Edge, ...]:
        definitions = [cell.definition for cell in self.cells if cell.definition is not None]
        records = {
            each.name: found
            for each in definitions
            if (found := self._answers[each.name].record or self.previous.get(each.name))
        }
        files = file_edges(self.plan.order, records)
        return flows(self.plan, after={each.name: each.options.after for each in definitions}, files=files)
