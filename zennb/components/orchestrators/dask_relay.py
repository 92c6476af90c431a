"""Owns `DaskRelay`: messages of tasks as events of the scheduler, over the connections that Dask has anyway."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import distributed

from zennb.components.relay import Relay, RelayEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["DaskRelay"]

_HANDLED_SECONDS = 5.0


class DaskRelay(Relay):
    """Hears what tasks send, and reaches them by a call that Dask runs beside them.

    Args:
        client: the connection to the scheduler.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        # One topic for all tasks: the scheduler keeps the last thousand messages of each topic as long as it lives.
        self._topic = f"zennb-{uuid.uuid4().hex}"
        self._lock = threading.Lock()
        self._receivers: dict[str, Callable[[str], None]] = {}
        self._arrived: SimpleQueue[tuple[str, str] | threading.Event | None] | None = None

    def expect(self, token: str, receive: Callable[[str], None]) -> RelayEnd:
        """Return the end of a task."""
        with self._lock:
            self._receivers[token] = receive
            if self._arrived is None:
                self._arrived = SimpleQueue()
                # Not on the thread of the client: to show something may take a while.
                threading.Thread(
                    target=self._hand_on, args=(self._arrived,), daemon=True, name="zennb-dask-messages"
                ).start()
                self._client.subscribe_topic(self._topic, self._take)
        return _TaskEnd(topic=self._topic, token=token)

    def tell(self, token: str, message: str) -> None:
        """Send a message to a task."""
        # On every worker, since a task may have moved; on a thread of its own, since a worker may not answer.
        call = partial(self._client.run, _receive, token, message, on_error="ignore")
        threading.Thread(target=call, daemon=True, name="zennb-dask-tell").start()

    def close(self, token: str) -> None:
        """Return when all messages of a task that has ended are received."""
        # The scheduler has sent the messages before the result, on the same connection. So they are in the queue.
        if self._arrived is not None:
            handled = threading.Event()
            self._arrived.put(handled)
            handled.wait(_HANDLED_SECONDS)
        self._receivers.pop(token, None)

    def end(self) -> None:
        """Stop hearing: the connection is closed."""
        with self._lock:
            if self._arrived is not None:
                self._arrived.put(None)

    def _take(self, event: tuple[float, Any]) -> None:
        token, message = event[1]
        if self._arrived is not None:
            self._arrived.put((token, message))

    def _hand_on(self, arrived: SimpleQueue[tuple[str, str] | threading.Event | None]) -> None:
        while (found := arrived.get()) is not None:
            if isinstance(found, threading.Event):
                found.set()
            elif (receive := self._receivers.get(found[0])) is not None:
                receive(found[1])


_listening: dict[str, Callable[[str], None]] = {}
"""Token of a task of this worker → what is called with messages to it."""


def _receive(token: str, message: str) -> None:
    """Hand a message to a task of this worker, on the worker's own thread."""
    if (receive := _listening.get(token)) is not None:
        receive(message)


@dataclass(frozen=True, kw_only=True)
class _TaskEnd:
    topic: str
    token: str

    @contextmanager
    def open(self, receive: Callable[[str], None]) -> Iterator[Callable[[str], None] | None]:
        try:
            worker = distributed.get_worker()
        except ValueError:  # no task of Dask
            yield None
            return
        _listening[self.token] = receive

        def send(message: str) -> None:
            worker.log_event(self.topic, [self.token, message])

        try:
            yield send
        finally:
            _listening.pop(self.token, None)
