"""What a step on another machine shows goes through the relay of its orchestrator."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.remote.relayed_output import RelayedOutput, relayed
from zennb.engine.step.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Wire:
    """A relay within this process."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tell: Callable[[str], None] = lambda _: None

    @contextmanager
    def open(self, receive: Callable[[str], None]) -> Iterator[Callable[[str], None] | None]:
        self.tell = receive
        yield self.sent.append


def shown(show: Callable[[Recording], None]) -> tuple[list[Any], list[Any], int | None]:
    """Return what a step has shown, what of it was streamed, and where the rest begins."""
    wire, heard = Wire(), Recording()

    def replay(event: dict[str, Any]) -> None:
        event = dict(event)
        kind = event.pop("kind")
        if kind == "display":
            heard.display(event["data"], event["metadata"], display_id=event["id"], update=event["update"])
        elif kind == "stream":
            heard.stream(event["name"], event["text"])
        else:
            heard.clear(wait=event["wait"])

    driver = RelayedOutput(replay, lambda: None)
    with relayed(wire) as channels:
        recording = Recording(channels.output)
        show(recording)
    for message in wire.sent:
        driver.take(message)
    return list(recording), list(heard), driver.rest


def test_pieces_of_a_stream_are_collected_and_stay_in_order() -> None:
    def show(recording: Recording) -> None:
        for number in range(1000):
            recording.stream("stdout" if number % 100 else "stderr", f"{number} ")
        recording.clear(wait=True)

    every, heard, rest = shown(show)
    assert heard == every
    assert rest is None


def test_a_long_text_is_sent_in_parts() -> None:
    every, heard, rest = shown(lambda recording: recording.stream("stdout", "x" * 1_000_000))
    assert heard == every
    assert rest is None


def test_from_a_large_display_on_the_output_comes_from_the_store() -> None:
    def show(recording: Recording) -> None:
        recording.stream("stdout", "one")
        recording.stream("stdout", "two")
        recording.stream("stderr", "three")
        recording.display({"image/png": "x" * 300_000})
        recording.stream("stdout", "four")

    every, heard, rest = shown(show)
    assert (len(every), rest) == (4, 2)
    assert heard == every[:2]


def test_a_step_that_begins_once_more_is_heard_again() -> None:
    heard: list[Any] = []
    began: list[int] = []
    driver = RelayedOutput(heard.append, lambda: began.append(1))
    event = '[{"kind": "clear", "wait": true}]'
    for message in ('"begun"', "3", '"begun"', event):
        driver.take(message)
    assert (len(began), driver.rest, len(heard)) == (2, None, 1)


@pytest.mark.parametrize("message", ["", "{", "null", '{"a": 1}', '[{"kind": "no"}]', '["x"]', "[1]"])
def test_what_is_no_output_is_ignored(message: str) -> None:
    heard: list[Any] = []
    RelayedOutput(heard.append, lambda: None).take(message)
    assert heard == []


def test_a_message_stops_the_step() -> None:
    wire, began, caught = Wire(), threading.Event(), threading.Event()

    def step() -> None:
        with relayed(wire) as channels:
            assert channels.cancel is not None
            try:
                with channels.cancel.held():
                    began.set()
                    while True:
                        threading.Event().wait(0.01)
            except KeyboardInterrupt:
                caught.set()

    thread = threading.Thread(target=step)
    thread.start()
    assert began.wait(20)
    wire.tell("stop")
    assert caught.wait(20)
    thread.join(20)


def test_without_a_way_a_step_runs_without_channels() -> None:
    with relayed(None) as channels:
        assert channels.output is None
