from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.orchestrators import processes
from zennb.components.orchestrators.processes import ProcessesOrchestrator
from zennb.engine.remote import portable_error
from zennb.engine.remote.large_messages import SentOutcome, StoredRequest
from zennb.errors import WorkerLost
from zennb.testing.orchestrator import OrchestratorContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from zennb.components.component import ArtifactStore
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import StepRequest
    from zennb.testing.steps import Bench

PATIENCE = 60.0
STUCK = "import re\nre.match('(a*)*b', 'a' * 60)"
"""Code that is in C for hours: no interrupt reaches it."""


@pytest.fixture
def orchestrator() -> Iterator[ProcessesOrchestrator]:
    made = ProcessesOrchestrator.from_config("test", {"workers": "2", "grace": "0.3"})
    yield made
    made.close()


class TestProcessesOrchestrator(OrchestratorContract):
    @pytest.fixture
    def orchestrator(self) -> Iterator[ProcessesOrchestrator]:
        made = ProcessesOrchestrator.from_config("test", {"workers": "2"})
        yield made
        made.close()

    @pytest.mark.parametrize("is_direct", [True, False])
    def test_only_what_passes_through_a_scheduler_goes_through_the_store_when_it_is_large(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, *, is_direct: bool
    ) -> None:
        ways: list[bool] = []
        send, opened = StoredRequest.of, SentOutcome.opened

        def sent(request: StepRequest) -> StoredRequest | None:
            found = send(request)
            ways.append(found is None)
            return found

        def returned(outcome: SentOutcome, store: ArtifactStore) -> StepOutcome:
            ways.append(not outcome.digest)
            return opened(outcome, store)

        monkeypatch.setattr(StoredRequest, "of", sent)
        monkeypatch.setattr(SentOutcome, "opened", returned)
        monkeypatch.setattr(ProcessesOrchestrator, "is_direct", is_direct)
        bench.cell(
            "class Table:\n    rows = bytes(3_000_000)\n    def size(self):\n        return len(self.rows)"
        )
        done = bench.step(
            "import random\nsize = Table().size()\nfor number in range(2):\n"
            "    open(f'{number}.bin', 'wb').write(random.Random(number).randbytes(900_000))"
        )
        assert done.values["size"] == 3_000_000
        assert ways == [is_direct, is_direct]

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("import os\nos._exit(3)", "was ended by the code of the step (exit code 3)"),
            ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "was killed (SIGKILL)"),
            ("import faulthandler\nfaulthandler._sigsegv()", "crashed (SIGSEGV)"),
        ],
    )
    def test_a_step_that_ends_its_process_fails_with_one_sentence_and_the_next_one_runs(
        self, bench: Bench, code: str, why: str
    ) -> None:
        done = bench.step(code)
        assert isinstance(done.error, WorkerLost)
        assert why in str(done.error)
        assert done.step.status == "failed"
        assert bench.step("answer = 42").values == {"answer": 42}

    def test_an_error_is_rebuilt_once(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        rebuilt: list[str] = []
        together = portable_error._together

        def noted(parts: Any, scope: Any) -> BaseException:
            rebuilt.append(parts.message)
            return together(parts, scope)

        monkeypatch.setattr(portable_error, "_together", noted)
        done = bench.step(
            "import threading\nclass Odd(Exception):\n    lock = threading.Lock()\nraise Odd('3')"
        )
        assert type(done.error).__name__ == "Odd"
        assert rebuilt == ["3"]

    @pytest.mark.parametrize("base", ["Exception", "BaseException"])
    def test_an_error_that_cannot_be_pickled_is_the_users_own(self, bench: Bench, base: str) -> None:
        bench.cell(
            f"class Own({base}):\n    def __init__(self, a, b):\n        super().__init__(f'{{a}} and {{b}}')\n"
            "class Value:\n    def __setstate__(self, state):\n        raise Own(1, 2)\n"
            "    def __getstate__(self):\n        return {'a': 1}\nvalue = Value()"
        )
        for code, line in [("x = 1\nraise Own(1, 2)", 2), ("x = value", 6)][
            : 2 if base == "Exception" else 1
        ]:
            error = bench.step(code).error
            assert error is not None
            assert type(error) is bench.namespace["Own"]
            assert str(error) == "1 and 2"
            assert traceback.extract_tb(error.__traceback__)[-1].lineno == line

    def test_a_step_that_sets_up_logging_is_refused_each_time(self, bench: Bench) -> None:
        for _ in range(2):
            done = bench.step("import logging\nlogging.warning('low')")
            assert "it sets up logging, and that stays there. `logging.getLogger" in str(done.error)
        assert bench.step("import logging\nlogging.getLogger('own').warning('low')").error is None

    def test_a_time_limit_ends_a_step_that_no_interrupt_reaches(self, bench: Bench) -> None:
        done = bench.step(STUCK, timeout=0.3)
        assert type(done.error).__name__ == "StepTimeout"
        assert bench.step("answer = 42").values == {"answer": 42}

    def test_an_interrupt_ends_a_step_that_no_interrupt_reaches(self, bench: Bench) -> None:
        assert bench.interrupted(f"print('begun', flush=True)\n{STUCK}", after="begun") < PATIENCE / 2
        assert bench.step("answer = 42").values == {"answer": 42}


def _work(folder: Path, name: str, other: str) -> int:
    (folder / name).touch()
    while not (folder / other).exists():
        time.sleep(0.01)
    return os.getpid()


def _die(folder: Path) -> None:
    _work(folder, "dying", "working")
    os.kill(os.getpid(), signal.SIGKILL)


def _finish(folder: Path) -> int:
    _work(folder, "working", "dying")
    while not (folder / "dead").exists():
        time.sleep(0.01)
    return 42


def test_a_worker_that_dies_takes_no_other_call_with_it(
    orchestrator: ProcessesOrchestrator, tmp_path: Path
) -> None:
    other, dying = orchestrator.submit(_finish, tmp_path), orchestrator.submit(_die, tmp_path)
    assert isinstance(dying.exception(PATIENCE), WorkerLost)
    (tmp_path / "dead").touch()
    assert other.result(PATIENCE) == 42


def test_as_many_calls_run_at_once_as_there_are_workers(
    orchestrator: ProcessesOrchestrator, tmp_path: Path
) -> None:
    one, two = (
        orchestrator.submit(_work, tmp_path, "a", "b"),
        orchestrator.submit(_work, tmp_path, "b", "a"),
    )
    assert len({one.result(PATIENCE), two.result(PATIENCE), os.getpid()}) == 3


def test_a_call_that_waits_for_a_worker_can_be_cancelled(
    orchestrator: ProcessesOrchestrator, tmp_path: Path
) -> None:
    busy = [orchestrator.submit(_work, tmp_path, f"{number}", "end") for number in range(2)]
    waiting = orchestrator.submit(os.getpid)
    assert waiting.cancel()
    (tmp_path / "end").touch()
    assert all(each.result(PATIENCE) for each in busy)


def test_a_cancelled_call_that_ends_in_time_keeps_its_worker(
    orchestrator: ProcessesOrchestrator, tmp_path: Path
) -> None:
    orchestrator.grace = 30.0
    call = orchestrator.submit(_work, tmp_path, "begun", "end")
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    assert not call.cancel()
    (tmp_path / "end").touch()
    worker = call.result(PATIENCE)
    assert orchestrator.submit(os.getpid).result(PATIENCE) == worker


def test_a_call_whose_time_is_over_before_it_has_a_worker_does_not_begin(
    orchestrator: ProcessesOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Timer:
        """Expires at once."""

        def __init__(self, _seconds: float, act: Callable[[], None]) -> None:
            self.start = act

    def started(call: Future[Any]) -> bool:
        has_begun = Future.set_running_or_notify_cancel(call)
        call.cancel()
        return has_begun

    monkeypatch.setattr(threading, "Timer", Timer)
    monkeypatch.setattr(processes._KillableFuture, "set_running_or_notify_cancel", started)
    call = orchestrator.submit((tmp_path / "begun").touch)
    assert isinstance(call.exception(PATIENCE), KeyboardInterrupt)
    assert not (tmp_path / "begun").exists()
    monkeypatch.undo()
    assert orchestrator.submit(os.getpid).result(PATIENCE) != os.getpid()


def test_idle_workers_end_and_others_come_when_they_are_needed() -> None:
    made = ProcessesOrchestrator.from_config("test", {"workers": "1", "idle": "1"})
    first = made.submit(os.getpid).result(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while _is_alive(first) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(first)
    assert made.submit(os.getpid).result(PATIENCE) != first
    made.close()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_was_killed_while_it_was_idle_costs_no_call() -> None:
    made = ProcessesOrchestrator.from_config("test", {"workers": "1"})
    idle = made.submit(os.getpid).result(PATIENCE)
    os.kill(idle, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while _is_alive(idle) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # until loky has seen it
    assert made.submit(os.getpid).result(PATIENCE) != idle
    made.close()


def test_no_threads_are_left_after_close(orchestrator: ProcessesOrchestrator) -> None:
    orchestrator.submit(int).result(PATIENCE)
    orchestrator.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zennb-test")]


def test_the_class_is_imported_only_when_it_is_used(python: Callable[..., object]) -> None:
    python(
        """
        import sys
        import zennb
        from zennb import plugins
        plugins.flavors("orchestrator")
        assert "loky" not in sys.modules
        """
    )
