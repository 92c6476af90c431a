from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.component import Visibility
from zennb.components.orchestrators.executor import ExecutorOrchestrator
from zennb.errors import InvalidConfiguration, WorkerLost
from zennb.testing.orchestrator import OrchestratorContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

PATIENCE = 60.0


def spawning(workers: int) -> Executor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


class Client:
    """As clients of clusters are: something that gives an executor when it is asked."""

    def executor(self) -> Executor:
        return ThreadPoolExecutor(1)


def made(factory: str, **config: str) -> ExecutorOrchestrator:
    return ExecutorOrchestrator.from_config("test", {"factory": factory, **config})


class TestExecutorOrchestrator(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self) -> Iterator[ExecutorOrchestrator]:
        orchestrator = made(f"{__name__}.spawning", arguments="{'workers': 2}")
        yield orchestrator
        orchestrator.close()


def test_a_client_that_gives_an_executor_is_a_factory_too() -> None:
    orchestrator = made(f"{__name__}:Client")
    assert orchestrator.submit(pow, 2, 5).result(PATIENCE) == 32
    orchestrator.close()


def test_its_reach_is_what_the_user_says() -> None:
    assert made("a.b").visibility is Visibility.MACHINE
    assert made("a.b", where="network").visibility is Visibility.NETWORK


@pytest.mark.parametrize(
    ("factory", "why"),
    [
        ("no_such_package.Pool", "there is no `no_such_package.Pool`"),
        ("collections.Pool", "there is no `collections.Pool`"),
        ("Pool", "there is no `Pool`"),
        ("builtins.dict", "has no `submit`"),
    ],
)
def test_what_is_no_factory_is_said_in_one_sentence(factory: str, why: str) -> None:
    with pytest.raises(InvalidConfiguration, match=why):
        made(factory).submit(int)


def test_a_factory_that_fails_is_said_in_one_sentence() -> None:
    with pytest.raises(
        WorkerLost, match=r"`time.sleep` has given no executor \(TypeError: .*Nothing was started"
    ):
        made("time.sleep", arguments="{'seconds': 1}").submit(int)


def test_an_executor_that_loses_its_worker_is_said_in_one_sentence() -> None:
    orchestrator = made("concurrent.futures.ProcessPoolExecutor", arguments="{'max_workers': 1}")
    error = orchestrator.submit(os._exit, 3).exception(PATIENCE)
    assert isinstance(error, WorkerLost)
    assert "has not run the step to its end (BrokenProcessPool: " in error.message
    orchestrator.close()


class Stubborn(ThreadPoolExecutor):
    """As that of Parsl: its futures cannot be cancelled, and say so."""

    def submit(self, *args: Any, **more: Any) -> Future[Any]:
        future = super().submit(*args, **more)
        future.cancel = self._refused  # type: ignore[method-assign]
        return future

    def _refused(self) -> bool:
        raise NotImplementedError


def test_a_call_that_cannot_be_cancelled_goes_on() -> None:
    orchestrator = made(f"{__name__}:Stubborn")
    future = orchestrator.submit(pow, 2, 5)
    assert not future.cancel()
    assert future.result(PATIENCE) == 32
    orchestrator.close()


def test_a_broken_executor_is_replaced() -> None:
    orchestrator = made("concurrent.futures.ProcessPoolExecutor", arguments="{'max_workers': 1}")
    first = orchestrator.executor()
    first.shutdown()
    assert orchestrator.submit(pow, 2, 5).result(PATIENCE) == 32
    assert orchestrator.executor() is not first
    orchestrator.close()
