"""Owns the metrics of a step in a worker while it runs: sent a few times a second, and shown as those of steps here.

Only live views use them. What is recorded comes with the outcome of the step.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zennb.core.records.metrics import Curve, checked_metrics, checked_position
from zennb.engine.step.metric_log import MetricLog
from zennb.engine.step.running import follow, note_logged
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Points = Mapping[str, list[tuple[int, float]]]

__all__ = ["MetricSender", "RemoteMetrics"]

_EVERY = 0.2
"""Seconds for which points are collected: a training loop may log thousands of times a second."""


class MetricSender:
    """The worker's end.

    Args:
        send: sends name → points, a list of pairs of position and value.
    """

    def __init__(self, send: Callable[[Points], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._curves: dict[str, Curve] = {}
        self._ended = threading.Event()
        self._sender: threading.Thread | None = None

    def add(self, name: str, position: int, value: float) -> None:
        """Send a point soon."""
        with self._lock:
            self._curves.setdefault(name, Curve()).add(position, value)
            if self._sender is None and not self._ended.is_set():
                self._sender = threading.Thread(target=self._keep_sending, daemon=True, name="zennb-metrics")
                self._sender.start()

    def close(self) -> None:
        """Send nothing more: the outcome of the step has all points."""
        self._ended.set()
        if self._sender is not None:
            self._sender.join()

    def _keep_sending(self) -> None:
        is_over = False
        while not is_over:
            with self._lock:
                curves, self._curves = self._curves, {}
            if curves:
                self._send({name: list(curve.metric().points) for name, curve in curves.items()})
            is_over = self._ended.wait(_EVERY)


class RemoteMetrics:
    """The driver's end: what a step in a worker has logged so far, among that of the steps that run here.

    Args:
        step: its name.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._lock = threading.Lock()
        self._log: MetricLog | None = None
        self._stop: Callable[[], None] = _nothing
        self._is_over = False

    def begin(self) -> None:
        """Start with nothing; also where an engine runs the step once more, because its worker has died."""
        with self._lock:
            self._stop()
            if not self._is_over:  # a message may be late
                self._log = MetricLog()
                self._stop = follow(self._step, self._log)

    def take(self, points: object) -> None:
        """Add points that were sent; what has not their form is ignored, as anybody may send through some relays."""
        with self._lock:
            log = self._log
        if log is None or not isinstance(points, dict):
            return
        try:
            for name, found in points.items():
                for position, value in found:
                    log.add(checked_metrics({name: value}), step=checked_position(position))
        except (TypeError, ValueError, OverflowError, UsageError):
            return
        note_logged()

    def end(self) -> None:
        """Show it no more: the step has ended."""
        with self._lock:
            self._stop()
            self._log, self._stop, self._is_over = None, _nothing, True


def _nothing() -> None:
    """Stop nothing."""
