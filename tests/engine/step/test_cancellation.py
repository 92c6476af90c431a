"""Steps are stopped from outside: by a time limit, and by an interrupt, in any thread."""

from __future__ import annotations

import threading
import time

import pytest

from zennb.engine.step.cancellation import CancellationToken, time_limit
from zennb.errors import StepTimeout


def busy() -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        pass


def test_a_limit_ends_waiting_in_the_main_thread() -> None:
    with pytest.raises(StepTimeout, match="--timeout"), time_limit(0.05):
        time.sleep(30)


def test_a_limit_ends_work_in_another_thread() -> None:
    caught: list[BaseException] = []

    def work() -> None:
        try:
            with time_limit(0.05):
                busy()
        except StepTimeout as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [StepTimeout]


def test_work_within_its_limit_is_left_alone() -> None:
    with time_limit(60):
        value = sum(range(10))
    with time_limit(None):
        value += 1
    assert value == 46


def test_a_ticket_stops_the_thread_that_holds_it() -> None:
    token, began, caught = CancellationToken(), threading.Event(), []

    def work() -> None:
        try:
            with token.held():
                began.set()
                busy()
        except KeyboardInterrupt:
            caught.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    token.stop()
    thread.join()
    assert caught == ["stopped"]


def test_a_ticket_stopped_before_it_is_held_never_begins() -> None:
    token = CancellationToken()
    token.stop()
    with pytest.raises(KeyboardInterrupt), token.held():
        pytest.fail("it began")
