from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, NoReturn

import pytest

from zennb.worker_thread import WorkerThread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def serial() -> Iterator[WorkerThread]:
    made = WorkerThread("test-serial")
    yield made
    made.close()


def test_a_call_returns_what_the_function_returned(serial: WorkerThread) -> None:
    assert serial.call(divmod, 7, 2) == (3, 1)
    assert serial.call(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]


def test_a_call_raises_what_the_function_raised(serial: WorkerThread) -> None:
    with pytest.raises(ZeroDivisionError):
        serial.call(divmod, 1, 0)
    assert serial.call(int, "1") == 1


def test_all_calls_run_on_one_thread_of_their_own(serial: WorkerThread) -> None:
    threads = {serial.call(threading.get_ident) for _ in range(20)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_call_within_a_call_runs_in_place(serial: WorkerThread) -> None:
    assert serial.call(lambda: serial.call(lambda: serial.call(int, "7"))) == 7


def test_calls_from_many_threads_run_one_after_another(serial: WorkerThread) -> None:
    running, most = 0, 0

    def count() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.001)
        running -= 1

    callers = [threading.Thread(target=serial.call, args=(count,)) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert (running, most) == (0, 1)


def test_an_interrupt_ends_the_waiting_and_not_the_work(serial: WorkerThread) -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(60)
        done.set()

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            serial.call(work)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not done.is_set()
    go.set()
    assert done.wait(60)
    assert serial.call(int, "1") == 1


def test_closing_finishes_what_was_started_and_ends_the_thread() -> None:
    serial = WorkerThread("test-closing")
    finished: list[int] = []

    started = threading.Event()

    def work() -> None:
        started.set()
        time.sleep(0.05)
        finished.append(1)

    caller = threading.Thread(target=serial.call, args=(work,))
    caller.start()
    assert started.wait(60)
    serial.close()
    caller.join()
    assert finished == [1]
    assert "test-closing" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_one_refuses_calls_and_may_be_closed_again() -> None:
    serial = WorkerThread("test-closed")
    serial.call(int)
    serial.close()
    serial.close()
    with pytest.raises(RuntimeError, match="test-closed is closed"):
        serial.call(int)


def test_one_that_was_never_used_has_no_thread() -> None:
    before = threading.active_count()
    WorkerThread("unused").close()
    assert threading.active_count() == before


def test_a_dropped_one_ends_its_thread() -> None:
    serial = WorkerThread("test-dropped")
    thread = serial.call(threading.current_thread)
    del serial
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def test_an_idle_worker_keeps_no_arguments_or_results_alive(serial: WorkerThread) -> None:
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    assert serial.call(lambda value: value, thing) is thing
    serial.call(int)
    del thing
    gc.collect()
    assert gone() is None


def test_a_later_call_is_made_when_it_is_due_and_waits_for_no_one(serial: WorkerThread) -> None:
    begun = time.monotonic()
    made: list[tuple[str, float]] = []
    far = serial.later(600.0, lambda: made.append(("far", 0.0)))
    assert serial.call(int, "3") == 3  # what is not due keeps nothing up
    assert made == []
    second = serial.later(0.1, lambda: made.append(("second", time.monotonic())))
    first = serial.later(0.02, lambda: made.append(("first", time.monotonic())))
    while len(made) < 2:
        time.sleep(0.005)
    assert [name for name, _ in made] == ["first", "second"]
    assert made[0][1] - begun >= 0.02
    assert made[1][1] - begun >= 0.1
    assert (first.cancel_or_result(), second.cancel_or_result()) == (None, None)  # what they returned
    assert far.cancel_or_result() is None


def test_a_later_call_that_is_taken_back_is_never_made_and_keeps_nothing_alive(serial: WorkerThread) -> None:
    class Thing:
        made = False

        def make(self) -> int:
            Thing.made = True
            return 7

    thing = Thing()
    gone = weakref.ref(thing)
    later = serial.later(0.05, thing.make)
    assert serial.call(int) == 0
    assert later.cancel_or_result() is None
    del thing
    gc.collect()
    assert gone() is None
    time.sleep(0.1)
    serial.call(int)
    assert not Thing.made


def test_taking_back_what_has_begun_waits_for_it_and_gives_what_came_of_it(serial: WorkerThread) -> None:
    begun = threading.Event()

    def work(error: bool) -> int:
        begun.set()
        time.sleep(0.05)
        if error:
            raise ValueError("no")
        return 7

    later = serial.later(0.0, work, False)
    assert begun.wait(60)
    assert later.cancel_or_result() == 7
    begun.clear()
    later = serial.later(0.0, work, True)
    assert begun.wait(60)
    with pytest.raises(ValueError, match="no"):
        later.cancel_or_result()
    assert later.cancel_or_result() is None  # told once; asking again waits for nothing


def test_a_later_call_is_not_made_after_closing() -> None:
    serial = WorkerThread("test-closing-early")
    made: list[int] = []
    serial.later(0.05, made.append, 1)
    serial.close()
    time.sleep(0.1)
    assert not made
    with pytest.raises(RuntimeError, match="test-closing-early is closed"):
        serial.later(0.0, made.append, 2)


def test_an_interrupt_while_the_thread_starts_is_raised_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    serial = WorkerThread("test-interrupted")

    def interrupted(_thread: threading.Thread) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")  # as `threading.Condition` does

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            serial.call(int)
    assert serial.call(int, "7") == 7
    serial.close()


def test_a_thread_that_cannot_start_is_no_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    serial = WorkerThread("test-no-thread")

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            serial.call(int)
    assert serial.call(int, "7") == 7
    serial.close()
