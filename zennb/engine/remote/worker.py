"""Owns the execution of steps in a worker, and the notebook's state that it sets up before each."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.compat.open_databases import none_opened
from zennb.engine.environment.execution_environment import ExecutionEnvironment
from zennb.engine.environment.random_state import NumpyRandom
from zennb.engine.remote.portable_error import carried
from zennb.engine.remote.process_snapshot import frontend_of, know_texts
from zennb.engine.remote.shipped_modules import ShippedModules
from zennb.engine.remote.unstored_blobs import with_unstored_results
from zennb.engine.remote.worker_folder import working_folder
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.engine.step.body import own_frames, run_body
from zennb.engine.step.cancellation import interrupts_raise
from zennb.engine.step.request import Resources
from zennb.errors import StepRefused
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Artifact
    from zennb.engine.remote.process_snapshot import ProcessSnapshot
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Channels, StepRequest

__all__ = ["WorkerState", "opened_store", "perform_remotely"]


def perform_remotely(
    request: StepRequest,
    channels: Channels,
) -> StepOutcome:
    """Perform a step in a process that is not the notebook's.

    Args:
        request: the step, with its store and the state of the notebook's process.
        channels: what connects it with the driver.

    Raises:
        RemoteError: an error that does not belong to the record of the step, such as an interrupt.
    """
    try:
        outcome = _outcome(request, channels)
    except StepRefused:  # a mistake of whoever called this, not of the step
        raise
    except BaseException as error:  # noqa: BLE001 - raised again, as one that can be pickled
        # The user's own classes cannot be trusted to pickle, and an executor loses its worker over one that does not.
        raise carried(own_frames(error, _files(request)), request.names) from None
    if outcome.error is None:
        return outcome
    return replace(outcome, error=carried(own_frames(outcome.error, _files(request)), request.names))


def _files(request: StepRequest) -> set[str]:
    """Return the names under which tracebacks know the code of the user."""
    return {request.definition.filename, *request.cells}


def _outcome(request: StepRequest, channels: Channels) -> StepOutcome:
    process, store = request.process, request.store
    if process is None or store is None:
        raise StepRefused(
            f"step '{request.definition.name}' was sent to another process without its artifact store; "
            "an orchestrator gets steps from zennb, and submits them as they are."
        )
    values = cloudpickle.loads(request.values) if request.values else {}
    with _lock, interrupts_raise(), working_folder(request, process) as (state, stand_in):
        worker = _worker(process)
        buffer = WriteBuffer(worker.opened(store))
        buffer.take(request.unstored)
        try:
            # The driver has checked the records that name the inputs.
            worker.trust(request.inputs.values())
            with none_opened(_not_here):
                outcome = run_body(request, replace(channels, values=values), worker.ready(state, buffer))
            outcome = with_unstored_results(outcome, buffer, request)
        except BaseException:
            worker.leave()
            raise
        if outcome.error is not None:
            worker.leave()
    return replace(outcome, stand_in=stand_in)


def _not_here(database: str) -> StepRefused:
    """Return the error for a connection of the notebook: what a step changes through it has to be seen there."""
    return StepRefused(
        f"it reads a database connection to {database}, which stays in the notebook's kernel. Open it inside the step, "
        "or run the step on a stack that runs in the kernel."
    )


def opened_store(request: StepRequest) -> ArtifactStore | None:
    """Return the artifact store of a request, as the steps of this process have opened it."""
    process, store = request.process, request.store
    return store if process is None or store is None else _worker(process).opened(store)


_lock = threading.Lock()
"""Settings, working folder and modules belong to a process, so a worker with threads performs one step at a time."""

_workers: dict[str, WorkerState] = {}


def _worker(process: ProcessSnapshot) -> WorkerState:
    if process.frontend not in _workers:
        _workers[process.frontend] = WorkerState(process)
    return _workers[process.frontend]


def _call(source: str) -> None:
    """Make a call that the notebook has made: `csv.register_dialect('a', delimiter=';')`."""
    path = source.partition("(")[0].split(".")
    scope = {path[0]: importlib.import_module(path[0])}
    for end in range(2, len(path)):
        with suppress(ImportError):  # from here on they are attributes
            importlib.import_module(".".join(path[:end]))
    exec(source, scope)


class WorkerState:
    """The resources that this process keeps open between steps."""

    def __init__(self, process: ProcessSnapshot) -> None:
        self._frontend, settings = frontend_of(process)
        self._signer = Signer()
        self._ignored = process.ignored
        self._environment = ExecutionEnvironment(
            seal=self._signer.seal,
            ignored=lambda: self._ignored,
            more=settings,
        )
        # Dask seeds numpy in its workers. No step has, so a step begins as in a process where nobody did.
        self._pristine = {**self._environment.settings.read(), NumpyRandom.name: None}
        self._path = list(sys.path)
        self._variables = dict(os.environ)
        self._modules = ShippedModules()
        self._stores: dict[str, ArtifactStore] = {}
        self._called: tuple[str, ...] = ()
        self._log_handlers = list(logging.root.handlers)

    def opened(self, store: ArtifactStore) -> ArtifactStore:
        """Return the store of this configuration that earlier steps have opened, or this one."""
        key = repr((store.type, store.flavor, store.name, sorted(store.config_text().items())))
        return self._stores.setdefault(key, store)

    def ready(self, process: ProcessSnapshot, store: Any) -> Resources:
        """Apply the notebook's settings, and undo those of earlier steps.

        Args:
            process: the notebook's process.
            store: the artifact store, or a `WriteBuffer` before it.
        """
        self._ignored = process.ignored
        self._log_handlers = list(logging.root.handlers)
        self._set(process)
        self._modules.install(process.modules)
        if self._modules.load():  # importing them may have overwritten the notebook's settings
            self._set(process)
        if process.calls != self._called:  # all of them, in order: a later one may undo an earlier one
            for source in process.calls:
                _call(source)
            self._called = process.calls
            self._set(process)
        self._environment.settings.note()
        know_texts(process.texts)
        repository = ArtifactRepository(
            store=store, scope={}, signer=self._signer, secrets=self._environment.secrets
        )
        return Resources(artifacts=repository, environment=self._environment, frontend=self._frontend)

    def _set(self, process: ProcessSnapshot) -> None:
        settings = self._environment.settings
        # First back to the state of a new process, as `process.settings` holds the differences from that.
        settings.apply(settings.changes(settings.read(), self._pristine))
        # In place: other modules hold this very list.
        sys.path[:] = self._path
        self._set_variables(process)
        settings.apply({name: cloudpickle.loads(change) for name, change in process.settings.items()})

    def trust(self, artifacts: Iterable[Artifact]) -> None:
        """Load these artifacts, whoever signed their bytes."""
        self._signer.vouch(each.blob for each in artifacts)

    def leave(self) -> None:
        """Unload modules that a failed step may have changed, and take away the log handlers that it has set up."""
        self._modules.forget()
        logging.root.handlers[:] = self._log_handlers

    def _set_variables(self, process: ProcessSnapshot) -> None:
        wanted = {**self._variables, **process.environment}
        for name in [name for name in os.environ if wanted.get(name) is None]:
            del os.environ[name]
        changed = {
            name: value
            for name, value in wanted.items()
            if value is not None and os.environ.get(name) != value
        }
        os.environ.update(changed)
