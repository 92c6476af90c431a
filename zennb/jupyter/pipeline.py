"""Owns the notebook's steps as a pipeline in this kernel: shown, run, and explained."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from zennb.core.key import differences
from zennb.core.ordering import file_edges, flows
from zennb.core.records import Run, Status
from zennb.core.run_plan import Freshness, PlannedStep, RunPlan
from zennb.engine.deadline import interrupted, interrupts_raise
from zennb.engine.perform import own_frames
from zennb.engine.request import Finished, Request
from zennb.engine.run import PipelineRun
from zennb.errors import PlanError, UnknownName, UsageError, ZennbError
from zennb.jupyter.live import LiveTable
from zennb.jupyter.notebook import cell_order, saved_at
from zennb.jupyter.panels.door import open_panel
from zennb.jupyter.panels.panels import Panels
from zennb.jupyter.planning import Planning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from zennb.core.digest import Look
    from zennb.core.plan import Plan
    from zennb.core.records import Artifact, Step
    from zennb.engine.definition import Definition
    from zennb.engine.site import Site
    from zennb.jupyter.activity import Activity
    from zennb.jupyter.autostep import Autostep
    from zennb.jupyter.plain import Change
    from zennb.jupyter.session import KernelSession
    from zennb.views.view import Shown

__all__ = ["PipelineSession"]


class PipelineSession:
    """The pipeline of one kernel: what `%pipeline` asks for (`commands.session.Session`)."""

    def __init__(self, session: KernelSession, autostep: Autostep) -> None:
        self._session, self._autostep = session, autostep
        self._planning = Planning(session)
        self.panels = Panels(self)

    @property
    def autostep(self) -> bool:
        """Whether every cell that follows is a step."""
        return self._autostep.is_on

    @autostep.setter
    def autostep(self, on: bool) -> None:
        self._autostep.is_on = on

    @property
    def notebook(self) -> str:
        """The notebook's name in records."""
        return self._session.notebook

    @property
    def busy(self) -> bool:
        """Whether a cell runs just now."""
        return self._session.busy

    @property
    def activity(self) -> Activity:
        """What runs in this kernel just now."""
        return self._session.activity

    def step_names(self) -> list[str]:
        """Return the names of the steps this kernel has seen."""
        return self._session.register.names()

    def plan(self) -> RunPlan:
        """Return the steps, what flows between them, and which would run again now and why."""
        definitions = self._definitions()
        previous = self._previous(definitions)
        drawn = self._planning.plan(definitions, previous)
        site = self._session.site()
        stale: dict[str, str] = {}
        changes = self._changes()
        nodes = {}
        made: set[str] = set()
        for name in drawn.order:
            latest = previous.get(name)
            nodes[name] = self._node(
                definitions[name], drawn, site, stale, changes=changes, previous=latest, made=made
            )
            if latest is not None and name not in stale:
                made |= latest.brings_about
        after = {name: definitions[name].options.after for name in drawn.order}
        edges = flows(drawn, after=after, files=file_edges(drawn.order, previous))
        return RunPlan(steps=tuple(nodes[name] for name in drawn.order), edges=edges)

    def panel(self, kind: str) -> Shown:
        """Return this kernel's panel of a kind."""
        return open_panel(self.panels, kind)

    def explain(self, step: str) -> list[str]:
        """Return, one phrase each, what differs between a step as it stands and its latest record."""
        definition = self._session.register.get(step)
        previous = self._previous({step: definition}).get(step)
        if previous is None or previous.parts is None:
            return []
        try:
            return differences(previous.parts, self._session.prepare(definition).parts)
        except ZennbError:  # the plan gives it as the reason
            return []

    def latest(self) -> dict[str, Step]:
        """Return step name → its latest record, for the steps that have one."""
        found = self._session.workspace.metadata.latest_steps(
            self.notebook, sources=_sources(self._definitions())
        )
        return {step.name: step for step in found}

    def forget(self, step: str) -> None:
        """Take a step out of the pipeline; its records stay, and running its cell brings it back."""
        self._session.register.forget(step)

    def _previous(self, definitions: Mapping[str, Definition]) -> dict[str, Step]:
        """Return step name → the latest record of it that ran, was reused or failed."""
        return self._session.workspace.metadata.previous_all(
            definitions, self.notebook, sources=_sources(definitions)
        )

    def run_pipeline(
        self,
        *,
        parameters: Mapping[str, str],
        stack: str | None,
        start: str | None,
        only: str | None,
        rerun: bool,
    ) -> Run:
        """Run the pipeline with a live table and bind its outputs; raise the first step's error at the end.

        Raises:
            KeyboardInterrupt: it was interrupted; its traceback begins in the step's code, if that ran in this thread.
        """
        __tracebackhide__ = True
        try:
            with interrupts_raise():
                return self._run(parameters, stack=stack, start=start, only=only, rerun=rerun)
        except KeyboardInterrupt as interrupt:
            files = {self._session.register.get(name).filename for name in self.step_names()}
            own = own_frames(interrupt, files)
            frame = own.__traceback__
            raise (own if frame and frame.tb_frame.f_code.co_filename in files else interrupted()) from None

    def _run(
        self,
        parameters: Mapping[str, str],
        *,
        stack: str | None,
        start: str | None,
        only: str | None,
        rerun: bool,
    ) -> Run:
        __tracebackhide__ = True
        session = self._session
        with session.lock:
            definitions = self._definitions()
            if not definitions:
                raise PlanError("there are no steps yet; put %%step on top of a cell and run it once.")
            previous = self._previous(definitions)
            drawn = self._planning.plan(definitions, previous, side_by_side=True)
            chosen = drawn.narrow(start=start, only=only)
            self._load_pending(definitions, drawn, chosen)
            site = session.site(stack)
            request = Request(
                definitions=definitions,
                plan=drawn,
                chosen=chosen,
                namespace=session.namespace,
                look=self._look,
                partners=self._partners,
                patches=session.patches,
                overrides=self._overrides(parameters, definitions, drawn, previous) if parameters else {},
                parameters=parameters,
                last=self._last(drawn, chosen, previous),
                previous=previous,
                rerun=rerun,
            )
        runs = set(chosen)
        edges = [pair for pair in drawn.edges if runs.issuperset(pair)]
        updates = session.can_update
        with LiveTable(session.tap, chosen, updates=updates, activity=session.activity, edges=edges) as table:
            run = PipelineRun(
                request, site=site, frontend=session.frontend, on_change=table, on_output=table.heard
            )
            finished = run.execute()
        with session.lock:
            self._bind(finished, chosen, site)
        if finished.error is not None:
            raise finished.error
        return finished.run

    def _load_pending(
        self, definitions: Mapping[str, Definition], drawn: Plan, chosen: Iterable[str]
    ) -> None:
        """Bind what the chosen steps read that comes from no step of the plan and is not bound yet."""
        for name in chosen:
            reads = definitions[name].analysis.reads
            self._session.pending.load(each for each in reads if each not in drawn.sources[name])

    def _look(self, name: str, value: Any) -> Any:
        with self._session.lock:
            return self._session.holdings.look(name, value)

    def _partners(self, looks: Mapping[str, Look]) -> Mapping[str, Any]:
        with self._session.lock:
            return self._session.holdings.partners(looks, self._session.namespace)

    def _definitions(self) -> dict[str, Definition]:
        path = self._session.path
        found = self._session.register.ordered(cell_order(path), saved=saved_at(path))
        return {definition.name: definition for definition in found}

    def _changes(self) -> dict[str, Change]:
        with self._session.lock:
            return self._session.plain.changes()

    def _node(
        self,
        definition: Definition,
        drawn: Plan,
        site: Site,
        stale: dict[str, str],
        *,
        changes: Mapping[str, Change],
        previous: Step | None,
        made: Collection[str],
    ) -> PlannedStep:
        """Return where a step stands; `stale` collects the steps that would run, with the reason.

        What fresh steps above it set and write, as `made` says, is taken for granted: they come first.
        """
        waits = next((parent for parent in drawn.parents(definition.name) if parent in stale), None)
        prepared = None
        if waits is not None:
            reason: str = f"needs step '{waits}', which would run again"
        else:
            try:
                prepared = self._session.prepare(definition)
                verdict = site.verdict(prepared, made=made)
                reason = verdict.reason
                waits = None if verdict.reuse is not None else definition.name
            except ZennbError as error:
                reason, waits = error.message, definition.name
        if waits is not None:
            stale[definition.name] = reason
        return PlannedStep(
            name=definition.name,
            status=previous.status.value if previous is not None else "",
            reason=reason,
            state=_state(definition.name, waits),
            reads=tuple(sorted(drawn.sources[definition.name])),
            binds=tuple(sorted(self._planning.binds(definition, previous))),
            remark="; ".join(_remarks(definition.name, previous, changes)),
        )

    def _overrides(
        self,
        parameters: Mapping[str, str],
        definitions: Mapping[str, Definition],
        drawn: Plan,
        previous: Mapping[str, Step],
    ) -> dict[str, Any]:
        """Return the values of `-p NAME=VALUE`; each must be a plain variable that some step reads.

        Raises:
            UnknownName: no step reads such a variable.
            UsageError: a step binds it.
        """
        plain = {
            name: definition.name
            for definition in definitions.values()
            for name in self._planning.reads(definition, frozenset())
            if name not in drawn.sources[definition.name]
        }
        binder = {
            name: step
            for step, definition in definitions.items()
            for name in self._planning.binds(definition, previous.get(step))
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
        return {name: _value(text) for name, text in parameters.items()}

    @staticmethod
    def _last(
        drawn: Plan, chosen: tuple[str, ...], previous: Mapping[str, Step]
    ) -> dict[str, Mapping[str, Artifact]]:
        """Return what the steps that are not chosen made last."""
        others = set(drawn.order).difference(chosen)
        latest = {name: step for name, step in previous.items() if name in others}
        return {name: step.outputs for name, step in latest.items() if step.status.is_good}

    def _bind(self, finished: Finished, chosen: tuple[str, ...], site: Site) -> None:
        """Bind in the notebook what the steps made; the last maker of a name counts."""
        session = self._session
        outputs: dict[str, Artifact] = {}
        for name in chosen:
            step: Step | None = finished.steps.get(name)
            if step is not None and step.status in {Status.COMPLETED, Status.CACHED}:
                outputs.update(step.outputs)
        fresh = {name: a for name, a in outputs.items() if not self._holds(name, a)}
        large = session.pending.worth(fresh)
        maker = {name: step.name for step in finished.steps.values() for name in step.outputs}
        for name in large:
            session.pending.postpone({name: fresh[name]}, site.shelf, step=maker[name])
        values = finished.shelf.fetch({name: a for name, a in fresh.items() if name not in large})
        session.pending.forget(values)
        for name, value in values.items():
            session.namespace[name] = value
            session.holdings.bind(name, value, fresh[name], session.seen(fresh[name], value))

    def _holds(self, name: str, artifact: Artifact) -> bool:
        """Whether the notebook's variable is that artifact already, or will be when a cell names it."""
        waiting = self._session.pending.artifacts([name]).get(name)
        if waiting is not None:
            return waiting.digest == artifact.digest and waiting.blob == artifact.blob
        if name not in self._session.namespace:
            return False
        _, held = self._session.holdings.look(name, self._session.namespace[name])
        return held is not None and held.digest == artifact.digest and held.blob == artifact.blob


def _sources(definitions: Mapping[str, Definition]) -> dict[str, str]:
    return {name: definition.source for name, definition in definitions.items()}


def _state(name: str, waits: str | None) -> Freshness:
    if waits is None:
        return Freshness.FRESH
    return Freshness.STALE if waits == name else Freshness.MAY_RUN


def _remarks(step: str, latest: Step | None, changes: Mapping[str, Change]) -> list[str]:
    """Say which of the outputs of a step's latest run plain cells have changed since."""
    made = latest.outputs if latest is not None else {}
    return [
        f"`{name}` was {change.said} after step '{step}' made it"
        for name, change in changes.items()
        if name in made and made[name].digest == change.artifact.digest
    ]


def _value(text: str) -> Any:
    """Return the Python literal that a text is, else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
