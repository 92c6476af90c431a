"""Noting the calls that executors make changes nothing for those who use them, and leaves nothing behind."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from zennb.compat.later_calls import loop_calls, note_calls, pool_calls


class Thing:
    def fail(self) -> None:
        message = "no"
        raise KeyError(message)


@pytest.fixture(autouse=True)
def _noting() -> None:
    for _ in range(3):
        note_calls()


def test_a_call_is_known_while_a_thread_makes_it() -> None:
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(60)

    with ThreadPoolExecutor(1) as pool:
        running, waiting = pool.submit(work), pool.submit(abs, -1)
        assert begun.wait(60)
        called = [parts[0] for parts in pool_calls().values()]
        assert work in called
        assert abs in called
        go.set()
        assert (running.result(), waiting.result()) == (None, 1)
    assert work not in [parts[0] for parts in pool_calls().values() if parts]


def test_a_call_that_fails_fails_as_ever_and_keeps_nothing() -> None:
    thing = Thing()
    kept = weakref.ref(thing)
    with ThreadPoolExecutor(1) as pool:
        failure = pool.submit(thing.fail).exception()
    assert isinstance(failure, KeyError)
    traceback = failure.__traceback__
    files = []
    while traceback is not None:
        files.append(traceback.tb_frame.f_code.co_filename)
        traceback = traceback.tb_next
    assert not [each for each in files if "zennb/" in each.replace("\\", "/") and "tests" not in each]
    del failure, thing, traceback
    gc.collect()
    assert kept() is None


def test_nobody_looks_at_what_other_threads_are_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        pytest.fail("frames of other threads that run crash Python 3.11")

    monkeypatch.setattr(sys, "_current_frames", refuse)
    assert isinstance(pool_calls() | loop_calls(), dict)
