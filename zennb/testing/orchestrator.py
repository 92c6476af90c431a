"""Owns the contract of orchestrators, as tests: inherit `OrchestratorContract` and define its fixture."""

from __future__ import annotations

import decimal
import os
import threading
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.component import Orchestrator, Visibility
from zennb.engine.step.running import listen, live_metrics
from zennb.testing.component import ComponentContract
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["OrchestratorContract", "Trouble"]

PATIENCE = 60.0
"""Seconds after which a missing result is a failure; of many calls, seconds without another result."""


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


def _results(futures: list[Future[Any]]) -> list[Any]:
    """Return the results of many calls. How long all of them take depends on the engine and the machine."""
    waiting = set(futures)
    while waiting:
        ended, waiting = wait(waiting, PATIENCE, return_when=FIRST_COMPLETED)
        assert ended, f"{len(waiting)} of {len(futures)} calls have no result"
    return [future.result(0) for future in futures]


def _stop() -> None:
    raise StopIteration("not the end of anything")


class OrchestratorContract(ComponentContract):
    """The contract of every orchestrator.

    Fixture to define:
        orchestrator: one that is ready to run calls. Close it afterwards. It must be able to import the functions of
            this module where it runs them.
    """

    @pytest.fixture
    def orchestrator(self) -> Iterator[Orchestrator]:
        """Yield an orchestrator."""
        pytest.fail("Give a fixture `orchestrator` that yields one.")

    @pytest.fixture
    def component(self, orchestrator: Orchestrator) -> Orchestrator:
        """Apply the tests of every component to the orchestrator."""
        return orchestrator

    @pytest.fixture
    def bench(
        self, orchestrator: Orchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Bench]:
        """Yield a bench that runs real steps on the orchestrator, with a home of its own."""
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        monkeypatch.delenv("ZENNB_STACK", raising=False)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        bench = Bench(orchestrator, tmp_path / "home")
        yield bench
        bench.close()

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
        assert _results(futures) == [2 * number for number in range(100)]

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
        assert _results(futures) == list(range(1, 41))

    def test_it_runs_where_it_says(self, orchestrator: Orchestrator) -> None:
        process, thread = orchestrator.submit(_where).result(PATIENCE)
        if orchestrator.visibility is Visibility.PROCESS:
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

    # Real steps

    def test_a_step_reads_the_notebooks_data_and_its_results_are_stored(self, bench: Bench) -> None:
        bench.cell("rows = [1, 2, 3]\nscale = 2.5")
        done = bench.step("total = sum(rows) * scale\ndoubled = [2 * row for row in rows]")
        assert done.error is None
        assert done.step.status == "completed"
        assert done.values == {"total": 15.0, "doubled": [2, 4, 6]}
        assert sorted(done.step.inputs) == ["rows", "scale"]

    def test_a_step_that_ran_is_reused(self, bench: Bench) -> None:
        bench.cell("rows = [1, 2, 3]")
        bench.step("total = sum(rows)")
        again = bench.step("total = sum(rows)")
        assert (again.step.status, again.values) == ("cached", {"total": 6})

    def test_functions_of_the_notebook_go_along_with_what_they_call(self, bench: Bench) -> None:
        bench.cell("rate = 3\ndef inner(v):\n    return v * rate\ndef outer(v):\n    return inner(v) + 1")
        assert bench.step("answer = outer(5)").values == {"answer": 16}
        bench.cell("def inner(v):\n    return v * rate * 10")
        changed = bench.step("answer = outer(5)")
        assert (changed.step.status, changed.values) == ("completed", {"answer": 151})

    def test_classes_of_the_notebook_go_along_and_their_instances_come_back(self, bench: Bench) -> None:
        bench.cell(
            "class Point:\n    def __init__(self, x):\n        self.x = x\n    def twice(self):\n"
            "        return Point(2 * self.x)\nstart = Point(4)"
        )
        done = bench.step("end = start.twice()")
        assert done.error is None
        assert type(done.values["end"]) is bench.namespace["Point"]
        assert done.values["end"].x == 8

    def test_a_local_module_goes_along_as_it_is_in_the_notebook(self, bench: Bench, tmp_path: Path) -> None:
        name = f"local_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text("RATE = 2\ndef grow(v):\n    return v * RATE\n")
        bench.cell(f"import {name} as mine")
        assert bench.step("grown = mine.grow(5)").values == {"grown": 10}
        bench.cell("mine.RATE = 7")
        assert bench.step("grown = mine.grow(5)").values == {"grown": 35}

    def test_what_a_step_shows_comes_in_order(self, bench: Bench) -> None:
        done = bench.step(
            "import sys\nfrom IPython.display import HTML, display\nprint('first')\ndisplay(HTML('<b>second</b>'))\n"
            "print('third', file=sys.stderr)\nprint('fourth')\n'fifth'"
        )
        assert done.error is None
        shown = [
            event.get("text") or event["data"].get("text/html") or event["data"]["text/plain"]
            for event in done.shown
        ]
        assert shown == ["first\n", "<b>second</b>", "third\n", "fourth\n", "'fifth'"]

    def test_what_a_step_logs_arrives_while_it_runs(self, bench: Bench, tmp_path: Path) -> None:
        seen = tmp_path / "seen"

        def look() -> None:
            loss = live_metrics().get("step", {}).get("loss")
            if loss is not None and loss.last == 0.01:
                seen.touch()

        stop = listen(look)
        try:
            done = bench.step(
                "import time, zennb\nfrom pathlib import Path\n"
                "for number in range(100):\n    zennb.log(loss=1 / (number + 1), step=number)\n"
                f"end = time.monotonic() + {PATIENCE / 2}\n"
                "while not Path('seen').exists() and time.monotonic() < end:\n    time.sleep(0.02)\n"
                "was_seen = Path('seen').exists()"
            )
        finally:
            stop()
        assert done.error is None
        assert done.values["was_seen"]
        assert done.step.metrics["loss"].count == 100
        assert live_metrics() == {}

    def test_an_error_is_the_users_own_with_the_line_of_the_cell(self, bench: Bench) -> None:
        bench.cell(
            "class Odd(ValueError):\n    pass\ndef check(v):\n    if v % 2:\n        raise Odd(f'{v} is odd')"
        )
        done = bench.step("value = 3\n\ncheck(value)")
        assert type(done.error) is bench.namespace["Odd"]
        assert done.error is not None
        assert str(done.error) == "3 is odd"
        assert done.step.status == "failed"
        assert done.step.failure is not None
        lines = [(frame.name, frame.lineno) for frame in traceback.extract_tb(done.error.__traceback__)]
        assert lines == [("<module>", 3), ("check", 5)]
        assert not done.step.outputs

    def test_a_step_that_is_stopped_ends_at_once(self, bench: Bench) -> None:
        seconds = bench.interrupted(
            "import time\nprint('begun', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)",
            after="begun",
        )
        assert seconds < PATIENCE / 2
        assert bench.step("answer = 42").values == {"answer": 42}

    def test_a_time_limit_ends_a_step(self, bench: Bench) -> None:
        done = bench.step("import time\nfor _ in range(600):\n    time.sleep(0.1)", timeout=0.3)
        assert type(done.error).__name__ == "StepTimeout"

    def test_settings_of_the_notebook_hold_and_what_a_step_sets_comes_back(self, bench: Bench) -> None:
        bench.cell("import decimal\nfrom decimal import Decimal\ndecimal.getcontext().prec = 5")
        try:
            done = bench.step("third = str(Decimal(1) / 3)\ndecimal.getcontext().prec = 7")
            assert done.values == {"third": "0.33333"}
            assert decimal.getcontext().prec == 7
        finally:
            decimal.setcontext(decimal.Context())

    def test_drawing_from_a_generator_that_nobody_seeded_is_no_reason_to_run_again(
        self, bench: Bench
    ) -> None:
        numpy: Any = pytest.importorskip("numpy.random")
        generator = numpy.get_bit_generator()
        numpy.set_bit_generator(numpy.MT19937())
        try:
            for status in ("completed", "cached"):
                done = bench.step("import numpy as np\nx = np.random.rand()")
                assert (done.step.status, done.step.reason) == (status, done.step.reason)
        finally:
            numpy.set_bit_generator(generator)

    def test_files_that_a_step_reads_count(self, bench: Bench, tmp_path: Path) -> None:
        (tmp_path / "data.txt").write_text("1 2 3")
        text = "from pathlib import Path\ntotal = sum(map(int, Path('data.txt').read_text().split()))"
        assert bench.step(text).values == {"total": 6}
        assert bench.step(text).step.status == "cached"
        (tmp_path / "data.txt").write_text("1 2 30")
        changed = bench.step(text)
        assert (changed.step.status, changed.values) == ("completed", {"total": 33})
        assert "data.txt changed" in changed.step.reason

    def test_what_a_step_does_to_its_input_stays_with_its_output(self, bench: Bench) -> None:
        bench.cell("rows = [1]")
        done = bench.step("rows.append(2)")
        assert done.values == {"rows": [1, 2]}
        assert bench.namespace["rows"] == [1]
