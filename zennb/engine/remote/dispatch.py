"""Owns the dispatch of a step to a worker: what is sent with it, and what its future returns."""

from __future__ import annotations

import linecache
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.components.component import Visibility
from zennb.engine.environment.open_figures import OpenFigures
from zennb.engine.remote.live_metrics import RemoteMetrics
from zennb.engine.remote.portable_error import restored
from zennb.engine.remote.process_snapshot import ProcessSnapshot
from zennb.engine.remote.shipped_modules import constants_of, shipped
from zennb.engine.remote.side_channel import LinkServer
from zennb.engine.remote.worker_checks import refusal
from zennb.engine.remote.worker_folder import check_files
from zennb.engine.step.perform import perform
from zennb.engine.step.recording import Recording
from zennb.errors import StepTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.request import Channels, StepRequest

__all__ = ["check_portable", "pickled_values", "snapshot", "submit_remotely"]

_server = LinkServer()

_LATE = 0.5
"""Seconds that a worker gets to end a step whose time is over by itself."""


def submit_remotely(
    run_context: RunContext,
    request: StepRequest,
    channels: Channels,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Future[StepOutcome]:
    """Run a step in a worker; the future ends when all its output has arrived.

    Args:
        run_context: the stack it runs on.
        request: the step.
        channels: connects it with this process.
        settings: setting → change that the worker makes beyond what the notebook has set.

    Raises:
        StepRefused: something the step needs cannot be sent there.
    """
    check_portable(run_context, request)
    things = [
        run_context.artifacts.scope[name] for name in request.names if name in run_context.artifacts.scope
    ]
    values = pickled_values(request, channels)
    process = snapshot(run_context, request, things)
    if settings:
        own = {name: cloudpickle.dumps(change) for name, change in settings.items()}
        process = replace(process, settings={**process.settings, **own})
    request = replace(request, store=run_context.store, values=values, process=process)
    limit = _TimeLimit(request.definition.options.timeout)
    # Before `submit`: the worker may connect at once.
    relay = run_context.orchestrator.relay()
    metrics = RemoteMetrics(request.definition.name)
    begins = count()

    def begin() -> None:
        limit.begin()
        metrics.begin()
        if next(begins) and channels.restarted is not None:
            channels.restarted()

    is_elsewhere = run_context.orchestrator.visibility is Visibility.NETWORK
    check = partial(check_files, request, is_elsewhere=is_elsewhere, began=time.time())
    call, link = _server.expect(channels.output, begin, relay, metrics.take)
    inner = run_context.orchestrator.submit(perform, request, link)
    limit.ends(inner)
    if channels.cancel is not None:
        channels.cancel.also(call.stop)
        channels.cancel.also(inner.cancel)
    outer: Future[StepOutcome] = Future()

    def done(inner: Future[StepOutcome]) -> None:
        limit.end()
        # The outcome comes through the orchestrator, the output through the socket: some of
        # it may still be under way.
        if relay is not None:
            relay.close(link.token)
        call.settle()
        metrics.end()
        _server.forget(link)
        # The caller may have cancelled the outer future in the meantime; setting a result would raise then.
        if outer.set_running_or_notify_cancel():
            if limit.is_over and (inner.cancelled() or inner.exception() is not None):
                outer.set_exception(StepTimeout())
                return
            first = call.rest if call.connected else 0
            _hand_on(inner, outer, run_context, channels.output, first=first, check=check)

    inner.add_done_callback(done)
    return outer


class _TimeLimit:
    """Ends a step that has not ended by itself, because it is in code that no interrupt reaches.

    Args:
        seconds: the step's own limit, which the worker keeps where it can; None for none.

    Attributes:
        is_over: whether the step had to be ended from here.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._future: Future[StepOutcome] | None = None
        self.is_over = False

    def begin(self) -> None:
        """Count from now on; again where an engine runs the step once more, because its worker has died."""
        self.end()
        if self._seconds is not None:
            self._timer = threading.Timer(self._seconds + _LATE, self._end)
            self._timer.daemon = True
            self._timer.start()

    def ends(self, future: Future[StepOutcome]) -> None:
        """Cancel this future when the time is over."""
        self._future = future

    def end(self) -> None:
        """Stop counting: the step has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        if self._future is not None:
            self._future.cancel()


def check_portable(run_context: RunContext, request: StepRequest) -> None:
    """Refuse a step that would silently compute something else in another process.

    Raises:
        StepRefused: it changes inputs that cannot be compared there, looks names up dynamically, where the notebook's
            variables are missing, or logs to handlers that the notebook set up.
    """
    if request.hooked:
        raise refusal(
            request,
            f"it reads a {request.hooked[0]}, and the function that says what its content is (zennb.digest) is known "
            "only in this one",
            "Put it into a package, or",
        )
    # The kernel has put a function of its own in place of Python's.
    if any(why.startswith("`builtins.input.") for why in request.unclear):
        raise refusal(
            request,
            "it asks with `input()`, and nobody can be asked there",
            "Ask in a plain cell above and read the answer in the step, or",
        )
    uses = [use for use in request.definition.analysis.dynamic if not use.startswith("%")]
    # As resolving says it of an input that has no digest: "it reads `lock`, a lock".
    if unstored := [why for why in request.unclear if why.startswith("it reads `")]:
        raise refusal(request, f"{unstored[0]}, which cannot be sent there", "Make it inside the step, or")
    if uses or request.evaluates or request.unclear:
        why = f"it uses `{uses[0]}`" if uses else (*request.evaluates, *request.unclear)[0]
        why += ", so what it needs of the notebook cannot be known"
        raise refusal(request, why, "Name what it reads, or")
    # Handlers are looked at below, and how the shell displays values belongs to the notebook.
    known = ("logging.", "IPython.")
    unknown = [name for name, source in request.calls if not source and not name.startswith(known)]
    if unknown:
        raise refusal(
            request,
            f"it uses what `{unknown[0]}` has set in the notebook, which cannot be sent there",
            "Call it inside the step or a local module that the step imports, or",
        )
    logs = any(use.partition(".")[0] == "logging" for use in request.modules)
    logs = logs or ("logging",) in request.definition.analysis.modules
    if logs and run_context.environment.has_set_up_logging:
        raise refusal(
            request,
            "it logs, and the notebook has set up how logs are shown, which cannot be sent there",
            "Set up logging inside a local module that the step imports, or",
        )
    if any(use.startswith("matplotlib.pyplot") for use in request.modules) and OpenFigures().read():
        raise refusal(
            request,
            "it uses pyplot, which has figures open in the notebook that are not sent there",
            "Close them (`plt.close('all')`), or",
        )


def pickled_values(request: StepRequest, channels: Channels) -> bytes:
    """Return the values that a step gets beside its request, as bytes.

    Raises:
        StepRefused: one of them, or a function or class that it uses, cannot be pickled.
    """
    for name, value in {**channels.definitions, **channels.values}.items():
        _dumped(value, f"`{name}`", "Make it inside the step, or", request)
    if channels.definitions:  # each can be pickled alone, but would not see the step's variables
        names = ", ".join(f"`{name}`" for name in channels.definitions)
        raise refusal(request, f"{names} cannot be sent there together", "Define them inside the step, or")
    return cloudpickle.dumps(dict(channels.values)) if channels.values else b""


def _hand_on(
    inner: Future[StepOutcome],
    outer: Future[StepOutcome],
    run_context: RunContext,
    output: Callable[[Event], None] | None,
    *,
    first: int | None,
    check: Callable[[StepOutcome], None],
) -> None:
    """Resolve the future with what a worker returned; pass the output to `output` that was not streamed already.

    Args:
        inner: what the orchestrator returned.
        outer: the future to resolve.
        run_context: the stack it ran on.
        output: called with each thing that the step has shown.
        first: the number of the first event that was not streamed; None when all were.
        check: refuses an outcome that missed or left files there, or explains its error by them.
    """
    try:
        outcome = inner.result()
        # A worker on another machine signs with a key of its own. It was sent the step from here, and has answered.
        carried = () if outcome.carried is None else (outcome.carried.blob,)
        run_context.artifacts.signer.vouch(
            (*(each.blob for each in outcome.artifacts.values()), *carried, outcome.displays)
        )
        if output is not None and first is not None and outcome.displays:
            for event in list(Recording.load(run_context.store.get(outcome.displays)))[first:]:
                output(event)
        outcome = replace(outcome, error=restored(outcome.error, run_context.artifacts.scope))
        check(outcome)
        outer.set_result(outcome)
    except BaseException as error:  # noqa: BLE001 - a lost worker or an interrupt is the result, too
        outer.set_exception(restored(error, run_context.artifacts.scope))


def snapshot(run_context: RunContext, request: StepRequest, things: Iterable[object]) -> ProcessSnapshot:
    """Return the state of this process that a step needs in a worker.

    Args:
        run_context: the stack it runs on.
        request: the step.
        things: the functions, classes and modules it reads.

    Raises:
        StepRefused: a setting that it depends on cannot be sent.
    """
    environment = run_context.environment
    imported = {".".join(path) for path in request.definition.analysis.modules}
    constants = [key.partition(" ")[2] for key in request.reached if key.startswith("constant ")]
    return ProcessSnapshot(
        settings={
            name: _dumped(change, name, "Set it inside the step, or", request)
            for name, change in environment.settings.exported().items()
        },
        environment=environment.variables_set(),
        modules=shipped(request.modules | imported | set(constants), list(things)),
        constants=constants_of(constants),
        folder=environment.folder,
        texts={
            file: "".join(linecache.getlines(file)) for file in {request.definition.filename, *request.cells}
        },
        ignored=environment.ignored,
        calls=tuple(source for _, source in request.calls if source),
        frontend=run_context.frontend.elsewhere,
    )


def _dumped(value: object, label: str, advice: str, request: StepRequest) -> bytes:
    try:
        pickled: bytes = cloudpickle.dumps(value)
    except Exception as error:
        why = f"{label} cannot be sent there ({type(error).__name__}: {error})"
        raise refusal(request, why, advice) from error
    return pickled
