"""Owns `MetricLog`, which collects the metrics that one execution of a step logs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zennb.core.records.metrics import MOST_METRICS, Curve
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.metrics import Metric

__all__ = ["MetricLog"]


class MetricLog:
    """Collects what one execution of a step logs; may be used from several threads.

    Args:
        listener: called with name, position and value of each, for live views elsewhere; None for none.
    """

    def __init__(self, listener: Callable[[str, int, float], None] | None = None) -> None:
        self._curves: dict[str, Curve] = {}
        self._lock = threading.Lock()
        self._listener = listener

    def add(self, values: Mapping[str, float], *, step: int | None = None) -> None:
        """Add one value for each name.

        Args:
            values: name → number, as `checked_metrics` returns them.
            step: where in the training this is; None for one after the last of each name.

        Raises:
            UsageError: there are more names than are kept.
        """
        with self._lock:
            new = [name for name in values if name not in self._curves]
            if len(self._curves) + len(new) > MOST_METRICS:
                raise UsageError(
                    f"this step logs more than {MOST_METRICS} different metrics, and '{new[0]}' is one too many; "
                    "log values along a training under one name, with `step=`."
                )
            for name, value in values.items():
                curve = self._curves.setdefault(name, Curve())
                curve.add((curve.last[0] + 1 if curve.count else 0) if step is None else step, value)
                if self._listener is not None:
                    self._listener(name, curve.last[0], value)

    def metrics(self) -> dict[str, Metric]:
        """Return what was logged so far, by name."""
        with self._lock:
            return {name: curve.metric() for name, curve in self._curves.items()}
