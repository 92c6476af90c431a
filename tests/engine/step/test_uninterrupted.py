"""Acts that no interrupt cuts in half: it is delivered when they are over, as it would have been."""

# ruff: noqa: PT012 - what comes after the interrupt, and what does not, is what these tests are about

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from zennb.engine.step import uninterrupted as module
from zennb.engine.step.uninterrupted import interruptible, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """Each test ends with the handler that it began with."""
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_comes_after_the_block() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        interrupt()
        done.append(1)
    assert done == [1]


def test_an_interrupt_between_two_acts_is_not_held_back() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        with uninterrupted():
            done.append(1)
        interrupt()
        done.append(2)
    assert done == [1]


def test_blocks_in_blocks_are_one() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            interrupt()
        done.append(1)
    assert done == [1]


def test_after_the_end_of_a_cell_an_interrupt_is_dropped_and_told() -> None:
    with uninterrupted(deliver=False) as act:
        interrupt()
    assert act.came
    with uninterrupted(deliver=False) as act:
        pass
    assert not act.came


def test_users_code_in_an_act_can_be_interrupted_and_the_rest_of_it_cannot() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        try:
            with interruptible():
                interrupt()
                done.append("never")
        finally:
            interrupt()
            done.append("taken back")
    assert done == ["taken back"]


def test_an_interrupt_from_before_users_code_keeps_it_from_running() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        interrupt()
        with interruptible():
            done.append("never")
    assert done == []


def test_users_code_that_starts_an_act_of_its_own_is_no_exception() -> None:
    done: list[int] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted(), interruptible():
        with uninterrupted():
            interrupt()
            done.append(1)
        done.append(2)
    assert done == [1]


def test_outside_an_act_interruptible_changes_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt()


def test_a_handler_of_the_kernel_is_called_instead() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: calls.append(number))
    try:
        with uninterrupted():
            interrupt()
            assert calls == []
        assert calls == [signal.SIGINT]
        with uninterrupted():
            interrupt()
            with interruptible():
                assert len(calls) == 2
        assert len(calls) == 2
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_act_that_takes_too_long_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST", 0.0)
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        time.sleep(0.001)
        interrupt()
        pytest.fail("it went on")


def test_other_threads_are_not_concerned() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with uninterrupted(), interruptible():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
