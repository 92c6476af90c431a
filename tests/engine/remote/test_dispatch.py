"""A step that is not submitted, or stopped, leaves nothing behind: nothing in the store, no link, and no relay."""

from __future__ import annotations

import _thread
import threading
from concurrent.futures import Future
from functools import partial
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.component import Orchestrator, Visibility
from zennb.components.relay import Relay
from zennb.engine.remote import dispatch, large_messages
from zennb.engine.remote.large_messages import perform_and_send
from zennb.engine.remote.left_running import LeftRunning
from zennb.engine.remote.side_channel import Call, RemoteLink
from zennb.engine.remote.unstored_blobs import LARGEST
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.request import Channels
from zennb.errors import WorkerLost
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Relay(Relay):
    def __init__(self) -> None:
        self.open: set[str] = set()

    def expect(self, token: str, receive: Any) -> Any:
        del receive
        self.open.add(token)
        return None

    def close(self, token: str) -> None:
        self.open.remove(token)


class _Unreachable(Orchestrator):
    """Its scheduler is gone when a relay is asked for, or when a step is submitted."""

    flavor = "unreachable"
    description = "runs nothing"
    visibility = Visibility.MACHINE
    fails_early = True

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.relays = _Relay()

    def relay(self) -> Relay | None:
        if self.fails_early:
            raise WorkerLost("nobody answers.")
        return self.relays

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        del fn, args, kwargs
        raise WorkerLost("nobody answers.")

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    found = Bench(_Unreachable(name="test"), tmp_path / "home")
    yield found
    found.close()


@pytest.mark.parametrize("fails_early", [True, False])
def test_a_step_that_cannot_be_submitted_leaves_nothing_behind(bench: Bench, *, fails_early: bool) -> None:
    orchestrator: Any = bench.orchestrator
    orchestrator.fails_early = fails_early
    before, calls = set(bench.run_context.store.digests()), dict(dispatch._server._calls)
    bench.cell(
        "class Table:\n    rows = [bytes(3_000_000)]\n    def size(self):\n        return len(self.rows[0])"
    )
    with pytest.raises(WorkerLost, match="nobody answers"):
        bench.step("size = Table().size()")
    assert set(bench.run_context.store.digests()) == before
    assert dispatch._server._calls == calls
    assert orchestrator.relays.open == set()


class _Late(Future[Any]):
    """A call that cannot be cancelled, and whose large outcome arrives when nobody waits for it any more."""

    def __init__(self, call: Any, request: Any, link: Any) -> None:
        super().__init__()
        self._call = partial(call, request, link)
        self.arrival = threading.Timer(0.2, self._arrive)

    def cancel(self) -> bool:
        self.arrival.start()
        return False

    def _arrive(self) -> None:
        self.set_result(self._call())


def test_a_large_outcome_that_nobody_opens_is_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    orchestrator: Any = bench.orchestrator
    orchestrator.fails_early = False
    calls: list[_Late] = []

    def submit(call: Any, request: Any, link: Any) -> _Late:
        calls.append(_Late(call, request, link))
        threading.Timer(0.2, _thread.interrupt_main).start()
        return calls[0]

    monkeypatch.setattr(orchestrator, "submit", submit)
    monkeypatch.setattr(large_messages, "perform", lambda *_given: StepOutcome(not_reusable=("x" * LARGEST,)))
    monkeypatch.setattr(large_messages, "opened_store", attrgetter("store"))
    monkeypatch.setattr(RemoteLink, "open", Channels().open)
    before = set(bench.run_context.store.digests())
    with pytest.raises(KeyboardInterrupt):
        bench.step("y = 1")
    calls[0].arrival.join()
    assert calls[0].result().digest
    assert set(bench.run_context.store.digests()) == before


@pytest.mark.parametrize("is_stopped", [True, False])
def test_what_comes_of_a_step_that_was_stopped_meanwhile_is_not_left_in_the_store(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, is_stopped: bool
) -> None:
    store, cancel, outcome = (
        bench.run_context.store,
        CancellationToken(),
        StepOutcome(not_reusable=("x" * LARGEST,)),
    )
    request: Any = SimpleNamespace(store=store, process=None, size_limit=LARGEST)
    monkeypatch.setattr(large_messages, "perform", lambda *_given: outcome)
    before, put = set(store.digests()), type(store).put

    def slow(*given: Any) -> str:
        if is_stopped:
            cancel.stop()
        return put(*given)

    monkeypatch.setattr(type(store), "put", slow)
    sent = perform_and_send(request, Channels(cancel=cancel))
    assert len(set(store.digests()) - before) == (not is_stopped)
    assert sent.opened(store) == outcome
    assert set(store.digests()) == before


class _Abandoned(Future[Any]):
    def abandon(self) -> str:
        return "the worker far away"


def test_a_step_that_has_ended_after_all_is_not_waited_for(bench: Bench) -> None:
    left, call = LeftRunning(), Call(None, lambda: None, lambda _points: None)
    call.connected = True
    said = left.sentence("slow", call, _Abandoned(), bench.orchestrator, seconds=0)
    assert said.startswith("its code goes on running on the worker far away until it ends")
    assert "`slow`, which was stopped, on the worker far away" in left.waiting_note(bench.orchestrator)
    left.forget(call)
    assert left.waiting_note(bench.orchestrator) == ""


def test_a_step_that_ends_while_it_is_told_of_is_not_waited_for(bench: Bench) -> None:
    left, call = LeftRunning(), Call(None, lambda: None, lambda _points: None)
    call.connected = True

    class EndsMeanwhile(_Abandoned):
        def abandon(self) -> str:
            left.forget(call)  # as on the thread that follows it
            return super().abandon()

    assert left.sentence("slow", call, EndsMeanwhile(), bench.orchestrator, seconds=0) == ""
    assert left.waiting_note(bench.orchestrator) == ""
