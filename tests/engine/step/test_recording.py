"""What a step showed, kept in order."""

from __future__ import annotations

import json
import sys
import threading
import tracemalloc
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.engine.step.recording import LARGEST, Recording
from zennb.engine.step.streams import redirected
from zennb.errors import DamagedArtifact, NotStorable


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


def test_a_bomb_is_not_unpacked() -> None:
    """3 GB of one character, as 3 MB: what was unpacked before it is refused is counted, and it is not much."""
    packer, parts = zlib.compressobj(9), list[bytes]()
    for _ in range(3_000):
        parts.append(packer.compress(b" " * 1_000_000))
    bomb = b"".join([*parts, packer.flush()])
    tracemalloc.start()
    try:
        with pytest.raises(DamagedArtifact, match=f"holds more than {LARGEST // 1_000_000} MB"):
            Recording.load(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * LARGEST


def test_an_output_of_a_few_bytes_that_makes_millions_of_objects_is_refused() -> None:
    with pytest.raises(DamagedArtifact, match="of memory"):
        Recording.load(zlib.compress(b"[" + b"[]," * 10_000_000 + b"[]]"))


def test_output_that_would_not_be_read_again_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zennb.engine.step.recording.LARGEST", 1_000_000)
    recording = Recording()
    recording.stream("stdout", "x" * 1_000_000)
    with pytest.raises(NotStorable, match="it shows more than 1 MB of output"):
        recording.dump()


WRONG: dict[str, Any] = {
    "no list": {"kind": "clear", "wait": True},
    "no object": [1],
    "no kind": [{}],
    "an unknown kind": [{"kind": "surprise"}],
    "a kind that is a list": [{"kind": []}],
    "a stream without text": [{"kind": "stream", "name": "stdout"}],
    "a stream of numbers": [{"kind": "stream", "name": "stdout", "text": 3}],
    "a display without data": [{"kind": "display", "metadata": {}, "id": "", "update": False}],
    "a display of a list": [{"kind": "display", "data": [], "metadata": {}, "id": "", "update": False}],
    "a name that is a list": [{"kind": "display", "data": {}, "metadata": {}, "id": [], "update": False}],
    "a text that is a number": [{"kind": "result", "data": {"text/plain": 3}, "metadata": {}}],
    "a text of numbers": [{"kind": "result", "data": {"text/plain": ["a", 3]}, "metadata": {}}],
    "no metadata": [{"kind": "result", "data": {}, "metadata": None}],
}


@pytest.mark.parametrize("events", WRONG.values(), ids=WRONG)
def test_output_of_another_shape_is_damaged(events: Any) -> None:
    """Views and frontends would raise whatever they trip over, in the middle of a reuse."""
    with pytest.raises(DamagedArtifact, match="the stored output of a step cannot be read"):
        Recording.load(zlib.compress(json.dumps(events).encode()))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(JSON)
def test_whatever_json_is_stored_gives_events_or_one_error(events: Any) -> None:
    with suppress(DamagedArtifact):
        for event in Recording.load(zlib.compress(json.dumps(events).encode())):
            assert event["kind"] in {"stream", "display", "result", "clear"}
