from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from zennb.components.component import Visibility
from zennb.components.orchestrators.executor import ExecutorOrchestrator
from zennb.errors import InvalidConfiguration
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


def test_a_broken_executor_is_replaced() -> None:
    orchestrator = made("concurrent.futures.ProcessPoolExecutor", arguments="{'max_workers': 1}")
    first = orchestrator.executor()
    first.shutdown()
    assert orchestrator.submit(pow, 2, 5).result(PATIENCE) == 32
    assert orchestrator.executor() is not first
    orchestrator.close()
