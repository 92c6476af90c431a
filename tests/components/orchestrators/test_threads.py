from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from zennb.components.orchestrators.threads import ThreadsOrchestrator
from zennb.errors import InvalidConfiguration
from zennb.testing.orchestrator import OrchestratorContract

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator


class TestThreadsOrchestrator(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self) -> Iterator[ThreadsOrchestrator]:
        made = ThreadsOrchestrator.from_config("test", {"workers": "3"})
        yield made
        made.close()


@pytest.fixture
def threads() -> Iterator[ThreadsOrchestrator]:
    made = ThreadsOrchestrator.from_config("test", {"workers": "3"})
    yield made
    made.close()


def test_as_many_calls_run_at_once_as_there_are_workers(threads: ThreadsOrchestrator) -> None:
    meeting = threading.Barrier(3, timeout=60)
    futures = [threads.submit(meeting.wait) for _ in range(3)]
    assert sorted(future.result(60) for future in futures) == [0, 1, 2]


def test_no_more_calls_run_at_once_than_there_are_workers(threads: ThreadsOrchestrator) -> None:
    ran = [threads.submit(threading.get_ident).result(60) for _ in range(20)]
    assert len(set(ran)) <= 3


def test_it_starts_again_after_close(threads: ThreadsOrchestrator) -> None:
    threads.submit(int).result(60)
    threads.close()
    assert threads.submit(int, "3").result(60) == 3


def test_no_threads_are_left_after_close(threads: ThreadsOrchestrator) -> None:
    threads.submit(int).result(60)
    threads.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zennb-test")]


def test_it_works_in_a_forked_child(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = python(
        """
        import os
        from zennb.components.orchestrators.threads import ThreadsOrchestrator
        threads = ThreadsOrchestrator(name="test")
        threads.submit(int).result(60)
        child = os.fork()
        if child == 0:
            os._exit(threads.submit(int, "3").result(20))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    assert done.stdout.strip() == "3"


@pytest.mark.parametrize("workers", ["0", "-1", "many", "", "2.5"])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers: str) -> None:
    with pytest.raises(InvalidConfiguration, match="workers") as caught:
        ThreadsOrchestrator.from_config("test", {"workers": workers})
    assert caught.value.option == "workers"
