"""Owns `BackgroundRuns`: the background runs that this kernel follows, and the binding of what they made.

What a run has made is bound when the next cell begins: no cell sees a variable change while it runs. A variable that
changed since the run began is left alone, and so are settings and files of the process: reuse of the step sets those.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.planning.plan import Outline, plan
from zennb.core.records.observed import Observed
from zennb.core.records.records import Status
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.engine.background.process import launch
from zennb.engine.background.run_files import RunFiles
from zennb.engine.run.run_request import RunRequest
from zennb.engine.step.loaded_modules import MODULES
from zennb.engine.step.uninterrupted import interruptible
from zennb.errors import CannotDigest, StoreError, ZennbError
from zennb.jupyter.cells.restoring import NotRestoredError, StepRestorer, as_not_restored, bind_outputs
from zennb.provenance.steps import same_imports
from zennb.views.background import ended, lost, step_started

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from zennb.core.records.records import CacheKeyParts, Run, Step
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["BackgroundRuns"]

_ABSENT = object()


@dataclass(slots=True, kw_only=True)
class _Followed:
    """A background run whose outputs are to be bound.

    Attributes:
        number: its id.
        context: the stack it runs on.
        definitions: step → definition, as it runs.
        expected: step → parts of its cache key when it began.
        before: variable → what it held when it began, of those that were bound; None if another kernel started it.
    """

    number: int
    context: RunContext
    definitions: Mapping[str, StepDefinition] = field(default_factory=dict)
    expected: Mapping[str, CacheKeyParts] = field(default_factory=dict)
    before: dict[str, object] | None = None


@dataclass(slots=True)
class _Bound:
    """What was bound of a run, and why the rest was not."""

    names: dict[str, None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


class BackgroundRuns:
    """The background runs that one kernel follows.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelState) -> None:
        self._session = session
        # Kept with the shell: `%reload_ext` makes new hooks, and the runs go on.
        self._followed: dict[int, _Followed] = vars(session.shell).setdefault("zennb_background_runs", {})

    @property
    def is_following(self) -> bool:
        """Whether there are runs whose outputs are to be bound."""
        return bool(self._followed)

    def start(
        self,
        request: RunRequest,
        run_context: RunContext,
        *,
        resolved: Mapping[str, ResolvedStep],
        fresh: Collection[str] = (),
        provenance: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> Run:
        """Start a run in a process of its own, and return its record.

        Args:
            request: the run.
            run_context: the stack it runs on.
            resolved: its steps, as they are resolved now.
            fresh: those that would be reused.
            provenance: step → provenance of what it uses, where it is known.

        Raises:
            StepRefused: a step cannot run in another process, or the process did not start.
        """
        import cloudpickle

        from zennb.engine.background.snapshot import run_snapshot  # most kernels send nothing elsewhere

        session = self._session
        with session.lock:
            snapshot = run_snapshot(
                request,
                run_context,
                resolved=resolved,
                fresh=fresh,
                home=str(session.workspace.home),
            )
            bound = {name for step in snapshot.chosen for name in request.definitions[step].analysis.binds}
            before = {name: self._state_of(name) for name in {*snapshot.names, *bound}}
        snapshot = replace(snapshot, provenance=dict(provenance))
        number = launch("zennb.engine.background.pipeline", cloudpickle.dumps(snapshot))
        run = run_context.metadata.run(number)
        if run is None:
            raise StoreError(f"run {number} has begun, and is not in {session.workspace.home}.")
        definitions = {name: request.definitions[name] for name in snapshot.chosen}
        self._followed[number] = _Followed(
            number=number,
            context=run_context,
            definitions=definitions,
            expected=snapshot.expected,
            before=before,
        )
        return run

    def start_step(self, resolved: ResolvedStep, running: Step) -> None:
        """Start a run of one step, unless one with the same cache key is running, and show its status line.

        Args:
            resolved: the step.
            running: its record so far.
        """
        session, definition = self._session, resolved.definition
        name = definition.name
        # Not that of the cell, which holds back what it stores: the other process could not read it.
        run_context = session.context(definition.options.stack or None)
        run = self._running(resolved, run_context)
        if run is None:
            request = RunRequest(
                definitions={name: definition},
                plan=plan([Outline(name=name)]),
                chosen=(name,),
                namespace=session.namespace,
                value_digest=session.variables.digest,
                partners=lambda digests, _: session.variables.partners(digests, session.namespace),
                patches=session.patches,
                calls=session.calls,
                rerun=definition.options.rerun,
                binds={name: frozenset(definition.analysis.binds)},
            )
            run = self.start(
                request,
                run_context,
                resolved={name: resolved},
                provenance={name: session.provenance.of(resolved)},
            )
        session.show_status(replace(running, run=run.id, reason=step_started(run, running)))

    def _running(self, resolved: ResolvedStep, run_context: RunContext) -> Run | None:
        """Return a background run of this notebook that runs an equal step now."""
        metadata, home = run_context.metadata, self._session.workspace.home
        keys = {resolved.cache_key, resolved.key_without_maybe_reads} - {""}
        name = resolved.definition.name
        for run in metadata.runs(kind="pipeline", notebook=run_context.notebook, status=Status.RUNNING):
            state = RunFiles(home, run.id or 0).state(run)
            if state is not None and name not in run.names and state.keys.get(name, "") in keys:
                self.follow(run, resolved)
                return run
        return None

    def follow(self, run: Run, resolved: ResolvedStep | None = None) -> None:
        """Bind what a run makes, also if another kernel of this notebook has started it.

        Args:
            run: the run.
            resolved: the step that it runs, where this kernel has seen its cell.
        """
        number = run.id or 0
        session = self._session
        is_own = run.notebook == session.notebook and run.kind == "pipeline"
        if number in self._followed or run.status.is_final or not is_own:
            return
        known = {} if resolved is None else {resolved.definition.name: resolved}
        self._followed[number] = _Followed(
            number=number,
            context=session.context(run.stack.name),
            definitions={name: each.definition for name, each in known.items()},
            expected={name: each.parts for name, each in known.items()},
        )

    def forget(self) -> None:
        """Follow no run any more: its number may be that of another one."""
        self._followed.clear()

    def remark(self, step: str) -> list[str]:
        """Say if a run executes a step now."""
        return [
            f"run {number} executes it in the background"
            for number, followed in self._followed.items()
            if step in followed.definitions
        ]

    def hint(self, name: str) -> str:
        """Return which run is going to bind a name; "" for none."""
        for followed in self._followed.values():
            if any(name in each.analysis.binds for each in followed.definitions.values()):
                number = followed.number
                return f"`{name}` is being made by run {number} in the background; `%runs attach {number}` waits for it"
        return ""

    def collect(self) -> list[int]:
        """Bind what runs that have ended made, and say so in one line each; return their ids."""
        found = []
        for number, followed in list(self._followed.items()):
            try:
                run = followed.context.metadata.run(number)
            except StoreError:
                continue  # the next cell tries again
            if run is None or not run.status.is_final:
                continue
            try:
                with self._session.lock:
                    bound = self._bind(followed, run)
            except StoreError:
                continue
            except Exception as error:  # noqa: BLE001 - the cell that is about to begin has nothing to do with it
                bound = _Bound(remarks=[f"what it made is not bound ({type(error).__name__}: {error})"])
            del self._followed[number]
            found.append(number)
            self._session.settle_status(run)
            view = ended(run, list(bound.names), remarks=bound.remarks)
            self._session.capture.publish(dict(view._repr_mimebundle_()), {})
        return found

    # Binding

    def _bind(self, followed: _Followed, run: Run) -> _Bound:
        bound = _Bound()
        steps = [step for step in followed.context.metadata.steps(run.id or 0) if step.status.is_good]
        kept = self._kept(steps, followed)
        for step in steps:
            try:
                self._bind_step(step, followed, kept, bound)
            except (ZennbError, NotRestoredError) as error:
                why = error.why.message if isinstance(error, NotRestoredError) else error.message
                bound.remarks.append(f"what step '{step.name}' made is not bound: {why}")
                self._session.provenance.bound(step, None)
            bound.remarks += [*lost(step), *self._unlike(step, followed)]
        self._hand_on(followed.number, bound.names)
        if kept:
            listed = ", ".join(f"`{name}`" for name in sorted(kept))
            why = "changed in the notebook since the run began"
            if followed.before is None:
                why = f"{'are' if kept > {min(kept)} else 'is'} bound already"
            bound.remarks.append(
                f"{listed} {why}, so what the run made is not bound; run the cell of the step to get it"
            )
        return bound

    def _hand_on(self, number: int, names: Iterable[str]) -> None:
        """Tell later runs, which still go on, what was bound: that is no change of the notebook they must leave alone.

        An input of theirs is: what they make of it is made of what it was.
        """
        for other in self._followed.values():
            if other.number > number and other.before is not None:
                read = {name for parts in other.expected.values() for name in parts.inputs}
                other.before.update({name: self._state_of(name) for name in names if name not in read})

    def _kept(self, steps: Sequence[Step], followed: _Followed) -> set[str]:
        """Return the names that steps bind or delete, and that the notebook has changed since the run began.

        All are asked for first: what binding one step's outputs changes is no change of the notebook.
        """
        made = {name: artifact for step in steps for name, artifact in step.outputs.items()}
        names = {name for step in steps for name in (*step.outputs, *step.deletes)}
        before = followed.before
        if before is not None:  # else definitions that are there are taken for what they were
            for step in steps:
                ran = followed.definitions.get(step.name)
                same = set() if ran is None else same_imports(ran.tree, ran.text, self._session.namespace)
                names.update({*step.defines} - same)
        return {
            name
            for name in names
            if self._state_of(name) != (before or {}).get(name, _ABSENT)
            and not (name in made and self._session.holds(name, made[name]))
        }

    def _bind_step(self, step: Step, followed: _Followed, kept: Collection[str], bound: _Bound) -> None:
        session, namespace = self._session, self._session.namespace
        # What cannot be stored stays as the notebook has it, which may be using it just now.
        own = {name: each for name, each in step.outputs.items() if name not in kept and each.is_stored}
        outputs = session.not_held(own)
        # What is defined already stays: instances in the notebook belong to the class as it is there.
        defines = tuple(name for name in step.defines if name not in kept and name not in namespace)
        deletes = tuple(name for name in step.deletes if name not in kept)
        wanted = replace(
            step,
            outputs=outputs,
            defines=defines,
            deletes=deletes,
            observed=Observed(),  # without calls to libraries, which reuse makes again
        )
        definition = followed.definitions.get(step.name)
        bound.remarks += self._left_behind(step, outputs, definition)
        changes = followed.context.artifacts.load_changes(step.carried)
        modules = {MODULES: changes[MODULES]} if MODULES in changes else {}
        if definition is not None:
            restorer = StepRestorer(session, followed.context, definition)
            with restorer.restoring(wanted):
                with interruptible(), as_not_restored():
                    restored = restorer.fetch(wanted, modules)
                restorer.bind(wanted, restored)
        else:
            self._bind_outputs(wanted, followed.context, modules)
        bound.names.update(dict.fromkeys((*outputs, *(defines if definition is not None else ()))))
        session.provenance.bound(replace(wanted, outputs=own, carried=None), definition)

    def _bind_outputs(self, step: Step, context: RunContext, changes: Mapping[str, Any]) -> None:
        """Bind the outputs of a step whose cell this kernel has not seen."""
        session, modules = self._session, changes.get(MODULES, ())
        large = session.lazy_outputs.deferrable(step.outputs)
        small = {name: each for name, each in step.outputs.items() if name not in large}
        bind_outputs(
            session,
            step.outputs,
            context.artifacts.load(small, modules),
            repository=context.artifacts,
            makers=dict.fromkeys(step.outputs, step.name),
            deleted=(),
            modules=modules,
        )

    def _left_behind(
        self, step: Step, outputs: Collection[str], definition: StepDefinition | None
    ) -> list[str]:
        """Say which variables go on to share state with what an input held that the step changed in place."""
        session, binds = self._session, () if definition is None else definition.analysis.binds
        seen = {}
        for name in outputs:
            if name in step.inputs and name not in binds and name in session.namespace:
                with suppress(CannotDigest):
                    seen[name] = session.variables.digest(name, session.namespace[name])[0]
        others = session.variables.partners(seen, session.namespace).keys() - outputs if seen else ()
        if not others:
            return []
        listed, changed = (", ".join(f"`{name}`" for name in sorted(names)) for names in (others, seen))
        which = f"{listed} {'keep' if others > {min(others)} else 'keeps'} what {changed} held before"
        return [f"{which} the run, which changed {changed} in place; bind {listed} anew to share it again"]

    def _unlike(self, step: Step, followed: _Followed) -> list[str]:
        """Say if the code of a step is another one now, so that its cell would run again."""
        then, now = followed.definitions.get(step.name), self._session.registry.known(step.name)
        if then is None or now is None:
            return []
        if then.code != now.code:
            return [f"the cell of step '{step.name}' changed since the run began"]
        before = followed.expected[step.name].reached
        found = resolve_dependencies(now.analysis, self._session.namespace).digests
        other = sorted(each for each in before.keys() & found.keys() if before[each] != found[each])
        what = [f"{each.partition(' ')[0]} `{each.partition(' ')[2]}`" for each in other]
        return [f"{what[0]}, which step '{step.name}' uses, changed since the run began"] if what else []

    def _state_of(self, name: str) -> object:
        """Return what a variable holds, equal for equal content."""
        session = self._session
        if name not in session.namespace:
            waiting = session.lazy_outputs.artifacts([name]).get(name)
            return _ABSENT if waiting is None else waiting.digest
        value = session.namespace[name]
        try:
            seen, artifact = session.variables.digest(name, value)
        except CannotDigest:
            return _Same(value)
        return seen.digest if artifact is None else artifact.digest


class _Same:
    """A value without a digest: equal only to itself. It is kept alive, so that no other value gets its id."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._value is other._value

    __hash__ = None  # type: ignore[assignment]  # compared, never looked up
