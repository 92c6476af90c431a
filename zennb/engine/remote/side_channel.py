"""Owns the side channel of a step in a worker: its output arrives live, and it can be cancelled.

The driver listens on a socket of its own (a Unix socket where available), protected by a random key. Only JSON and the
word `stop` are sent. A worker that cannot reach the socket, e.g. on another machine, uses the relay of the orchestrator
(`relayed_output`), and runs without a connection where there is none.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from typing import TYPE_CHECKING, Any

from zennb.engine.remote.live_metrics import MetricSender
from zennb.engine.remote.relayed_output import METRICS, RelayedOutput, relayed
from zennb.engine.step.cancellation import CancellationToken
from zennb.engine.step.request import Channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from zennb.components.relay import Relay, RelayEnd
    from zennb.engine.step.recording import Event

__all__ = ["Call", "LinkServer", "RemoteLink"]

_STOP = b"stop"
_DRAIN_SECONDS = 5.0  # seconds that the driver waits for the last output once the outcome has arrived


class Call:
    """The driver's end of one step's link.

    Args:
        output: called with each thing the step shows.
        begun: called when the step begins, if it can reach the driver.
        metrics: called with what the step logs while it runs.

    Attributes:
        connected: whether the step ever reached the driver, so that its output was streamed.
        rest: which event of its output was the first that was not streamed; None when all of it was.
    """

    def __init__(
        self,
        output: Callable[[Event], None] | None,
        begun: Callable[[], None],
        metrics: Callable[[object], None],
    ) -> None:
        self._output, self._begun, self._metrics = output, begun, metrics
        self._lock = threading.Lock()
        self._connection: Connection[Any, Any] | None = None
        self._is_stopped = False
        self._ended = threading.Event()
        self._tell: Callable[[str], None] | None = None
        self._relayed: RelayedOutput | None = None
        self.connected = False

    @property
    def rest(self) -> int | None:  # noqa: D102 - above
        return None if self._relayed is None else self._relayed.rest

    def stop(self) -> None:
        """Raise KeyboardInterrupt in the step, now or as soon as it begins."""
        with self._lock:
            self._is_stopped = True
            self._send_stop()

    def settle(self) -> None:
        """Wait until all output of the step has arrived."""
        if self.connected and self._relayed is None:
            self._ended.wait(_DRAIN_SECONDS)

    def has_ended(self, seconds: float | None = None) -> bool:
        """Return whether the step has ended, or its connection has, within so many seconds; None waits for it."""
        return self._ended.wait(seconds)

    def end(self) -> None:
        """Note that the step has ended, or that nothing will say so."""
        self._ended.set()

    def take(self, message: str) -> None:
        """Receive a message of the step that came through a relay."""
        if self._relayed is None:
            self._relayed = RelayedOutput(self._output, self._begin_relayed, self._metrics, self.end)
        self._relayed.take(message)

    def reach_by(self, tell: Callable[[str], None]) -> None:
        """Note how to send the step a message through a relay."""
        self._tell = tell

    def _begin_relayed(self) -> None:
        self.connected = True
        self._ended.clear()
        self._begun()
        with self._lock:
            self._send_stop()

    def serve(self, connection: Connection[Any, Any]) -> None:
        """Receive the output of the step until it ends."""
        with self._lock:
            self._connection, self.connected = connection, True
            self._ended.clear()
            self._send_stop()
        self._begun()
        try:
            while data := connection.recv_bytes():
                event = json.loads(data)
                if event["kind"] == METRICS:
                    self._metrics(event["points"])
                elif self._output is not None:
                    self._output(event)
        except (EOFError, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._connection = None
            self._ended.set()
            connection.close()

    def _send_stop(self) -> None:
        if not self._is_stopped:
            return
        if self._connection is not None:
            with suppress(OSError):
                self._connection.send_bytes(_STOP)
        elif self._relayed is not None and self._tell is not None:
            self._tell(_STOP.decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLink:
    """How a step in a worker connects to its driver.

    Attributes:
        address: of the driver's socket: a path, or host and port.
        key: authenticates both sides.
        token: which step it is.
        relay: what is used where the socket cannot be reached; None for nothing.
    """

    address: str | tuple[str, int]
    key: bytes
    token: str
    relay: RelayEnd | None = None

    @contextmanager
    def open(self) -> Iterator[Channels]:
        """Connect for the duration of a step; yield empty channels if the driver cannot be reached."""
        connection = self._connected()
        if connection is None:
            with relayed(self.relay) as channels:
                yield channels
            return
        cancel = CancellationToken()
        lock = threading.Lock()

        def output(event: Event) -> None:
            with lock, suppress(OSError):  # if the driver has gone, the outcome still has all output
                connection.send_bytes(json.dumps(event, default=str).encode())

        listener = threading.Thread(
            target=_listen_for_stop, args=(connection, cancel), name="zennb-link", daemon=True
        )
        listener.start()
        metrics = MetricSender(lambda points: output({"kind": METRICS, "points": points}))
        try:
            yield Channels(output=output, cancel=cancel, metrics=metrics.add)
        finally:
            metrics.close()
            with lock, suppress(OSError):
                # An empty message ends the output. Waiting for the driver to close first means
                # that all of it has been read.
                connection.send_bytes(b"")
            listener.join(_DRAIN_SECONDS)
            connection.close()

    def _connected(self) -> Connection[Any, Any] | None:
        try:
            connection = Client(self.address, authkey=self.key)
            connection.send_bytes(self.token.encode())
        except (OSError, AuthenticationError, EOFError):
            return None
        return connection


def _listen_for_stop(connection: Connection[Any, Any], cancel: CancellationToken) -> None:
    """Stop the step when the driver asks for it; end when the driver closes the connection."""
    with suppress(EOFError, OSError):
        while connection.recv_bytes() == _STOP:
            cancel.stop()


class LinkServer:
    """The driver's side: one socket per process, opened at first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._key = secrets.token_bytes(32)
        self._calls: dict[str, Call] = {}

    def expect(
        self,
        output: Callable[[Event], None] | None,
        begun: Callable[[], None] = lambda: None,
        relay: Relay | None = None,
        metrics: Callable[[object], None] = lambda _points: None,
    ) -> tuple[Call, RemoteLink]:
        """Return both ends of the link of a step that is about to be submitted; as for `Call`.

        Args:
            output: as for `Call`.
            begun: as for `Call`.
            relay: that of the orchestrator, for workers that cannot reach the socket.
            metrics: as for `Call`.
        """
        call, token = Call(output, begun, metrics), secrets.token_hex(16)
        end = None
        if relay is not None:
            call.reach_by(partial(relay.tell, token))
            end = relay.expect(token, call.take)
        with self._lock:
            if self._listener is None:
                self._listener = _listening(self._key)
                threading.Thread(
                    target=self._accept, args=(self._listener,), name="zennb-links", daemon=True
                ).start()
            self._calls[token] = call
            return call, RemoteLink(address=self._listener.address, key=self._key, token=token, relay=end)

    def forget(self, link: RemoteLink) -> None:
        """Note that a step has ended."""
        with self._lock:
            self._calls.pop(link.token, None)

    def _accept(self, listener: Listener) -> None:
        while True:
            try:
                connection = listener.accept()
            except (AuthenticationError, OSError, EOFError):  # a caller that has no key, or has gone again
                continue
            threading.Thread(target=self._serve, args=(connection,), name="zennb-link", daemon=True).start()

    def _serve(self, connection: Connection[Any, Any]) -> None:
        try:
            # In a thread of its own, so that a caller that sends nothing does not keep others waiting; 64 bytes, so
            # that it cannot send more than a token.
            token = connection.recv_bytes(64).decode()
        except (EOFError, OSError, ValueError):
            connection.close()
            return
        with self._lock:
            call = self._calls.get(token)
        if call is None:
            connection.close()
        else:
            call.serve(connection)


def _listening(key: bytes) -> Listener:
    family = "AF_UNIX" if hasattr(socket, "AF_UNIX") else "AF_INET"
    address = None if family == "AF_UNIX" else ("127.0.0.1", 0)
    return Listener(address, family, authkey=key, backlog=64)
