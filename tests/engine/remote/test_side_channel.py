"""What a step in another process shows arrives while it runs, and it can be stopped from here."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Client
from typing import Any

import pytest

from zennb.engine.remote.side_channel import LinkServer, RemoteLink


@pytest.fixture
def server() -> LinkServer:
    return LinkServer()


def test_what_is_shown_is_heard_in_order(server: LinkServer) -> None:
    heard: list[dict[str, Any]] = []
    call, link = server.expect(heard.append)
    with link.open() as channels:
        assert channels.output is not None
        for number in range(100):
            channels.output({"kind": "stream", "name": "stdout", "text": str(number)})
    call.settle()
    assert call.connected
    assert [event["text"] for event in heard] == [str(number) for number in range(100)]


def test_stopping_raises_in_the_thread_that_runs_the_step(server: LinkServer) -> None:
    call, link = server.expect(None)
    began, caught = threading.Event(), threading.Event()

    def step() -> None:
        with link.open() as channels:
            assert channels.cancel is not None
            try:
                with channels.cancel.held():
                    began.set()
                    while True:
                        time.sleep(0.01)
            except KeyboardInterrupt:
                caught.set()

    thread = threading.Thread(target=step)
    thread.start()
    assert began.wait(10)
    call.stop()
    assert caught.wait(10)
    thread.join(10)


def test_a_step_that_was_stopped_before_it_began_does_not_begin(server: LinkServer) -> None:
    call, link = server.expect(None)
    call.stop()
    with link.open() as channels:
        assert channels.cancel is not None
        time.sleep(0.2)
        with pytest.raises(KeyboardInterrupt), channels.cancel.held():
            raise AssertionError("it began")


def test_where_the_driver_cannot_be_reached_the_step_works_without(server: LinkServer) -> None:
    _, link = server.expect(None)
    link = replace(link, address="/no/such/socket")
    with link.open() as channels:
        assert channels.output is None
        assert channels.cancel is None


def test_who_does_not_know_the_key_is_not_heard(server: LinkServer) -> None:
    heard: list[dict[str, Any]] = []
    call, link = server.expect(heard.append)
    assert len(link.key) == 32
    assert isinstance(link.address, str) or link.address[0] == "127.0.0.1"
    with RemoteLink(address=link.address, key=b"another", token=link.token).open() as channels:
        assert channels.output is None
    assert not call.connected
    with link.open() as channels:
        assert channels.output is not None
        channels.output({"kind": "stream", "name": "stdout", "text": "after the stranger"})
    call.settle()
    assert [event["text"] for event in heard] == ["after the stranger"]


def test_what_is_no_json_ends_the_link_and_nothing_else(server: LinkServer) -> None:
    heard: list[dict[str, Any]] = []
    call, link = server.expect(heard.append)
    connection = Client(link.address, authkey=link.key)
    connection.send_bytes(link.token.encode())
    connection.send_bytes(b"\x80\x04 no json")
    call.settle()
    connection.close()
    assert heard == []
    other, second = server.expect(heard.append)
    with second.open() as channels:
        assert channels.output is not None
        channels.output({"kind": "clear", "wait": True})
    other.settle()
    assert json.dumps(heard) == '[{"kind": "clear", "wait": true}]'


def test_a_forgotten_step_is_not_heard_any_more(server: LinkServer) -> None:
    heard: list[dict[str, Any]] = []
    _, link = server.expect(heard.append)
    server.forget(link)
    with link.open() as channels:
        if channels.output is not None:
            channels.output({"kind": "stream", "name": "stdout", "text": "late"})
    time.sleep(0.1)
    assert heard == []
