"""A failing step is tried again as often as its cell says, and an interrupted run marks what it did not finish."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from tests.engine.steps import Notebook, Scripted, done, step
from zennb.core.records.records import Status
from zennb.engine.run.step_task import StepTask
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.request import Channels, StepRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Run, Step
    from zennb.engine.run.run_request import FinishedRun
    from zennb.engine.step.cancellation import CancellationToken


def states(finished: FinishedRun) -> dict[str, str]:
    return {name: each.status.value for name, each in finished.steps.items()}


# Tries


def test_a_failing_step_is_tried_again_and_its_tries_are_recorded(
    notebook: Notebook, scripted: Scripted
) -> None:
    outcomes = iter(
        [StepOutcome(error=OSError("1st"), seconds=0.5), StepOutcome(error=OSError("2nd")), StepOutcome()]
    )
    scripted.play = lambda _request, _channels: done(next(outcomes))
    finished = notebook.run(step("a = 1", "flaky", retries=2))
    assert states(finished) == {"flaky": "completed"}
    attempts = finished.steps["flaky"].attempts
    assert [each.failure.message for each in attempts] == ["1st", "2nd"]
    assert attempts[0].seconds == 0.5
    assert finished.error is None


def test_a_step_that_keeps_failing_fails_with_the_last_error(notebook: Notebook, scripted: Scripted) -> None:
    numbers = iter(range(9))
    scripted.play = lambda _request, _channels: done(StepOutcome(error=OSError(str(next(numbers)))))
    finished = notebook.run(step("a = 1", "flaky", retries=2))
    assert scripted.submitted == ["flaky"] * 3
    assert str(finished.error) == "2"
    assert len(finished.steps["flaky"].attempts) == 2


def test_a_try_waits_for_its_delay_while_other_steps_run(notebook: Notebook, scripted: Scripted) -> None:
    times: list[float] = []

    def play(request: StepRequest, _channels: Channels) -> Future[StepOutcome]:
        if request.definition.name == "flaky":
            times.append(time.time())
            return done(StepOutcome(error=OSError("no")) if len(times) == 1 else StepOutcome())
        return done(StepOutcome())

    scripted.play = play
    finished = notebook.run(step("a = 1", "flaky", retries=1, delay=0.3), step("b = 2", "other"))
    assert scripted.submitted == ["flaky", "other", "flaky"]
    assert times[1] - times[0] >= 0.3
    assert finished.run.status is Status.COMPLETED


def test_every_try_has_a_ticket_of_its_own(notebook: Notebook, scripted: Scripted) -> None:
    tickets: list[CancellationToken | None] = []

    def play(_request: StepRequest, channels: Channels) -> Future[StepOutcome]:
        tickets.append(channels.cancel)
        return done(StepOutcome(error=OSError("no")) if len(tickets) == 1 else StepOutcome())

    scripted.play = play
    notebook.run(step("a = 1", "flaky", retries=1))
    assert None not in tickets
    assert tickets[0] is not tickets[1]


def test_only_errors_are_tried_again(notebook: Notebook) -> None:
    resolved = notebook.resolve(step("a = 1", retries=2))

    def task() -> StepTask:
        return StepTask(
            context=notebook.run_context,
            resolved=resolved,
            decision=notebook.run_context.decide(resolved),
            inputs={},
            started=1.0,
            request=StepRequest(definition=resolved.definition),
            channels=Channels(),
            begun=5.0,
        )

    class CancelledError(BaseException):
        pass

    for final in (None, KeyboardInterrupt(), CancelledError()):
        tried = task()
        assert not tried.failed(StepOutcome(error=final))
        assert tried.attempts == []
    tried = task()
    tries = [tried.failed(StepOutcome(error=OSError("no"), seconds=2.0)) for _ in range(4)]
    assert tries == [True, True, False, False]
    assert [(each.started, each.seconds, each.failure.type) for each in tried.attempts] == [
        (5.0, 2.0, "OSError")
    ] * 2


# Interrupts


def test_an_interrupt_marks_what_ran_and_skips_the_rest(notebook: Notebook, scripted: Scripted) -> None:
    stopped: list[str] = []
    running: Future[StepOutcome] = Future()

    def play(request: StepRequest, channels: Channels) -> Future[StepOutcome]:
        if request.definition.name == "quick":
            return done(StepOutcome())
        assert channels.cancel is not None
        channels.cancel.also(lambda: stopped.append(request.definition.name))
        return running

    def change(_run: Run, steps: Mapping[str, Step]) -> None:
        if "long" in steps and not stopped and not running.cancelled():
            raise KeyboardInterrupt

    scripted.play = play
    told: list[Run] = []
    run = notebook.pipeline(step("a = 1", "quick"), step("b = a", "long"), step("c = b", "next"))

    def on_change(state: Run, steps: Mapping[str, Step]) -> None:
        told.append(state)
        change(state, steps)

    run.on_change = on_change
    with pytest.raises(KeyboardInterrupt):
        run.execute()
    assert stopped == ["long"]
    assert running.cancelled()
    recorded = {each.name: each for each in notebook.metadata.steps(told[-1].id or 0)}
    assert {name: each.status.value for name, each in recorded.items()} == {
        "quick": "completed",
        "long": "interrupted",
        "next": "skipped",
    }
    assert recorded["next"].reason == "the run was interrupted"
    assert not recorded["long"].reusable
    assert told[-1].status is Status.INTERRUPTED


def test_a_run_that_breaks_off_says_that_it_ended_with_an_error(
    notebook: Notebook, scripted: Scripted
) -> None:
    def broken(_request: StepRequest, _channels: Channels) -> Future[StepOutcome]:
        raise RuntimeError("no pool")

    scripted.play = broken
    with pytest.raises(RuntimeError, match="no pool"):
        notebook.run(step("a = 1", "first"), step("b = a", "second"))
    (recorded,) = notebook.metadata.runs()
    assert recorded.status is Status.FAILED
    steps = {each.name: each for each in notebook.metadata.steps(recorded.id or 0)}
    assert (steps["first"].status, steps["second"].status) == (Status.FAILED, Status.SKIPPED)
    assert steps["second"].reason == "the run ended with an error"
