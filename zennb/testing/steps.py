"""Owns `Bench`, which runs real steps on an orchestrator: resolved, submitted, executed, recorded and loaded."""

from __future__ import annotations

import _thread
import ast
import importlib
import linecache
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from zennb.core.planning.plan import Outline, plan
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.run.run_context import RunContext
from zennb.engine.run.run_request import RunRequest
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step.definition import StepDefinition, StepOptions, define
from zennb.engine.step.recording import Recording
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import Orchestrator
    from zennb.core.records.records import Step

__all__ = ["Bench", "Performed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """The result of a step.

    Attributes:
        step: its record.
        values: its outputs, loaded from the artifact store.
        shown: its output events, in order.
        error: what it raised; None if it succeeded.
        seconds: how long the run took.
    """

    step: Step
    values: dict[str, Any] = field(default_factory=dict)
    shown: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """What it wrote to standard output."""
        return "".join(event["text"] for event in self.shown if event.get("name") == "stdout")


class Bench:
    """A notebook's variables, a home with a local artifact store, and the orchestrator under test.

    Args:
        orchestrator: executes the steps.
        home: an empty folder.

    Attributes:
        orchestrator: the one under test.
        run_context: the stack that steps run on.
    """

    def __init__(self, orchestrator: Orchestrator, home: Path) -> None:
        self.orchestrator = orchestrator
        worker = importlib.import_module("zennb.jupyter.kernel.worker")
        self._frontend, settings = worker.worker_frontend()
        self._workspace = Workspace(home)
        self._numbers = count(1)
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self._variables = VariableTracker()
        opened = self._workspace.open()
        signer = self._workspace.signer
        self.run_context = RunContext(
            spec=opened.spec,
            store=opened.store,
            orchestrator=orchestrator,
            artifacts=ArtifactRepository(
                store=opened.store,
                scope=self.namespace,
                signer=signer,
                known=self._workspace.metadata.with_digests,
            ),
            metadata=self._workspace.metadata,
            environment=ExecutionEnvironment(
                seal=signer.seal,
                ignored=lambda: OwnFiles(str(home)),
                more=settings,
            ),
            frontend=self._frontend,
        )

    def close(self) -> None:
        """Close the home, and remove the shell."""
        self._workspace.close()
        shell = importlib.import_module("IPython.core.interactiveshell").InteractiveShell
        shell.clear_instance()

    def cell(self, text: str) -> None:
        """Run a plain cell in the notebook."""
        exec(compile(text, self._file(text), "exec", dont_inherit=True), self.namespace)
        self._variables.code_ran()

    def step(self, text: str, *, name: str = "step", timeout: float | None = None) -> Performed:
        """Run a step; its results are stored, and not bound in the notebook."""
        return self._run(self._define(text, name, timeout))

    def interrupted(self, text: str, *, after: str) -> float:
        """Start a step and interrupt it once it has printed `after`; return the seconds until the run ended."""
        begun = threading.Event()
        printed: list[str] = []

        def on_output(_name: str, event: dict[str, Any]) -> None:
            printed.append(str(event.get("text", "")))
            if after in "".join(printed) and not begun.is_set():
                begun.set()
                if (
                    self.run_context.orchestrator.in_kernel
                ):  # it runs in this thread, so only an interrupt stops it
                    _thread.interrupt_main()

        run = self._pipeline(self._define(text, "step", None), on_output)
        original = run.on_change

        def stop(*state: Any) -> None:
            original(*state)
            if begun.is_set():
                run.on_change = original
                raise KeyboardInterrupt

        run.on_change = stop
        started = time.perf_counter()
        try:
            run.execute()
        except KeyboardInterrupt:
            return time.perf_counter() - started
        raise AssertionError("the step ended before it could be stopped")

    def _run(self, definition: StepDefinition) -> Performed:
        shown: list[dict[str, Any]] = []
        started = time.perf_counter()
        finished = self._pipeline(definition, lambda _name, event: shown.append(event)).execute()
        step = finished.steps[definition.name]
        values = self.run_context.artifacts.load(step.outputs) if step.status.is_good else {}
        return Performed(
            step=step,
            values=values,
            shown=_joined(shown),
            error=finished.error,
            seconds=time.perf_counter() - started,
        )

    def _pipeline(self, definition: StepDefinition, on_output: Any) -> PipelineRun:
        name = definition.name
        request = RunRequest(
            definitions={name: definition},
            plan=plan([Outline(name=name)]),
            chosen=(name,),
            namespace=self.namespace,
            value_digest=self._variables.digest,
            partners=lambda digests, holders: self._variables.partners_unless_alone(
                digests, self.namespace, holders
            ),
        )
        return PipelineRun(request, run_context=self.run_context, on_output=on_output)

    def _define(self, text: str, name: str, timeout: float | None) -> StepDefinition:
        return define(
            ast.parse(text),
            options=StepOptions(name=name, timeout=timeout),
            source=f"%%step {name}\n{text}",
            text=text,
            filename=self._file(text),
        )

    def _file(self, text: str) -> str:
        """Return the name of a new cell; tracebacks and digests find its text under it."""
        name = f"<bench cell {next(self._numbers)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        return name


def _joined(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events, with consecutive ones of one stream merged."""
    recording = Recording()
    for event in events:
        if event["kind"] == "stream":
            recording.stream(event["name"], event["text"])
        elif event["kind"] == "display":
            recording.display(
                event["data"], event["metadata"], display_id=event["id"], update=event["update"]
            )
        elif event["kind"] == "result" and event["data"]:
            recording.result(event["data"], event["metadata"])
    return list(recording)
