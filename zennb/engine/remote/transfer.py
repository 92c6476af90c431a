"""Owns the way of a step to another process and back: what goes along, what is opened there, what is restored here."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import cloudpickle

from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.remote.portable_error import carried
from zennb.engine.remote.process_snapshot import frontend_of, know_texts, snapshot
from zennb.engine.remote.shipped_modules import ShippedModules
from zennb.engine.remote.side_channel import LinkServer
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.step.perform import perform
from zennb.engine.step.recording import Recording
from zennb.engine.step.request import Resources
from zennb.errors import StepRefused
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zennb.components.component import ArtifactStore
    from zennb.engine.remote.process_snapshot import ProcessSnapshot
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.request import Channels, StepRequest

__all__ = ["perform_remotely", "submit_remotely"]

_server = LinkServer()


# In the driver


def submit_remotely(run_context: RunContext, request: StepRequest, channels: Channels) -> Future[StepOutcome]:
    """Have a step performed in another process; its future ends when all it showed has been heard.

    Raises:
        StepRefused: something the step needs cannot be sent there.
    """
    _refuse_hooked(request)
    _refuse_dynamic(request)
    _refuse_handlers(run_context, request)
    things = [
        run_context.artifacts.scope[name] for name in request.names if name in run_context.artifacts.scope
    ]
    values = _pickled_values(request, channels)
    request = replace(
        request, store=run_context.store, values=values, process=snapshot(run_context, request, things)
    )
    call, link = _server.expect(channels.output)
    inner = run_context.orchestrator.submit(perform, request, link)
    if channels.cancel is not None:
        channels.cancel.also(call.stop)
        channels.cancel.also(inner.cancel)
    outer: Future[StepOutcome] = Future()

    def done(inner: Future[StepOutcome]) -> None:
        call.settle()
        _server.forget(link)
        if outer.set_running_or_notify_cancel():
            _hand_on(inner, outer, run_context, None if call.connected else channels.output)

    inner.add_done_callback(done)
    return outer


def _refuse_hooked(request: StepRequest) -> None:
    """Refuse a step whose inputs could not be compared there: what it changes in place would go unnoticed."""
    if request.hooked:
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: it reads a {request.hooked[0]}, and the "
            "function that says what its content is (zennb.digest) is known only in this one. Put it into a package, "
            "or run the step on a stack that runs in the kernel."
        )


def _refuse_dynamic(request: StepRequest) -> None:
    """Refuse a step that looks names up where it cannot be read: the notebook's variables are not there."""
    uses = [use for use in request.definition.analysis.dynamic if not use.startswith("%")]
    if uses or request.unclear:
        said = f"it uses `{uses[0]}`" if uses else request.unclear[0]
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: {said}, so what it needs of the notebook "
            "cannot be known. Name what it reads, or run the step on a stack that runs in the kernel."
        )


def _refuse_handlers(run_context: RunContext, request: StepRequest) -> None:
    """Refuse a step that logs where the notebook says how logs are shown: there they would not be, or otherwise."""
    logs = any(use.partition(".")[0] == "logging" for use in request.modules)
    if (
        logs or ("logging",) in request.definition.analysis.modules
    ) and run_context.environment.has_set_up_logging:
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: it logs, and the notebook has set up how "
            "logs are shown, which cannot be sent there. Set up logging inside a local module that the step imports, "
            "or run the step on a stack that runs in the kernel."
        )


def _pickled_values(request: StepRequest, channels: Channels) -> bytes:
    for name, value in {**channels.definitions, **channels.values}.items():
        try:
            cloudpickle.dumps(value)
        except Exception as error:
            raise StepRefused(
                f"step '{request.definition.name}' cannot run in another process: `{name}` cannot be sent there "
                f"({type(error).__name__}: {error}). Make it inside the step, or run the step on a stack that runs in "
                "the kernel."
            ) from error
    if channels.definitions:  # one by one they can be pickled, but would not see the step's own variables
        names = ", ".join(f"`{name}`" for name in channels.definitions)
        raise StepRefused(
            f"step '{request.definition.name}' cannot run in another process: {names} cannot be sent there together. "
            "Define them inside the step, or run the step on a stack that runs in the kernel."
        )
    return cloudpickle.dumps(dict(channels.values)) if channels.values else b""


def _hand_on(
    inner: Future[StepOutcome],
    outer: Future[StepOutcome],
    run_context: RunContext,
    output: Callable[[Event], None] | None,
) -> None:
    """Give the future what a worker returned; `output` gets what the step showed, if that was not heard already."""
    try:
        outcome = inner.result()
        if output is not None and outcome.displays:
            for event in Recording.load(run_context.store.get(outcome.displays)):
                output(event)
        outer.set_result(outcome)
    except BaseException as error:  # noqa: BLE001 - a lost worker, an interrupt: it belongs into the future
        outer.set_exception(error)


# Where the step runs


def perform_remotely(
    request: StepRequest,
    channels: Channels,
    performed: Callable[[StepRequest, Channels, Resources], StepOutcome],
) -> StepOutcome:
    """Perform a step in a process that is not the notebook's.

    Args:
        request: the step, with its store and the state of the notebook's process.
        channels: what connects it with the driver.
        performed: performs it, given what is open here.
    """
    process, store = request.process, request.store
    if process is None or store is None:
        raise StepRefused(
            f"step '{request.definition.name}' was sent to another process without its artifact store; "
            "an orchestrator gets steps from zennb, and submits them as they are."
        )
    values = cloudpickle.loads(request.values) if request.values else {}
    with _lock, _interrupts():
        resources = _worker(process).ready(process, store)
        try:
            outcome = performed(request, replace(channels, values=values), resources)
        except BaseException:
            _worker(process).leave()
            raise
        if outcome.error is None:
            return outcome
        _worker(process).leave()
    return replace(outcome, error=carried(outcome.error, request.names))


_lock = threading.Lock()
"""Settings, working folder and modules belong to a process, so a worker with threads performs one step at a time."""

_workers: dict[str, _Worker] = {}


def _worker(process: ProcessSnapshot) -> _Worker:
    if process.frontend not in _workers:
        _workers[process.frontend] = _Worker(process)
    return _workers[process.frontend]


class _Worker:
    """What this process has open for the steps it performs."""

    def __init__(self, process: ProcessSnapshot) -> None:
        self._frontend, settings = frontend_of(process)
        self._signer = Signer()
        self._ignored = process.ignored
        self._environment = ExecutionEnvironment(
            seal=lambda value: self._signer.sign([value]).hex()[:32],
            ignored=lambda: self._ignored,
            more=settings,
        )
        self._pristine = self._environment.settings.read()
        self._path = list(sys.path)
        self._variables = dict(os.environ)
        self._modules = ShippedModules()
        self._stores: dict[str, ArtifactStore] = {}

    def ready(self, process: ProcessSnapshot, store: ArtifactStore) -> Resources:
        """Set what the notebook has set, undo what earlier steps have, and open the store."""
        self._ignored = process.ignored
        self._set(process)
        self._modules.install(process.modules)
        if self._modules.load():  # being imported, they may set what the notebook has set otherwise since
            self._set(process)
        self._environment.settings.note()
        know_texts(process.texts)
        key = repr((store.type, store.flavor, store.name, sorted(store.config_text().items())))
        opened = self._stores.setdefault(key, store)
        repository = ArtifactRepository(store=opened, scope={}, signer=self._signer)
        return Resources(artifacts=repository, environment=self._environment, frontend=self._frontend)

    def _set(self, process: ProcessSnapshot) -> None:
        settings = self._environment.settings
        settings.apply(settings.changes(settings.read(), self._pristine))
        sys.path[:] = self._path
        self._set_variables(process)
        settings.apply({name: cloudpickle.loads(change) for name, change in process.settings.items()})

    def leave(self) -> None:
        """Forget what a step that failed has left in modules."""
        self._modules.forget()

    def _set_variables(self, process: ProcessSnapshot) -> None:
        wanted = {**self._variables, **process.environment}
        for name in [name for name in os.environ if wanted.get(name) is None]:
            del os.environ[name]
        os.environ.update({name: value for name, value in wanted.items() if value is not None})


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let an interrupt reach a step that runs in the worker's main thread, whatever the pool has set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        with suppress(TypeError):  # a handler that was not set from Python
            signal.signal(signal.SIGINT, before)
