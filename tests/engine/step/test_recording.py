"""What a step showed, kept in order."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected
from zennb.errors import DamagedArtifact


def test_events_come_back_in_order_and_streams_are_joined() -> None:
    heard: list[Any] = []
    recording = Recording(heard.append)
    recording.stream("stdout", "a")
    recording.stream("stdout", "b\n")
    recording.stream("stderr", "oh")
    recording.display({"text/plain": "x", "image/png": b"\x89PNG"}, {"k": 1}, display_id="7", update=True)
    recording.clear(wait=True)
    recording.result({"text/plain": "3"})
    again = Recording.load(recording.dump())
    assert list(again) == list(recording)
    assert [event["kind"] for event in again] == ["stream", "stream", "display", "clear", "result"]
    assert again.text() == "ab\n"
    assert again.text("stderr") == "oh"
    assert next(e for e in again if e["kind"] == "display")["data"]["image/png"] == "iVBORw=="
    assert len(heard) == 6


def test_a_live_widget_keeps_its_other_faces_only() -> None:
    recording = Recording()
    recording.display({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "50%"})
    (event,) = recording
    assert event["data"] == {"text/plain": "50%"}


@pytest.mark.parametrize("junk", [b"", b"junk", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_bytes_that_are_no_recording_are_damage(junk: bytes) -> None:
    with pytest.raises(DamagedArtifact):
        Recording.load(junk)


def test_threads_keep_their_output_apart(capsys: pytest.CaptureFixture[str]) -> None:
    recordings = [Recording() for _ in range(4)]
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        with redirected(recordings[number]):
            for _ in range(50):
                barrier.wait()
                print(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    print("main")
    for thread in threads:
        thread.join()
    assert [recording.text() for recording in recordings] == [f"{n}\n" * 50 for n in range(4)]
    assert capsys.readouterr().out == "main\n"


def test_the_streams_are_what_they_were_afterwards() -> None:
    out, err = sys.stdout, sys.stderr
    with redirected(Recording()):
        assert sys.stdout is not out
        with redirected(Recording()):
            pass
        assert sys.stdout is not out
    assert (sys.stdout, sys.stderr) == (out, err)
