"""What threads write to stdout and stderr goes to the recording of each, and all else where it always went."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
import weakref

import pytest

from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected, with_write


def connected(monkeypatch: pytest.MonkeyPatch) -> tuple[io.StringIO, io.StringIO]:
    """Put a console in place; in the test itself, since pytest puts its own in place after the fixtures."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    return out, err


def test_both_streams_go_to_the_recording_until_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    console = connected(monkeypatch)
    recording = Recording()
    print("before")
    with redirected(recording):
        print("out")
        print("err", file=sys.stderr)
    print("after")
    assert (recording.text(), recording.text("stderr")) == ("out\n", "err\n")
    assert console[0].getvalue() == "before\nafter\n"
    assert (sys.stdout, sys.stderr) == console


def test_the_streams_come_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    console = connected(monkeypatch)
    with pytest.raises(ValueError, match="x"), redirected(Recording()):
        raise ValueError("x")
    assert (sys.stdout, sys.stderr) == console


def test_a_block_inside_another_gives_back_to_the_outer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    console = connected(monkeypatch)
    outer, inner = Recording(), Recording()
    with redirected(outer):
        print(1)
        with redirected(inner):
            print(2)
        print(3)
    assert (outer.text(), inner.text(), console[0].getvalue()) == ("1\n3\n", "2\n", "")


def test_the_end_of_a_block_flushes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel's stream waits for another thread then, and where one is collected, interrupts are ignored."""
    flushed: list[io.StringIO] = []
    for console in connected(monkeypatch):
        monkeypatch.setattr(console, "flush", lambda console=console: flushed.append(console))
    with redirected(Recording()):
        print("out", flush=True)
    gc.collect()
    assert flushed == [sys.stdout]


def test_threads_side_by_side_stay_apart_and_others_reach_the_console(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = connected(monkeypatch)
    recordings = [Recording(), Recording()]
    both, written = threading.Barrier(3), threading.Barrier(3)

    def work(number: int) -> None:
        with redirected(recordings[number]):
            both.wait()
            print(f"thread {number}")
            written.wait()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    both.wait()
    print("main")
    written.wait()
    for thread in threads:
        thread.join()
    assert [recording.text() for recording in recordings] == ["thread 0\n", "thread 1\n"]
    assert console[0].getvalue() == "main\n"
    assert (sys.stdout, sys.stderr) == console


def test_the_first_thread_to_end_leaves_the_other_its_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    console = connected(monkeypatch)
    recording = Recording()
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with redirected(recording):
            begun.set()
            ended.wait()
            print("still mine")

    thread = threading.Thread(target=work)
    with redirected(Recording()):
        thread.start()
        begun.wait()
    ended.set()
    thread.join()
    assert recording.text() == "still mine\n"
    assert (sys.stdout, sys.stderr) == console


def test_a_stream_that_somebody_replaced_meanwhile_is_left_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    console = connected(monkeypatch)
    own = io.StringIO()
    with redirected(Recording()):
        sys.stdout = own
    assert sys.stdout is own
    assert sys.stderr is console[1]


def test_what_stands_in_for_a_stream_behaves_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    connected(monkeypatch)
    with redirected(Recording()):
        assert sys.stdout.write("four") == 4
        assert sys.stdout.writable()
        assert not sys.stdout.isatty()
        assert sys.stdout.encoding == "utf-8"
        sys.stdout.flush()
        assert sys.stdout.getvalue() == ""  # type: ignore[union-attr]  # the console's own


def test_output_of_other_threads_goes_to_the_console_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    with redirected(Recording()):
        pass
    out, _ = connected(monkeypatch)
    other = threading.Thread(target=print, args=("elsewhere",))
    with redirected(Recording()):
        other.start()
        other.join()
    assert out.getvalue() == "elsewhere\n"


STEP_ENDS_WHILE_ANOTHER_THREAD_PRINTS = """
import threading
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected

begun, printing, over = threading.Event(), threading.Event(), threading.Event()

def step():
    with redirected(Recording()):
        begun.set()
        printing.wait()
    over.set()

class Slow:
    def __str__(self):
        printing.set()
        over.wait()
        return "slow"

threading.Thread(target=step).start()
begun.wait()
print(Slow(), "and", "after")
"""


def test_a_thread_that_prints_while_a_step_ends_writes_to_a_stream_that_lives() -> None:
    """`print` of Python 3.13 and before holds no reference to `sys.stdout`."""
    command = [sys.executable, "-c", STEP_ENDS_WHILE_ANOTHER_THREAD_PRINTS]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "slow and after\n"), run.stderr


def test_a_stream_of_python_is_split_by_one_object_and_what_was_put_in_place_last_lives_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected(monkeypatch)
    splits = []
    for _ in range(2):
        with redirected(Recording()):
            splits.append(sys.stdout)
    assert splits[0] is splits[1]
    # A stream that somebody keeps and puts in place again does not write to itself.
    monkeypatch.setattr(sys, "stdout", splits[0])
    recording = Recording()
    with redirected(recording):
        print("inside")
    print("outside")
    assert recording.text() == "inside\n"
    # One that is written in C cannot be changed, and is replaced.
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    end = with_write("stdout", len)
    living = weakref.ref(sys.stdout)
    end()
    gc.collect()
    assert living() is not None
