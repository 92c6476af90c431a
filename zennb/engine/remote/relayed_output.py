"""Owns the output of steps that goes through the relay of an orchestrator, because no socket reaches the driver."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from zennb.engine.remote.live_metrics import MetricSender
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.recording import check_event
from zennb.engine.step.request import Channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zennb.components.relay import RelayEnd
    from zennb.engine.remote.live_metrics import Points
    from zennb.engine.step.recording import Event

__all__ = ["METRICS", "RelayedOutput", "relayed"]

METRICS = "metrics"
"""What messages with metrics are called; they are no output."""

_EVERY = 0.1
"""Seconds for which output is collected: a progress bar writes hundreds of pieces a second."""
_LARGEST = 256_000
"""Characters of a message. A display that is larger, and all that follows it, arrives through the artifact store."""
_BEGUN, _ENDED = '"begun"', '"ended"'


class RelayedOutput:
    """The driver's end.

    Args:
        output: called with each thing the step shows.
        begun: called when the step begins, and again if an engine runs it once more.
        metrics: called with what the step logs while it runs.
        ended: called when the step ends.

    Attributes:
        rest: which event of the step's recording was the first that is not sent; None when all are.
    """

    def __init__(
        self,
        output: Callable[[Event], None] | None,
        begun: Callable[[], None],
        metrics: Callable[[object], None] = lambda _points: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._output, self._begun, self._metrics, self._ended = output, begun, metrics, ended
        self.rest: int | None = None

    def take(self, message: str) -> None:
        """Receive a message; one that is none of ours is ignored."""
        if message == _BEGUN:
            self.rest = None
            self._begun()
            return
        if message == _ENDED:
            self._ended()
            return
        try:
            found = json.loads(message)
            if isinstance(found, int):
                self.rest = found
                return
            if isinstance(found, dict):
                self._metrics(found.get(METRICS))
                return
            for event in found:
                check_event(event)
        except (TypeError, ValueError):
            return
        if self._output is not None:
            for event in found:
                self._output(event)


@contextmanager
def relayed(relay: RelayEnd | None) -> Iterator[Channels]:
    """Yield channels through a relay, for the duration of a step; empty ones if there is none."""
    if relay is None:
        yield Channels()
        return
    cancel = CancellationToken()
    with relay.open(lambda _message: cancel.stop()) as send:
        if send is None:
            yield Channels()
            return
        send(_BEGUN)
        output = _Batches(send)
        metrics = MetricSender(partial(_send_metrics, send))
        try:
            yield Channels(output=output.add, cancel=cancel, metrics=metrics.add)
        finally:
            metrics.close()
            output.close()
            send(_ENDED)


def _send_metrics(send: Callable[[str], None], points: Points) -> None:
    for name, found in points.items():  # each in a message of its own: some relays carry only short ones
        send(json.dumps({METRICS: {name: found}}))


class _Batches:
    """Output events that are sent a few times a second, in order.

    Args:
        send: sends a message.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._count, self._stream = 0, ""
        self._ended = threading.Event()
        self._sender: threading.Thread | None = None

    def add(self, event: Event) -> None:
        """Send an event soon."""
        with self._lock:
            if (
                self._ended.is_set()
            ):  # a thread that the step has left behind, or all that follows is in the store
                return
            last = self._events[-1] if self._events else {}
            if (
                event["kind"] == "stream"
                and event["name"] == last.get("name")
                and len(last["text"]) < _LARGEST
            ):
                last["text"] += event["text"]
                return
            self._events.append(dict(event))
            if self._sender is None:
                self._sender = threading.Thread(target=self._keep_sending, daemon=True, name="zennb-output")
                self._sender.start()

    def close(self) -> None:
        """Send what is left."""
        self._flush()
        self._ended.set()

    def _keep_sending(self) -> None:
        while not self._ended.wait(_EVERY):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
            for event in events:
                if self._ended.is_set():
                    return
                self._send_one(event)

    def _send_one(self, event: Event) -> None:
        stream = event["name"] if event["kind"] == "stream" else ""
        if stream:
            for at in range(0, len(event["text"]), _LARGEST):
                self._send(json.dumps([{**event, "text": event["text"][at : at + _LARGEST]}]))
        else:
            text = json.dumps([event], default=str)
            if len(text) > _LARGEST:
                self._send(json.dumps(self._count))
                self._ended.set()
                return
            self._send(text)
        # A recording counts consecutive pieces of one stream as one event.
        self._count += not stream or stream != self._stream
        self._stream = stream
