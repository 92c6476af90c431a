"""Owns the dispatch of a step to a worker: what is sent with it, and what its future returns."""

from __future__ import annotations

import linecache
import threading
import time
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.components.component import Visibility
from zennb.components.long_calls import long_call
from zennb.engine.environment.open_figures import OpenFigures
from zennb.engine.remote.large_messages import StoredRequest, perform_and_send
from zennb.engine.remote.left_running import LeftRunning
from zennb.engine.remote.live_metrics import RemoteMetrics
from zennb.engine.remote.portable_error import restored
from zennb.engine.remote.process_snapshot import ProcessSnapshot
from zennb.engine.remote.shipped_modules import constants_of, shipped
from zennb.engine.remote.side_channel import LinkServer
from zennb.engine.remote.unstored_blobs import take_unstored_results, with_unstored
from zennb.engine.remote.worker_checks import refusal
from zennb.engine.remote.worker_folder import check_files
from zennb.engine.run.unit_of_work import store_behind
from zennb.engine.step.recording import Recording
from zennb.errors import StepTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zennb.engine.remote.large_messages import SentOutcome
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.recording import Event
    from zennb.engine.step.request import Channels, StepRequest

__all__ = ["check_portable", "pickled_values", "snapshot", "submit_remotely"]

_server, _left = LinkServer(), LeftRunning()

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
    request = with_unstored(replace(request, values=values, process=process), run_context)
    return _RemoteStep(run_context, request, channels).submitted()


class _RemoteStep:
    """A step on its way to a worker and back.

    Args:
        run_context: the stack it runs on.
        request: the step.
        channels: connects it with this process.
    """

    def __init__(self, run_context: RunContext, request: StepRequest, channels: Channels) -> None:
        self._context, self._request, self._channels = run_context, request, channels
        self._limit, self._waiting = _TimeLimit(request.definition.options.timeout), ExitStack()
        self._metrics, self._begins = RemoteMetrics(request.definition.name), count()
        self._outer: Future[StepOutcome] = Future()
        self._stored: StoredRequest | None = None
        is_elsewhere = run_context.orchestrator.visibility is Visibility.NETWORK
        self._check = partial(check_files, request, is_elsewhere=is_elsewhere, began=time.time())
        # Before it is submitted: the worker may connect at once.
        self._relay = run_context.orchestrator.relay()
        self._call, self._link = _server.expect(channels.output, self._begin, self._relay, self._metrics.take)

    def submitted(self) -> Future[StepOutcome]:
        """Submit it; the future ends when all its output has arrived."""
        orchestrator, cancel = self._context.orchestrator, self._channels.cancel
        if before := _left.waiting_note(orchestrator):
            self._waiting.enter_context(long_call(f"{self._request.definition.name}: {before}"))
        try:
            self._stored = StoredRequest.of(self._request)
            inner = orchestrator.submit(perform_and_send, self._stored or self._request, self._link)
        except BaseException:
            self._forget()
            if self._relay is not None:
                self._relay.close(self._link.token)
            _server.forget(self._link)
            raise
        self._limit.ends(inner)
        if cancel is not None:
            cancel.rest = partial(self._rest, inner)
            cancel.also(self._call.stop)
            cancel.also(inner.cancel)
        inner.add_done_callback(self._done)
        return self._outer

    def _begin(self) -> None:
        self._waiting.close()
        self._limit.begin()
        self._metrics.begin()
        if next(self._begins) and self._channels.restarted is not None:
            self._channels.restarted()

    def _rest(self, inner: Future[SentOutcome], seconds: float) -> str:
        name, orchestrator = self._request.definition.name, self._context.orchestrator
        return _left.sentence(name, self._call, inner, orchestrator, seconds=seconds)

    def _forget(self) -> None:
        self._waiting.close()
        if self._stored is not None:
            self._stored.delete()

    def _done(self, inner: Future[SentOutcome]) -> None:
        self._limit.end()
        self._forget()
        rest = ""
        if inner.cancelled() and self._call.connected:  # its code may go on running
            _left.follow_to_end(self._call, inner, self._relay, self._link.token)
            rest = self._rest(inner, 0) if self._limit.is_over else ""
        else:
            # The outcome comes through the orchestrator, the output through the socket: some of it may still be under
            # way.
            if self._relay is not None:
                self._relay.close(self._link.token)
            self._call.settle()
            _left.forget(self._call)
        self._metrics.end()
        _server.forget(self._link)
        # The caller may have cancelled the outer future in the meantime; setting a result would raise then.
        if self._outer.set_running_or_notify_cancel():
            if self._limit.is_over and (inner.cancelled() or inner.exception() is not None):
                self._outer.set_exception(StepTimeout(rest=rest))
                return
            first = self._call.rest if self._call.connected else 0
            output = self._channels.output
            _hand_on(inner, self._outer, self._context, output, first=first, check=self._check)
        elif not inner.cancelled() and inner.exception() is None:
            inner.result().delete(store_behind(self._context.store))


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
        self._future: Future[SentOutcome] | None = None
        self.is_over = False

    def begin(self) -> None:
        """Count from now on; again where an engine runs the step once more, because its worker has died."""
        self.end()
        if self._seconds is not None:
            self._timer = threading.Timer(self._seconds + _LATE, self._end)
            self._timer.daemon = True
            self._timer.start()

    def ends(self, future: Future[SentOutcome]) -> None:
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
    inner: Future[SentOutcome],
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
        outcome = inner.result().opened(store_behind(run_context.store))
        outcome = take_unstored_results(outcome, run_context)
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
