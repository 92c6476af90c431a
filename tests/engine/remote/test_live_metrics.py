"""What a step in a worker logs is among the live metrics of the driver while it runs, and not after."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.remote.live_metrics import MetricSender, RemoteMetrics
from zennb.engine.remote.relayed_output import RelayedOutput, relayed
from zennb.engine.remote.side_channel import LinkServer
from zennb.engine.step.metric_log import MetricLog
from zennb.engine.step.running import listen, live_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def remote() -> Iterator[RemoteMetrics]:
    made = RemoteMetrics("train")
    yield made
    made.end()
    assert live_metrics() == {}


def test_a_hundred_thousand_points_are_a_few_short_messages() -> None:
    sent: list[Any] = []
    first, rest = threading.Event(), threading.Event()

    def send(points: Any) -> None:
        sent.append(points)
        (rest if first.is_set() else first).set()

    sender = MetricSender(send)
    log = MetricLog(sender.add)
    log.add({"loss": 0.5, "a name/ü": float("nan")})
    assert first.wait(20)
    for number in range(100_000):
        log.add({"loss": float(number)})
    assert rest.wait(20)
    sender.close()
    assert log.metrics()["loss"].count == 100_001
    assert {name for each in sent for name in each} == {"loss", "a name/ü"}
    assert max(len(json.dumps(each)) for each in sent) < 100_000
    assert sent[-1]["loss"][-1][0] > 0
    before = len(sent)
    sender.add("loss", 1, 1.0)
    assert len(sent) == before, "a thread that the step has left behind"


@contextmanager
def over_a_socket(remote: RemoteMetrics) -> Iterator[Any]:
    call, link = LinkServer().expect(None, remote.begin, metrics=remote.take)
    with link.open() as channels:
        yield channels
    call.settle()


@contextmanager
def over_a_relay(remote: RemoteMetrics) -> Iterator[Any]:
    driver = RelayedOutput(None, remote.begin, remote.take)

    class Wire:
        @contextmanager
        def open(self, receive: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
            yield driver.take

    with relayed(Wire()) as channels:
        yield channels


@pytest.mark.parametrize("way", [over_a_socket, over_a_relay])
def test_it_arrives_while_the_step_runs(way: Any, remote: RemoteMetrics) -> None:
    came = threading.Event()

    def look() -> None:
        if live_metrics()["train"]["loss"].last == 0.25:
            came.set()

    stop = listen(look)
    try:
        with way(remote) as channels:
            log = MetricLog(channels.metrics)
            log.add({"loss": 0.5}, step=10)
            log.add({"loss": 0.25}, step=20)
            assert came.wait(20)
            assert live_metrics()["train"]["loss"].points == ((10, 0.5), (20, 0.25))
            remote.begin()
            assert live_metrics() == {}, "the engine runs the step once more"
    finally:
        stop()


@pytest.mark.parametrize(
    "points",
    [None, [], "a", {"": [[0, 1]]}, {"a": 1}, {"a": [1]}, {"a": [[0]]}, {"a": [["x", 1]]}, {"a": [[0, "x"]]},
     {"a": [[0, None]]}, {"a": [[1e400, 1]]}, {"\x1b[2J": [[0, 1]]}],
)  # fmt: skip
def test_what_is_no_metric_is_ignored(points: Any, remote: RemoteMetrics) -> None:
    remote.take({"before": [[0, 1]]})
    remote.begin()
    remote.take(points)
    assert live_metrics() == {}


def test_what_comes_when_the_step_has_ended_is_not_shown(remote: RemoteMetrics) -> None:
    remote.begin()
    remote.end()
    remote.begin()
    remote.take({"loss": [[0, 1.0]]})
    assert live_metrics() == {}
