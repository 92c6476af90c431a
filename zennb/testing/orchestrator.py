"""Owns the contract of orchestrators, as tests: inherit `OrchestratorContract` and give its fixture."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from zennb.components.component import Orchestrator, Reach
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OrchestratorContract", "Trouble"]

PATIENCE = 60.0
"""Seconds after which a result counts as never coming."""


class Trouble(Exception):
    """Raised by calls that are meant to fail."""


def _add(left: int, right: int) -> int:
    return left + right


def _echo(*args: object, **kwargs: object) -> tuple[tuple[object, ...], dict[str, object]]:
    return args, kwargs


def _fail(message: str) -> None:
    raise Trouble(message)


def _where() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _nap(seconds: float, value: object) -> object:
    time.sleep(seconds)
    return value


def _stop() -> None:
    raise StopIteration("not the end of anything")


class OrchestratorContract(ComponentContract):
    """What every orchestrator does.

    Fixture to give:
        orchestrator: one that is ready to run calls. Close it afterwards. Functions of this module must be
            importable where it runs them.
    """

    @pytest.fixture
    def orchestrator(self) -> Iterator[Orchestrator]:
        """Yield an orchestrator."""
        pytest.fail("Give a fixture `orchestrator` that yields one.")

    @pytest.fixture
    def component(self, orchestrator: Orchestrator) -> Orchestrator:
        """Let the tests of every component look at the orchestrator."""
        return orchestrator

    def test_submit_returns_a_future_with_the_result(self, orchestrator: Orchestrator) -> None:
        future = orchestrator.submit(_add, 2, 3)
        assert isinstance(future, Future)
        assert future.result(PATIENCE) == 5

    def test_a_finished_future_is_done_and_not_cancelled(self, orchestrator: Orchestrator) -> None:
        future = orchestrator.submit(_add, 2, 3)
        future.result(PATIENCE)
        assert future.done()
        assert not future.cancelled()
        assert not future.cancel()

    def test_arguments_of_any_name_arrive(self, orchestrator: Orchestrator) -> None:
        options = {"self": 1, "fn": 2, "args": 3, "function": 4}
        assert orchestrator.submit(_echo, 0, None, **options).result(PATIENCE) == ((0, None), options)

    def test_none_is_a_result(self, orchestrator: Orchestrator) -> None:
        assert orchestrator.submit(_nap, 0, None).result(PATIENCE) is None

    def test_large_arguments_and_results_arrive(self, orchestrator: Orchestrator) -> None:
        content = os.urandom(2 << 20)
        assert orchestrator.submit(_nap, 0, content).result(PATIENCE) == content

    def test_an_exception_goes_into_the_future_and_not_to_the_caller(
        self, orchestrator: Orchestrator
    ) -> None:
        future = orchestrator.submit(_fail, "what the user wrote")
        error = future.exception(PATIENCE)
        assert type(error) is Trouble
        assert error.args == ("what the user wrote",)

    def test_asking_for_the_result_of_a_failed_call_raises_what_it_raised(
        self, orchestrator: Orchestrator
    ) -> None:
        with pytest.raises(Trouble, match="boom"):
            orchestrator.submit(_fail, "boom").result(PATIENCE)

    def test_an_exception_has_a_traceback_or_a_cause_that_shows_where(
        self, orchestrator: Orchestrator
    ) -> None:
        error = orchestrator.submit(_fail, "boom").exception(PATIENCE)
        assert error is not None
        assert error.__traceback__ is not None or error.__cause__ is not None

    def test_stop_iteration_is_an_exception_like_any_other(self, orchestrator: Orchestrator) -> None:
        assert isinstance(orchestrator.submit(_stop).exception(PATIENCE), StopIteration)

    def test_a_failed_call_harms_no_other(self, orchestrator: Orchestrator) -> None:
        failed = orchestrator.submit(_fail, "boom")
        assert orchestrator.submit(_add, 1, 1).result(PATIENCE) == 2
        assert failed.exception(PATIENCE) is not None

    def test_many_calls_all_end_with_their_own_results(self, orchestrator: Orchestrator) -> None:
        futures = [orchestrator.submit(_add, number, number) for number in range(100)]
        assert [future.result(PATIENCE) for future in futures] == [2 * number for number in range(100)]

    def test_futures_work_with_wait_and_as_completed(self, orchestrator: Orchestrator) -> None:
        futures = [orchestrator.submit(_nap, 0.01, number) for number in range(4)]
        assert wait(futures, PATIENCE).not_done == set()
        assert sorted(str(future.result()) for future in as_completed(futures)) == ["0", "1", "2", "3"]

    def test_callbacks_are_called_with_the_future(self, orchestrator: Orchestrator) -> None:
        called: SimpleQueue[Future[int]] = SimpleQueue()
        future = orchestrator.submit(_add, 1, 2)
        future.add_done_callback(called.put)
        assert called.get(timeout=PATIENCE) is future
        assert future.result() == 3

    def test_several_threads_may_submit_at_once(self, orchestrator: Orchestrator) -> None:
        with ThreadPoolExecutor(4) as pool:
            futures = list(pool.map(lambda number: orchestrator.submit(_add, number, 1), range(40)))
        assert [future.result(PATIENCE) for future in futures] == list(range(1, 41))

    def test_it_runs_where_it_says(self, orchestrator: Orchestrator) -> None:
        process, thread = orchestrator.submit(_where).result(PATIENCE)
        if orchestrator.reach is Reach.PROCESS:
            assert process == os.getpid()
        if orchestrator.in_kernel:
            assert thread == threading.get_ident()

    def test_in_the_kernel_the_future_is_finished_when_submit_returns(
        self, orchestrator: Orchestrator
    ) -> None:
        future = orchestrator.submit(_nap, 0.01, "value")
        assert future.done() or not orchestrator.in_kernel
        assert future.result(PATIENCE) == "value"

    def test_closing_finishes_what_was_submitted(self, orchestrator: Orchestrator) -> None:
        future = orchestrator.submit(_nap, 0.05, "value")
        orchestrator.close()
        assert future.result(PATIENCE) == "value"

    def test_closing_twice_is_fine(self, orchestrator: Orchestrator) -> None:
        orchestrator.submit(_add, 1, 1).result(PATIENCE)
        orchestrator.close()
        orchestrator.close()
