"""Owns `KernelState`: the state that zennb keeps in one kernel, and the run context of its steps."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.dependencies.library_calls import LibraryCalls
from zennb.digests.digest import ValueDigest, digest_cache, digest_value
from zennb.digests.stretches import compact, stretches
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.environment.process_state import forget_own_path
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.other_stores import OtherStores
from zennb.engine.run.run_context import RunContext
from zennb.engine.run.run_log import step_log
from zennb.engine.run.saved_output import known_in
from zennb.engine.run.services import StackServices
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.sharing.shared_records import shared_records
from zennb.engine.step.earlier_definitions import earlier_definitions
from zennb.engine.step.resolve import ResolvedStep, resolve_step
from zennb.errors import CannotDigest, LostOutput, StoreError, ZennbError
from zennb.headless.notebook_label import label
from zennb.jupyter.cells.cell_runs import KernelRuns
from zennb.jupyter.cells.lazy_outputs import LazyOutputs
from zennb.jupyter.cells.output_capture import OutputCapture
from zennb.jupyter.cells.shown_values import ShownValues
from zennb.jupyter.cells.step_registry import StepRegistry
from zennb.jupyter.cells.unstored_outputs import UnstoredOutputs
from zennb.jupyter.cells.untracked_changes import UntrackedChanges, is_ours
from zennb.jupyter.kernel.frontend import DisplaySettings, KernelFrontend
from zennb.jupyter.kernel.live_display import LiveLine
from zennb.jupyter.kernel.notebook import SavedHints, find_notebook
from zennb.jupyter.kernel.provenance_log import ProvenanceLog
from zennb.jupyter.kernel.run_monitor import RunMonitor
from zennb.jupyter.kernel.secret_notes import SecretNotes
from zennb.jupyter.kernel.status_lines import StatusLines
from zennb.registry.stores import artifact_stores
from zennb.views.log import output_in_line
from zennb.views.view import note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Artifact, Run, Step
    from zennb.dependencies.library_objects import Aliases
    from zennb.dependencies.patches import Patch
    from zennb.digests.reachability import Search
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.kernel.parts import BackgroundStarter, Remaker
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = ["KernelState"]


class KernelState:
    """The state of one kernel: the artifacts of its variables, its steps, and the stack in use.

    Attributes:
        namespace: the notebook's variables.
        variables: which artifact each variable is.
        untracked: changes of steps' outputs by plain cells.
        lazy_outputs: outputs of reused steps that no cell has named yet.
        unstored: makes those of them again that cannot be stored.
        shown: the values that reused steps showed, `_` and `Out[n]`.
        registry: the steps of the notebook.
        pipeline: runs steps again whose outputs are lost; None until the extension is loaded.
        background: runs steps in the background; None until the extension is loaded.
        lock: held while the notebook's variables are read or bound.

    Args:
        shell: the kernel's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.variables = VariableTracker()
        self.lazy_outputs = LazyOutputs(self.namespace, self._bound, is_ours)
        self.untracked = UntrackedChanges(self.variables, self.namespace, self.lazy_outputs)
        self.unstored: UnstoredOutputs = UnstoredOutputs(self)
        self.shown: ShownValues = ShownValues(shell, self.lazy_outputs)
        self.registry = StepRegistry()
        self.saved_hints = SavedHints()
        self.pipeline: Remaker | None = None
        self.background: BackgroundStarter | None = None
        self.capture: OutputCapture = OutputCapture(shell)
        self.frontend = KernelFrontend(shell, self.capture)
        self.monitor = RunMonitor()
        earlier = "\n".join(shell.user_ns.get("In", ()))
        if "zennb_runs" not in vars(shell) and ("sys" in earlier or "site" in earlier):
            forget_own_path()
        # Kept with the shell: `%reload_ext` makes a new state, but the kernel's session goes on.
        self.runs: KernelRuns = vars(shell).setdefault("zennb_runs", KernelRuns())
        self.lock = threading.RLock()
        self.environment = ExecutionEnvironment(
            seal=self._sealed,
            ignored=lambda: OwnFiles(str(self.workspace.home)),
            more=(DisplaySettings(shell),),
            # If a cell may have seeded a generator before zennb was loaded, its state counts as seeded.
            is_fresh="seed" not in earlier,
        )
        self.provenance = ProvenanceLog(
            shell, environment=self.environment, ignored=lambda: OwnFiles(str(self.workspace.home))
        )
        self.secret_notes = SecretNotes(self.provenance.cell_of)
        self.status_lines = StatusLines(self.capture, self.secret_notes, updates=self.can_update)
        self.patches: set[Patch] = set()
        self.calls = LibraryCalls()
        self.aliases: Aliases = {}
        self._restored: dict[str, tuple[int, str]] = {}  # name → id of its value, step
        self._depth = 0  # how many cells run, one inside the other
        api.set_scope(self.namespace, notebook=lambda: self.notebook)

    def _sealed(self, value: bytes) -> str:
        return self.workspace.signer.seal(
            value
        )  # not bound earlier: the home is opened when it is first needed

    def load(self, names: Iterable[str]) -> None:
        """Load outputs that no cell has read yet; if one is damaged or missing, run its step again.

        Raises:
            LostOutput: an output cannot be loaded, nor made by running its step again.
        """
        __tracebackhide__ = True
        wanted, remade = list(names), set[str]()
        with self.lock:
            self.unstored.make(self.lazy_outputs.unstored.intersection(wanted))
            while True:
                try:
                    with self.capture.discarding():
                        self.lazy_outputs.load(wanted)
                except LostOutput as lost:
                    pipeline = self.pipeline
                    if pipeline is None or lost.step in remade or lost.step not in pipeline.step_names():
                        raise
                    # Once per step: if its outputs are damaged again at once, the disk is, and
                    # trying on would never end.
                    remade.add(lost.step)
                    try:
                        pipeline.remake(lost.step)
                    except Exception as error:
                        raise lost from error
                else:
                    return

    # Used by step cells and commands

    @property
    def workspace(self) -> Workspace:
        """The process's workspace."""
        return api.workspace()

    @property
    def depth(self) -> int:
        """How many cells run, one inside the other."""
        return self._depth

    @property
    def busy(self) -> bool:
        """Whether a cell is running."""
        return self._depth > 0

    @property
    def path(self) -> Path | None:
        """The notebook's file; None if the frontend does not name it."""
        return find_notebook(self.namespace)

    def _folder(self) -> Path | None:
        """Return the notebook's folder, or the working folder if the notebook is unknown."""
        path = self.path
        if path is not None:
            return path.parent
        with suppress(FileNotFoundError):  # it may have been removed
            return Path.cwd()
        return None

    @property
    def notebook(self) -> str:
        """The notebook's name in records; "" when unknown."""
        return label(self.path, self.workspace.home)

    def forget_records(self) -> None:
        """Forget the ids of records: the home was opened again, and may have other records under these numbers."""
        with self.lock:
            self.runs.forget()
            self.variables.forget_records()
            self.lazy_outputs.forget_records()

    def context(self, stack: str | None = None) -> RunContext:
        """Return the run context of the active stack, or of the stack of that name."""
        return self._context(self.workspace.open(stack))

    def _context(self, opened: Stack) -> RunContext:
        workspace = self.workspace
        repository = ArtifactRepository(
            store=opened.store,
            scope=self.namespace,
            signer=workspace.signer,
            secrets=self.environment.secrets,
            known=known_in(workspace.metadata),
        )
        whole = self.runs.whole(workspace.metadata)
        return RunContext(
            spec=opened.spec,
            store=opened.store,
            orchestrator=opened.orchestrator,
            artifacts=repository,
            metadata=workspace.metadata,
            environment=self.environment,
            frontend=self.frontend,
            notebook=self.notebook,
            others=OtherStores(lambda: artifact_stores(workspace)),
            shared=shared_records(opened.store, workspace.signer),
            unstored=lambda: {name for each in self.registry.ordered([]) for name in each.options.no_store},
            parent=None if whole is None else whole.id,
            folder=self._folder(),
            operator=partial(workspace.step_operator, opened),
            traced=self.provenance.traced,
            services=StackServices(workspace, opened, secrets=self.environment.secrets, say=self.say),
        )

    def resolve(self, definition: StepDefinition) -> ResolvedStep:
        """Resolve a step's dependencies and cache key in the notebook as it is now."""
        # Discarded: what objects print while they are looked at.
        with self.lock, digest_cache(), self.capture.discarding():
            self.shown.load(definition.source)
            # Outputs that are not loaded yet are inputs by their records: deciding on a step must not load them.
            given = self.lazy_outputs.artifacts(definition.analysis.reads)
            searches: list[Search] = []
            return resolve_step(
                definition,
                self.unstored.beside(self.namespace, given),
                value_digest=self.unstored.digest,
                partners=lambda digests, holders: self.variables.partners_unless_alone(
                    digests, self.namespace, [*holders, *self.shown.holders()], searches
                ),
                given=given,
                patches=self.patches,
                calls=self.calls,
            )

    def artifact_of(self, name: str) -> Artifact | None:
        """Return the artifact that a variable is, or will be once a cell names it; None if there is none."""
        waiting = self.lazy_outputs.artifacts([name]).get(name)
        if waiting is not None or name not in self.namespace:
            return waiting
        try:
            with self.lock:
                return self.variables.digest(name, self.namespace[name])[1]
        except CannotDigest:
            return None

    def holds(self, name: str, artifact: Artifact) -> bool:
        """Whether a variable is that artifact already, of today's classes, or will be when a cell names it."""
        held = self.artifact_of(name)
        if held is None or held.digest != artifact.digest or held.blob != artifact.blob:
            return False
        if name not in self.namespace:
            return True
        with self.lock:
            seen = self.variables.digest(name, self.namespace[name])[0]
        return not earlier_definitions({name: seen}, {}, self.namespace)

    def not_held(self, outputs: Mapping[str, Artifact]) -> dict[str, Artifact]:
        """Return the outputs that variables do not hold yet; of those that were stored together, all or none."""
        missing = {name for name, artifact in outputs.items() if not self.holds(name, artifact)}
        together = {outputs[name].blob for name in missing if outputs[name].item is not None}
        return {
            name: artifact
            for name, artifact in outputs.items()
            if name in missing or (artifact.item is not None and artifact.blob in together)
        }

    def note_restored(self, name: str, value: object, artifact: Artifact, step: str) -> None:
        """Note that a variable holds what a step made earlier, as a pickle gave it back."""
        self._restored.pop(name, None)
        if artifact.materializer == "pickle":
            self._restored[name] = (id(value), step)

    def restored_hint(self, values: Mapping[str, object]) -> str:
        """Return which inputs of a step that failed came from the store, and what to run if that was why; or ""."""
        known = {name: self._restored[name] for name in values.keys() & self._restored.keys()}
        found = {name: step for name, (place, step) in sorted(known.items()) if place == id(values[name])}
        if not found:
            return ""
        names = ", ".join(f"`{name}`" for name in found)
        runs = ", ".join(f"`%%step {step} --rerun`" for step in dict.fromkeys(found.values()))
        return f"{names} came from the store; if a plain run does not fail here, run {runs} first"

    def _bound(self, name: str, value: object, artifact: Artifact, step: str) -> None:
        self.note_restored(name, value, artifact, step)
        self.variables.bind(name, value, artifact, self.seen(artifact, value))
        self.shown.bound(name, value)

    def seen(self, artifact: Artifact, value: object) -> ValueDigest:
        """Return the digest of a value that was just loaded; that of an array is known from its stored bytes."""
        roots = tuple(
            self.namespace[n] for need in artifact.needs if (n := need.split(".")[0]) in self.namespace
        )
        # The store has just proven the bytes, and these formats give back equal values: no
        # need to digest a large array.
        if artifact.materializer in {"numpy", "frame", "arrow_table"} and artifact.item is None and not roots:
            return ValueDigest(
                digest=artifact.digest,
                code=roots,
                packages=frozenset(artifact.packages),
                mutable=frozenset({id(value)}),
                memory=compact(stretch for stretch, _ in stretches(value)),
            )
        return digest_value(value, name=artifact.name)

    @property
    def can_update(self) -> bool:
        """Whether displays can be updated: in a notebook they can, in a terminal not."""
        return type(self.shell).__name__ != "TerminalInteractiveShell"

    def live_line(self, step: Step) -> LiveLine:
        """Return the display of a step that takes long."""
        return LiveLine(
            self.capture, step, updates=self.can_update, monitor=self.monitor, frontend=self.frontend
        )

    def show_status(self, step: Step, *, said: str = "", slot: str = "") -> None:
        """Show a step's status line, see `StatusLines.show`."""
        self.status_lines.show(step, said=said, slot=slot)

    def settle_status(self, run: Run) -> None:
        """Let the cells of steps that a background run has executed show what they showed, and how they ended."""
        workspace = self.workspace
        with suppress(
            Exception
        ):  # the lines stay as they are; the cell that is about to begin is another one
            steps = [step for step in workspace.metadata.steps(run.id or 0) if not step.is_element]
            self.status_lines.settle(run, steps, lambda step: output_in_line(step_log(workspace, run, step)))

    def say(self, sentence: str) -> None:
        """Show a line below the cell."""
        self.capture.publish(note(sentence)._repr_mimebundle_(), {})

    def show_secret_notes(self, steps: Iterable[Step]) -> None:
        """Show where the secrets of a run's steps still stand in the notebook."""
        for text in filter(None, map(self.secret_notes.of, steps)):
            self.capture.publish(note(text)._repr_mimebundle_(), {})

    def warn_of_space(self, store: ArtifactStore | WriteBuffer) -> None:
        """Show a line, once, when an artifact store is nearly full."""
        with suppress(StoreError):  # the step is done and recorded, whatever the store says of its size
            sentence = store.space_warning()
            if sentence:
                self.capture.publish(note(sentence)._repr_mimebundle_(), {})

    def hint(self, error: BaseException | None, values: Mapping[str, object] = MappingProxyType({})) -> str:
        """Return which step to run after an error: that of a missing name, or of an input from the store; or ""."""
        name = error.name if isinstance(error, NameError) else None
        if not name:
            is_from_code = isinstance(error, Exception) and not isinstance(error, ZennbError)
            return self.restored_hint(values) if is_from_code else ""
        if self.background is not None and (waiting := self.background.hint(name)):
            return waiting
        for definition in self.registry.ordered([]):
            if name in definition.options.no_store:
                return (
                    f"`{name}` is bound by step '{definition.name}', which does not store it (--no-store); "
                    "run that cell again"
                )
            if name in definition.analysis.binds:
                latest = self.workspace.metadata.previous(definition.name, self.notebook)
                if latest is not None and latest.unusable_because.startswith(f"`{name}` is never stored"):
                    return (
                        f"`{name}` is bound by step '{definition.name}', which never stores it, because it looks "
                        "secret; run that cell again"
                    )
                if latest is not None and latest.unusable_because.startswith(f"`{name}`"):
                    why = latest.unusable_because.removeprefix(f"`{name}` ")
                    step = definition.name
                    return (
                        f"`{name}` stayed where step '{step}' ran, because it {why}; turn it into data there"
                    )
                return f"`{name}` is bound by step '{definition.name}'; run that cell first"
        found = self.workspace.metadata.artifact(name, notebook=self.notebook)
        producer = self.workspace.metadata.producer(found) if found is not None else None
        if producer is None:
            return ""
        return f"`{name}` is bound by step '{producer.name}', which has not run in this kernel; run that cell first"
