"""Owns the session of one kernel: its steps, what its variables hold, the step that runs now."""

from __future__ import annotations

import ast
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import note_cached_functions
from zennb.dependencies.patches import patches_in
from zennb.digests.digest import ValueDigest, digest_cache, digest_value
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.run_context import RunContext
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step.resolve import ResolvedStep, resolve_step
from zennb.errors import StepRefused
from zennb.headless.notebook_label import label
from zennb.jupyter.cells.cell_runs import KernelRuns
from zennb.jupyter.cells.healing import load_or_remake
from zennb.jupyter.cells.lazy_outputs import LazyOutputs, only_bound
from zennb.jupyter.cells.output_capture import OutputCapture
from zennb.jupyter.cells.step_cell import StepCell
from zennb.jupyter.cells.step_marker import parse_step_cell
from zennb.jupyter.cells.step_registry import StepRegistry
from zennb.jupyter.cells.untracked_changes import UntrackedChanges
from zennb.jupyter.kernel.frontend import KernelFrontend
from zennb.jupyter.kernel.live_display import LiveLine
from zennb.jupyter.kernel.notebook import find_notebook
from zennb.jupyter.kernel.provenance_log import ProvenanceLog
from zennb.jupyter.kernel.run_monitor import RunMonitor
from zennb.jupyter.kernel.shell_settings import shell_settings
from zennb.jupyter.kernel.status_data import DATA_TYPE, facts, step_content
from zennb.materializers.signer import Signer
from zennb.views.step import status_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from zennb.core.records.records import Artifact, Step
    from zennb.dependencies.patches import Patch
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.cells.transform import StepMarker
    from zennb.jupyter.kernel.pipeline import PipelineSession
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = ["KernelSession"]

_MAY_PATCH = re.compile(r"\w\.\w+\s*[^=<>!\s]?=(?!=)|setattr|del ")  # attributes set, or tuples of them


class KernelSession:
    """What one kernel knows. The shell reaches it as `get_ipython().zennb_step`.

    Args:
        shell: the kernel's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.variables = VariableTracker()
        self.untracked = UntrackedChanges(self.variables, self.namespace)
        self.lazy_outputs = LazyOutputs(self.namespace, self._bound)
        self.registry = StepRegistry()
        self.pipeline: PipelineSession | None = None
        self.capture = OutputCapture(shell)
        self.frontend = KernelFrontend(shell, self.capture)
        self.monitor = RunMonitor()
        self.runs: KernelRuns = vars(shell).setdefault("zennb_runs", KernelRuns())
        self.lock = threading.RLock()
        self._signer = Signer()
        self.environment = ExecutionEnvironment(
            seal=lambda value: self._signer.sign([value]).hex()[:32],
            ignored=lambda: (str(self.workspace.home),),
            more=shell_settings(shell),
            is_fresh=not any("seed" in text for text in shell.user_ns.get("In", ())),
        )
        self.provenance = ProvenanceLog(
            shell, environment=self.environment, ignored=lambda: (str(self.workspace.home),)
        )
        self.patches: set[Patch] = set()
        self._markers: dict[str, StepMarker] = {}
        self._cell: StepCell | None = None
        self._cell_id = ""
        self._is_step = False  # whether the cell that runs now was announced as a step
        self._text = ""
        self._needed: set[str] = set()
        self._depth = 0
        api.set_scope(self.namespace, notebook=lambda: self.notebook)

    # What the folded cell calls

    def __call__(self, *_announcement: str) -> None:
        """Refuse: this line is replaced before it runs, unless a tool runs the cell without the extension."""
        raise StepRefused(
            "this %%step cell was not prepared by zennb; run `%load_ext zennb`, then the cell again."
        )

    def begin(self, token: str) -> bool:
        """Start a step cell; return whether the shell is to run its body now."""
        __tracebackhide__ = True
        if self._cell is not None:
            if (
                self._cell.definition.options.retries
                and not self._cell.is_over
                and token not in self._markers
            ):
                return self._cell.begin_again()
            if not self._cell.is_over:
                raise StepRefused(
                    "a step cannot run inside another step; run the two cells one after the other."
                )
            if token not in self._markers:
                return False
        frame = sys._getframe(1)  # noqa: SLF001 - tells the name the cell was compiled under
        announced = self._markers.pop(token)
        definition = parse_step_cell(announced, filename=frame.f_code.co_filename, cell=self._cell_id)
        stack = definition.options.stack or None
        if (
            not announced.command_line
            and definition.analysis.magics
            and not self.context(stack).orchestrator.in_kernel
        ):
            self.load_named(announced.tree)
            self.need()
            return True  # nobody asked for this step, and it cannot run elsewhere: the cell stays plain
        definition = self.registry.add(definition)
        opened = self.workspace.opened(
            stack
        )  # whether it is still registered like that is asked with the rest
        self._cell = StepCell(self, self._context(opened), definition)
        while not self._cell.decide():
            self._cell = StepCell(self, self.context(stack), definition)
        return self._cell.begin()

    def need(self) -> None:
        """Bind what the text of the cell that runs now names, before a line of it runs.

        Raises:
            LostOutput: a stored output is missing or damaged, and cannot be made again.
        """
        __tracebackhide__ = True
        self.load(self._needed)

    def load(self, names: Iterable[str]) -> None:
        """Bind outputs that nothing has read yet; those that are damaged or gone are made again first.

        Raises:
            LostOutput: one cannot be had.
        """
        __tracebackhide__ = True
        with self.lock:
            load_or_remake(self.lazy_outputs, names, self.pipeline)

    def finish(self, _token: str) -> None:
        """End the step whose body has just run."""
        __tracebackhide__ = True
        if self._cell is not None:
            self._cell.finish()

    def again(self, _token: str) -> bool:
        """Say whether the body is tried once more after an error."""
        return self._cell is not None and self._cell.again()

    def show(self, value: object) -> None:
        """Display a cell's value as IPython would."""
        if self._cell is not None and value is not None:
            self._cell.showed(value)
        if sys.displayhook is not self.shell.displayhook:  # `%%capture` has put its own in place
            self.capture.note(value)
        with self.capture.paused():
            sys.displayhook(value)

    # What the shell's events call

    def mark_step(self, token: str, step: StepMarker) -> None:
        """Note a step cell that is about to run."""
        self._markers = {token: step} if self._depth <= 1 else {**self._markers, token: step}
        self._is_step = True

    def before_cell(self, info: ExecutionInfo) -> None:
        """Note which cell runs."""
        self._depth += 1
        if self._depth == 1:
            self._cell, self._cell_id = None, getattr(info, "cell_id", None) or ""
            self._is_step = False
            self.provenance.cell_begins()
        self._text = info.raw_cell or ""

    def load_named(self, tree: ast.Module) -> bool:
        """Say whether the cell that runs now, which has this tree, names outputs that are not bound yet."""
        named = self.lazy_outputs.named_in(self._text)
        self._needed = named - only_bound(analyse(tree)) if named else named
        return bool(self._needed)

    def after_cell(self, result: ExecutionResult | None) -> None:
        """Close a step that did not come to its end, and note that variables may have changed."""
        self._depth = max(0, self._depth - 1)
        cell = self._cell
        if cell is not None and not cell.is_over:
            cell.fail(_error_of(result))
            self.variables.code_ran()
        elif cell is None:
            self.variables.code_ran()  # a step that ended well has looked at what it left
            if self._depth == 0:
                self.untracked.note(result)
                self._turned_plain(result)
            self.lazy_outputs.mark_used(self._text)
        if self._depth == 0:
            self.provenance.cell_ended(result, is_plain=cell is None)
        self._note_patches(result)
        note_cached_functions(self.namespace)
        self.variables.sweep(self.namespace)
        self.lazy_outputs.forget([name for name in self.lazy_outputs.names if name in self.namespace])
        if self._depth == 0:
            self._cell, self._is_step = None, False
            self.environment.settings.note()

    def _turned_plain(self, result: ExecutionResult | None) -> None:
        """Take the step of a cell that ran as a plain one out of the pipeline; not for a mistake in its text."""
        if not self._is_step and result is not None and result.error_before_exec is None:
            self.registry.cell_is_plain(getattr(result.info, "cell_id", None) or "")

    def _note_patches(self, result: ExecutionResult | None) -> None:
        text = getattr(getattr(result, "info", None), "transformed_cell", None) or ""
        if _MAY_PATCH.search(text):
            with suppress(SyntaxError, ValueError):
                self.patches.update(patches_in(ast.parse(text), self.namespace))

    # What step cells and commands ask

    @property
    def workspace(self) -> Workspace:
        """The process's workspace."""
        return api.workspace()

    @property
    def busy(self) -> bool:
        """Whether a cell runs just now."""
        return self._depth > 0

    @property
    def path(self) -> Path | None:
        """The notebook's file, where the frontend tells it."""
        return find_notebook(self.namespace)

    def _folder(self) -> Path | None:
        """Return the notebook's folder; the working folder when it is not known."""
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

    def context(self, stack: str | None = None) -> RunContext:
        """Return the active stack, or the one of that name, opened for use."""
        return self._context(self.workspace.open(stack))

    def _context(self, opened: Stack) -> RunContext:
        workspace = self.workspace
        repository = ArtifactRepository(
            store=opened.store,
            scope=self.namespace,
            signer=self._signer,
            known=workspace.metadata.with_digests,
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
            elsewhere=lambda artifact: api.bring(artifact, opened.store),
            unstored=lambda: {name for each in self.registry.ordered([]) for name in each.options.no_store},
            parent=None if whole is None else whole.id,
            folder=self._folder(),
            traced=self.provenance.traced,
        )

    def resolve(self, definition: StepDefinition) -> ResolvedStep:
        """Work out what a step depends on in this notebook as it stands."""
        with self.lock, digest_cache():
            return resolve_step(
                definition,
                self.namespace,
                value_digest=self.variables.digest,
                partners=lambda digests: self.variables.partners(digests, self.namespace),
                given=self.lazy_outputs.artifacts(definition.analysis.reads),
                patches=self.patches,
            )

    def _bound(self, name: str, value: object, artifact: Artifact) -> None:
        self.variables.bind(name, value, artifact, self.seen(artifact, value))

    def seen(self, artifact: Artifact, value: object) -> ValueDigest:
        """Return the look of a value just loaded; one block whose bytes prove its content is not looked at."""
        roots = tuple(
            self.namespace[n] for need in artifact.needs if (n := need.split(".")[0]) in self.namespace
        )
        if artifact.materializer in {"numpy", "arrow"} and artifact.item is None and not roots:
            mutable = frozenset({id(value), id(_owner(value))})
            return ValueDigest(
                digest=artifact.digest, code=roots, packages=frozenset(artifact.packages), mutable=mutable
            )
        return digest_value(value, name=artifact.name)

    @property
    def can_update(self) -> bool:
        """Whether what was shown can be replaced: a notebook can do it, a terminal cannot."""
        return type(self.shell).__name__ != "TerminalInteractiveShell"

    def live_line(self, step: Step) -> LiveLine:
        """Return what shows that a step goes on, here and in panels, once it has taken a while."""
        return LiveLine(self.capture, step, updates=self.can_update, activity=self.monitor)

    def show_status(self, step: Step) -> None:
        """End a step's output with its status line, which tools can read in a saved notebook."""
        view = status_line(step)
        data = {"text/plain": view.text, "text/html": view.html, DATA_TYPE: step_content(step)}
        self.capture.publish(data, {"zennb": facts(step)})

    def hint(self, error: BaseException | None) -> str:
        """Say which step would bind a name that is missing; "" for other errors."""
        name = error.name if isinstance(error, NameError) else None
        if not name:
            return ""
        for definition in self.registry.ordered([]):
            if name in definition.options.no_store:
                return (
                    f"`{name}` is bound by step '{definition.name}', which does not store it (--no-store); "
                    "run that cell again"
                )
            if name in definition.analysis.binds:
                latest = self.workspace.metadata.previous(definition.name, self.notebook)
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


def _owner(value: Any) -> Any:
    """Return what owns the memory that an array looks into."""
    while getattr(value, "base", None) is not None:
        value = value.base
    return value


def _error_of(result: ExecutionResult | None) -> BaseException | None:
    if result is None:
        return None
    return result.error_in_exec or result.error_before_exec
