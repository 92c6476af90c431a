"""A run with thousands of elements under way asks none of them whether it has ended."""

from __future__ import annotations

import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from zennb.components.component import Visibility
from zennb.engine.run.task_queue import TaskQueue
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.request import Channels


class _Asked(Future[StepOutcome]):
    """A future that counts how often it is asked."""

    count = 0

    def done(self) -> bool:
        _Asked.count += 1
        return super().done()


def _task() -> Any:
    orchestrator = SimpleNamespace(visibility=Visibility.MACHINE)
    return SimpleNamespace(
        begun=0.0,
        channels=Channels(),
        restarted=None,
        isolation=None,
        context=SimpleNamespace(orchestrator=orchestrator),
    )


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> tuple[TaskQueue, list[_Asked]]:
    futures: list[_Asked] = []

    def submitted(_queue: TaskQueue, _task: Any) -> _Asked:
        futures.append(_Asked())
        return futures[-1]

    monkeypatch.setattr(TaskQueue, "_submitted", submitted)
    monkeypatch.setattr(_Asked, "count", 0)
    return TaskQueue(lambda: None), futures


def test_what_has_ended_comes_in_the_order_in_which_it_began(
    queue: tuple[TaskQueue, list[_Asked]],
) -> None:
    tasks, futures = queue
    begun = [_task() for _ in range(5)]
    for each in begun:
        tasks.launch(each)
    for number in (3, 0, 4):
        futures[number].set_result(StepOutcome(seconds=number))
    assert [(begun.index(task), found.seconds) for task, found in tasks.ended()] == [(0, 0), (3, 3), (4, 4)]
    assert tasks.ended() == []
    futures[1].set_exception(ValueError("1"))
    ((task, outcome),) = tasks.ended(within=5)
    assert task is begun[1]
    assert str(outcome.error) == "1"
    assert bool(tasks)


def test_those_that_run_are_not_asked(queue: tuple[TaskQueue, list[_Asked]]) -> None:
    tasks, futures = queue
    for _ in range(300):
        tasks.launch(_task())
    for future in futures:
        future.set_result(StepOutcome())
        assert len(tasks.ended()) == 1
    assert _Asked.count <= 300


def test_waiting_ends_when_a_step_does_and_after_its_time(queue: tuple[TaskQueue, list[_Asked]]) -> None:
    tasks, futures = queue
    tasks.launch(_task())
    began = time.perf_counter()
    assert tasks.ended(within=0.05) == []
    assert time.perf_counter() - began >= 0.04
    futures[0].set_result(StepOutcome())
    began = time.perf_counter()
    assert len(tasks.ended(within=30)) == 1
    assert time.perf_counter() - began < 10
