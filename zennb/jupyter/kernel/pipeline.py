"""Owns `PipelineSession`: the notebook's steps as a pipeline that is planned, run and explained in this kernel."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.planning.cache_key import differences
from zennb.core.planning.ordering import file_edges, flows
from zennb.core.planning.run_plan import PlannedStep, RunPlan
from zennb.core.records.records import Run, Status
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.run.planner import RunPlanner
from zennb.engine.run.run_request import FinishedRun, RunRequest
from zennb.engine.step.body import own_frames
from zennb.engine.step.cancellation import interrupted, interrupts_raise
from zennb.engine.step.uninterrupted import uninterrupted
from zennb.errors import PlanError, StepRefused
from zennb.headless.kernel import RUNNING
from zennb.jupyter.cells.own_traceback import with_own_traceback
from zennb.jupyter.cells.restoring import bind_outputs
from zennb.jupyter.kernel.annotations import Annotations
from zennb.jupyter.kernel.live_display import LiveTable
from zennb.jupyter.kernel.planning import Planning, last_outputs
from zennb.jupyter.panels.kit.panels import Panels
from zennb.registry.home import working_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.planning.plan import Plan
    from zennb.core.records.records import Artifact, Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.recording import Event
    from zennb.jupyter.cells.autostep import Autostep
    from zennb.jupyter.cells.untracked_changes import UntrackedChange
    from zennb.jupyter.kernel.background_runs import BackgroundRuns
    from zennb.jupyter.kernel.run_monitor import RunMonitor
    from zennb.jupyter.kernel.state import KernelState
    from zennb.views.view import Shown

__all__ = ["PipelineSession"]


class PipelineSession:
    """The pipeline of one kernel, as `%pipeline` uses it (a `commands.session.Session`)."""

    def __init__(self, session: KernelState, autostep: Autostep, background: BackgroundRuns) -> None:
        self._session, self._autostep, self._background = session, autostep, background
        self._planning = Planning(session)
        self.panels = Panels(self)
        self.annotations = Annotations(session)

    @property
    def autostep(self) -> bool:
        """Whether every cell that runs from now on is a step."""
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
    def monitor(self) -> RunMonitor:
        """The active runs of this kernel."""
        return self._session.monitor

    def step_names(self) -> list[str]:
        """Return the names of the steps this kernel has seen."""
        return self._session.registry.names()

    def plan(self) -> RunPlan:
        """Return the pipeline, and what a run would do with each step."""
        with self._session.capture.discarding():  # what objects print while they are looked at
            planner, request, previous = self._planner(self._session.context())
            planned = planner.plan()
            with self._session.lock:
                changes = self._session.untracked.changes()
            steps = tuple(
                replace(each, remark="; ".join(self._remarks(each, planner, previous, changes)))
                for each in planned
            )
        after = {name: definition.options.after for name, definition in request.definitions.items()}
        files = file_edges(request.plan.order, previous)
        edges = flows(request.plan, after=after, files=files)
        return RunPlan(steps=steps, edges=edges, aliases=request.plan.aliases)

    def _planner(
        self, run_context: RunContext, last: str | None = None
    ) -> tuple[RunPlanner, RunRequest, dict[str, Step]]:
        """Return the planner of a run of all steps, or of one step and those whose outputs it needs."""
        definitions = self._planning.definitions()
        previous = self._previous(definitions)
        drawn = self._planning.plan(definitions, previous)
        needed = set(drawn.order) if last is None else drawn.before(last) | {last}
        chosen = tuple(name for name in drawn.order if name in needed)
        request = self._request(definitions, drawn, chosen, previous, pending=True)
        return RunPlanner(request, run_context), request, previous

    def annotate(self, name: str, *, labels: Sequence[str], target: str, annotator: str) -> Shown:
        """Return what labels the items of a variable by hand."""
        open_task = self.annotations.open
        shown: Shown = open_task(name, labels=labels, target=target, annotator=annotator, host=self.panels)
        return shown

    def panel(self, kind: str) -> Shown:
        """Return this kernel's panel of a kind."""
        return self.panels.open(kind)

    def explain(self, step: str) -> list[str]:
        """Return, one phrase each, what differs between a step as a run would find it and its latest record."""
        self._session.registry.get(step)
        with self._session.capture.discarding():
            planner, _, previous = self._planner(self._session.context())
            planner.plan()
        before, now = previous.get(step), planner.resolved.get(step)
        if before is None or before.parts is None or now is None:
            return []
        return differences(before.parts, now.parts)

    def latest(self) -> dict[str, Step]:
        """Return step name → its latest record, for the steps that have one."""
        found = self._session.workspace.metadata.latest_steps(
            self.notebook, sources=_sources(self._planning.definitions())
        )
        return {step.name: step for step in found}

    def forget(self, step: str) -> None:
        """Remove a step from the pipeline; its records stay, and running its cell adds it again."""
        self._session.registry.forget(step)

    def forget_records(self) -> None:
        """Forget what this kernel knows of the records of its home, which was opened again and may be another one."""
        self._session.forget_records()
        self._background.forget()

    def _previous(self, definitions: Mapping[str, StepDefinition]) -> dict[str, Step]:
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
        background: bool = False,
        notify: tuple[str, ...] = (),
    ) -> Run:
        """Run the pipeline with a live table, bind its outputs, and raise the first step's error at the end.

        In the background, only start it. Where a notebook is run headless nobody would wait for it: it is run at once.

        Raises:
            KeyboardInterrupt: it was interrupted; its traceback begins in the step's code, if that ran in this thread.
        """
        __tracebackhide__ = True
        try:
            with interrupts_raise():
                begin = self._start if background and not os.environ.get(RUNNING) else self._run
                return begin(stack, (start, only), parameters=parameters, rerun=rerun, notify=notify)
        except KeyboardInterrupt as interrupt:
            files = {self._session.registry.get(name).filename for name in self.step_names()}
            own = own_frames(interrupt, files)
            frame = own.__traceback__
            raise (
                own
                if frame and frame.tb_frame.f_code.co_filename in files
                else interrupted(getattr(interrupt, "__notes__", ()))
            ) from None

    def _run(self, stack: str | None, bounds: tuple[str | None, str | None], **more: Any) -> Run:
        __tracebackhide__ = True
        session = self._session
        # Held while the run is prepared and while it is bound, but not while it runs:
        # panels read variables meanwhile.
        with session.lock:
            definitions, previous, drawn, chosen = self._chosen(*bounds)
            for name in chosen:  # what comes from no step of the plan has to be bound
                reads, sources = definitions[name].analysis.reads, drawn.sources[name]
                session.load([each for each in reads if each not in sources])
            run_context = session.context(stack)
            request = replace(
                self._request(definitions, drawn, chosen, previous),
                overrides=self._planning.overrides(more["parameters"], definitions, drawn, previous),
                **more,
            )
            session.load(self._planning.unstored(request, run_context))
        edges = list(filter(set(chosen).issuperset, drawn.edges))
        with LiveTable(
            session.capture, chosen, updates=session.can_update, monitor=session.monitor, edges=edges
        ).ticking() as table:
            run = PipelineRun(request, run_context=run_context, on_change=table, on_output=table.output)
            finished = run.execute()
        with session.lock:
            self._bind(finished, request, run_context)
        session.show_secret_notes(finished.steps.values())
        if said := session.status_lines.refresh(finished.steps.values()):
            session.say(said)
        session.warn_of_space(run_context.store)
        if finished.error is not None:
            files = [each.filename for each in definitions.values()]
            raise with_own_traceback(finished.error, session.shell, files)
        return finished.run

    def _start(self, stack: str | None, bounds: tuple[str | None, str | None], **more: Any) -> Run:
        """Start a run in the background."""
        __tracebackhide__ = True
        session = self._session
        with session.lock, session.capture.discarding():
            definitions, previous, drawn, chosen = self._chosen(*bounds)
            run_context = session.context(stack)
            request = replace(
                self._request(definitions, drawn, chosen, previous, pending=True),
                overrides=self._planning.overrides(more["parameters"], definitions, drawn, previous),
                **more,
            )
            planner = RunPlanner(request, run_context)
            fresh = {step.name for step in planner.plan() if step.is_fresh}
            return self._background.start(request, run_context, resolved=planner.resolved, fresh=fresh)

    def _chosen(
        self, start: str | None, only: str | None
    ) -> tuple[dict[str, StepDefinition], dict[str, Step], Plan, tuple[str, ...]]:
        """Return all steps, their latest records, their plan, and those of them to run."""
        working_folder()
        definitions = self._planning.definitions()
        if not definitions:
            raise PlanError("there are no steps yet; put %%step on top of a cell and run it once.")
        previous = self._previous(definitions)
        drawn = self._planning.plan(definitions, previous, side_by_side=True)
        return definitions, previous, drawn, drawn.narrow(start=start, only=only)

    def follow(self, run: Run) -> None:
        """Bind what a background run of this notebook makes, when it has ended."""
        self._background.follow(run)

    def collect(self) -> list[int]:
        """Bind what background runs that have ended made, and say so; return their ids."""
        return self._background.collect()

    def emit(self, event: Event) -> None:
        """Show output of a step."""
        self._session.frontend.emit(event)

    def remake(self, step: str) -> None:
        """Run a step again whose stored outputs are damaged or missing, after those whose outputs it needs.

        Raises:
            StepRefused: what the step depends on has changed since it ran: it would make something else.
        """
        __tracebackhide__ = True
        run_context = self._session.context()
        planner, request, previous = self._planner(run_context, step)
        planner.plan()
        now, then = planner.resolved.get(step), previous.get(step)
        if now is None or then is None or then.cache_key not in {now.cache_key, now.key_without_maybe_reads}:
            raise StepRefused(f"step '{step}' has changed since; run its cell again.")
        finished = PipelineRun(request, run_context=run_context).execute()
        self._bind(finished, request, run_context)
        if finished.error is not None:
            raise finished.error
        for each in finished.steps.values():
            if each.status is Status.COMPLETED:
                self._session.show_status(each)

    def _digest(self, name: str, value: Any) -> tuple[ValueDigest, Artifact | None]:
        with self._session.lock:
            return self._session.variables.digest(name, value)

    def _partners(self, digests: Mapping[str, ValueDigest], _: Any) -> Mapping[str, Any]:
        with self._session.lock:
            return self._session.variables.partners(digests, self._session.namespace)

    def _request(
        self,
        definitions: Mapping[str, StepDefinition],
        drawn: Plan,
        chosen: tuple[str, ...],
        previous: Mapping[str, Step],
        *,
        pending: bool = False,
    ) -> RunRequest:
        """Return the request for a run of these steps, or for its plan.

        Args:
            definitions: all steps of the notebook.
            drawn: their order and edges.
            chosen: those to run.
            previous: their latest records.
            pending: whether outputs that no cell has read yet stay in the store.
        """
        session = self._session
        origins = {
            name: self._planning.origins(definitions[name], drawn, previous, pending=pending)
            for name in chosen
        }
        return RunRequest(
            definitions=definitions,
            plan=drawn,
            chosen=chosen,
            namespace=session.namespace,
            value_digest=self._digest,
            partners=self._partners,
            patches=session.patches,
            calls=session.calls,
            last=last_outputs(drawn, chosen, previous),
            previous=previous,
            binds={name: self._planning.binds(definitions[name], previous.get(name)) for name in chosen},
            origins={name: found for name, found in origins.items() if found},
            holds=session.unstored.is_live,
        )

    def _remarks(
        self,
        step: PlannedStep,
        planner: RunPlanner,
        previous: Mapping[str, Step],
        changes: Mapping[str, UntrackedChange],
    ) -> list[str]:
        """Return where the notebook's variables differ from what a run would pass to a step, or get from it."""
        made = previous[step.name].outputs if step.name in previous else {}
        changed = {
            name: change
            for name, change in changes.items()
            if name in made and made[name].digest == change.artifact.digest
        }
        found = [*filter(None, [step.remark]), *self._background.remark(step.name)]
        found += [
            f"`{name}` was {change.description} after step '{step.name}' made it"
            for name, change in changed.items()
        ]
        read = [name for name in step.reads if name in changes] if step.is_fresh else []
        found += [f"run as a cell it would read `{name}` as {changes[name].description}" for name in read]
        arguments = planner.last_outputs(step.name) if step.is_fresh else {}
        for name, artifact in arguments.items():
            held = self._session.artifact_of(name) if name not in changes else None
            if held is not None and held.digest != artifact.digest:
                found.append(f"`{name}` in the notebook is v{held.version}; a run gives v{artifact.version}")
        return found

    def _bind(self, finished: FinishedRun, request: RunRequest, run_context: RunContext) -> None:
        """Bind the outputs of the steps in the notebook; the last step that bound or deleted a name wins."""
        session = self._session
        unchanged = request.unchanged(finished.steps)
        outputs: dict[str, Artifact] = dict(unchanged)
        held: dict[str, Any] = {}
        shared: dict[str, Any] = {}
        gone: set[str] = set()
        for name in request.chosen:
            step = finished.steps.get(name)
            if step is not None and step.status.is_good:
                gone = (gone | {*step.deletes}) - step.outputs.keys()
                own = finished.held.get(name, {})
                outputs = {each: a for each, a in outputs.items() if each not in {*gone, *own}} | dict(
                    step.outputs
                )
                held = {each: v for each, v in held.items() if each not in {*gone, *outputs}} | dict(own)
                shared = {each: v for each, v in shared.items() if each not in {*gone, *own, *step.outputs}}
                shared |= finished.shared_outputs(step)
        # What shares state with a value that is held is the object of the step, too, and no copy of it.
        fresh = session.not_held({name: a for name, a in outputs.items() if name not in shared})
        fresh |= {name: a for name, a in outputs.items() if name in shared}
        copies = {name: a for name, a in fresh.items() if name not in shared}
        large = session.lazy_outputs.deferrable(copies, finished.unstored)
        loaded = {name: a for name, a in fresh.items() if name not in large and name not in shared}
        values = {**finished.repository.load(loaded), **shared}
        makers = dict.fromkeys(unchanged, "") | {
            name: step.name for step in finished.steps.values() for name in step.outputs
        }
        artifacts = run_context.artifacts
        with uninterrupted():
            bind_outputs(
                session, fresh, values, repository=artifacts, makers=makers, deleted=gone - held.keys()
            )
            session.lazy_outputs.forget(held)
            session.namespace.update(held)
            session.variables.forget({*gone, *(n for n, a in unchanged.items() if outputs.get(n) is a)})
            session.unstored.note_all(finished.steps.values(), artifacts)


def _sources(definitions: Mapping[str, StepDefinition]) -> dict[str, str]:
    return {name: definition.source for name, definition in definitions.items()}
