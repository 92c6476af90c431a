"""Owns how tests of the engine define steps, resolve them, and run them in a notebook's namespace without a kernel."""

from __future__ import annotations

import ast
import linecache
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.orchestrators.local import LocalOrchestrator
from zennb.core.planning.plan import Outline, plan
from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.digests.homes import at_home
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.run.run_context import RunContext
from zennb.engine.run.run_request import RunRequest
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step.definition import StepDefinition, StepOptions, define
from zennb.engine.step.execution import StepExecution
from zennb.engine.step.frontend import PlainFrontend
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.recording import Recording
from zennb.engine.step.request import request_for
from zennb.engine.step.resolve import resolve_step
from zennb.materializers.signer import Signer
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.component import ArtifactStore, Orchestrator
    from zennb.core.records.records import Step
    from zennb.engine.run.run_request import FinishedRun
    from zennb.engine.step.request import Channels, StepRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["Notebook", "Scripted", "done", "step"]

_numbers = count(1)


def step(text: str, name: str = "s", **options: Any) -> StepDefinition:
    """Define a step whose text tracebacks and digests find."""
    return define(
        ast.parse(text),
        options=StepOptions(name=name, **options),
        source=f"%%step {name}\n{text}",
        text=text,
        filename=_file(text),
    )


def _file(text: str) -> str:
    name = f"<engine cell {next(_numbers)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return name


class Notebook:
    """A notebook's variables, and a stack whose orchestrator is local and whose store is in memory by default.

    Args:
        folder: an empty folder, for records and the signing key.
        store: another artifact store.
        orchestrator: another orchestrator.
    """

    def __init__(
        self, folder: Path, *, store: ArtifactStore | None = None, orchestrator: Orchestrator | None = None
    ) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.variables = VariableTracker()
        self.store = store or MemoryArtifactStore.from_config("memory", {})
        signer = Signer(folder / "keys")
        self.metadata = MetadataStore(folder / "metadata.db", sign=signer.sign_record)
        spec = StackSpec(
            name="default",
            components={
                kind: ComponentSpec(type=kind, name="default", flavor="local")
                for kind in ("orchestrator", "artifact_store")
            },
        )
        self.run_context = RunContext(
            spec=spec,
            store=self.store,
            orchestrator=orchestrator or LocalOrchestrator.from_config("local", {}),
            artifacts=ArtifactRepository(
                store=self.store, scope=self.namespace, signer=signer, known=self.metadata.with_digests
            ),
            metadata=self.metadata,
            environment=ExecutionEnvironment(seal=signer.seal, ignored=lambda: OwnFiles(str(folder))),
            frontend=PlainFrontend(),
        )

    def cell(self, text: str) -> None:
        """Run a plain cell."""
        exec(compile(text, _file(text), "exec", dont_inherit=True), self.namespace)
        self.variables.code_ran()

    def resolve(self, definition: StepDefinition, **more: Any) -> ResolvedStep:
        """Work out what a step depends on."""
        with at_home(self.namespace):
            return resolve_step(
                definition,
                self.namespace,
                value_digest=self.variables.digest,
                partners=lambda digests, holders: self.variables.partners_unless_alone(
                    digests, self.namespace, holders
                ),
                **more,
            )

    def request(self, definition: StepDefinition) -> tuple[StepRequest, Channels]:
        """Make the request of a step whose inputs are stored."""
        resolved = self.resolve(definition)
        return request_for(resolved, self.run_context.keep_inputs(resolved), self.namespace)

    def execution(self, definition: StepDefinition) -> StepExecution:
        """Prepare the execution of a step among the notebook's variables."""
        resolved = self.resolve(definition)
        request, _ = request_for(resolved, {}, self.namespace)
        inputs = {name: (resolved.values[name], seen) for name, seen in resolved.digests.items()}
        return StepExecution(request, self.namespace, inputs=inputs, resources=self.run_context.resources)

    def execute(self, definition: StepDefinition) -> StepOutcome:
        """Execute a step among the notebook's variables."""
        execution = self.execution(definition)
        execution.start()
        exec(compile(definition.tree, definition.filename, "exec", dont_inherit=True), self.namespace)
        execution.stop()
        return execution.finish(Recording())

    def run_request(self, *definitions: StepDefinition, **more: Any) -> RunRequest:
        """Ask for a run of these steps."""
        outlines = [
            Outline(
                name=each.name,
                reads=frozenset(each.analysis.reads),
                binds=frozenset(each.analysis.binds),
                after=each.options.after,
            )
            for each in definitions
        ]
        order = plan(outlines)
        found: dict[str, Any] = {
            "definitions": {each.name: each for each in definitions},
            "plan": order,
            "chosen": order.order,
            "namespace": self.namespace,
            "value_digest": self.variables.digest,
            "partners": lambda digests, _: self.variables.partners(digests, self.namespace),
            "binds": {each.name: each.analysis.binds for each in definitions},
            **more,
        }
        return RunRequest(**found)

    def pipeline(self, *definitions: StepDefinition, **more: Any) -> PipelineRun:
        """Prepare a run of these steps."""
        return PipelineRun(self.run_request(*definitions, **more), run_context=self.run_context)

    def run(self, *definitions: StepDefinition, **more: Any) -> FinishedRun:
        """Run these steps."""
        return self.pipeline(*definitions, **more).execute()

    def previous(self) -> dict[str, Step]:
        """Return the latest record of each step."""
        return {each.name: each for each in self.metadata.latest_steps("")}


class Scripted(LocalOrchestrator):
    """Does with each submitted step what a test says, instead of running it; it may end later."""

    in_kernel = False

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.play: Callable[[StepRequest, Channels], Future[StepOutcome]] = lambda _r, _c: done(StepOutcome())
        self.submitted: list[str] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        request, channels = args
        self.submitted.append(request.definition.name)
        return self.play(request, channels)


def done(outcome: StepOutcome) -> Future[StepOutcome]:
    future: Future[StepOutcome] = Future()
    future.set_result(outcome)
    return future
