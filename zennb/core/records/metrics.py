"""Owns metrics: numbers that a step logs under a name, once or along a training loop."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "MOST_METRICS",
    "MOST_POINTS",
    "Curve",
    "Metric",
    "checked_metrics",
    "checked_position",
    "metrics_of_run",
]

MOST_POINTS = 1000
"""Points of a metric that are kept. Of longer curves every second point goes, again and again; the ends stay."""

MOST_METRICS = 200
"""Names under which one step may log."""

_LONGEST_NAME = 200
_FARTHEST = 2**53
"""The largest position: charts and other trackers know no larger whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a step logged under one name.

    Attributes:
        last: the value that was logged last.
        count: how many values were logged.
        points: (position, value) in the order of logging, thinned out to at most `MOST_POINTS` and the last one.
    """

    last: float
    count: int = 1
    points: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True)
class Curve:
    """A metric while it is logged."""

    count: int = 0
    stride: int = 1
    points: list[tuple[int, float]] = field(default_factory=list)
    last: tuple[int, float] = (0, 0.0)

    def add(self, position: int, value: float) -> None:
        """Add one value."""
        self.last = position, value
        if self.count % self.stride == 0:
            self.points.append(self.last)
            if len(self.points) > MOST_POINTS:
                self.points, self.stride = self.points[::2], self.stride * 2
        self.count += 1

    def metric(self) -> Metric:
        """Return what was logged so far."""
        is_kept = (self.count - 1) % self.stride == 0
        points = self.points if is_kept else [*self.points, self.last]
        return Metric(last=self.last[1], count=self.count, points=tuple(points))


def checked_metrics(values: Mapping[str, object]) -> dict[str, float]:
    """Return metrics as numbers of Python.

    Args:
        values: name → anything that stands for one number, such as a NumPy scalar or a tensor of one element.

    Raises:
        UsageError: a name is no short text, or a value is no number.
    """
    return {_checked_name(name): _number(name, value) for name, value in values.items()}


def checked_position(step: object) -> int | None:
    """Return where in a training a metric is logged, as a number of Python; None for one after the last.

    Raises:
        UsageError: it is no whole number, or one that no chart could show.
    """
    if step is None:
        return None
    try:
        found = operator.index(int(step) if isinstance(step, float) and step.is_integer() else step)  # type: ignore[arg-type]  # asked of any object
    except TypeError:
        found = _FARTHEST + 1
    if abs(found) > _FARTHEST:
        raise UsageError(
            f"`step={step!r:.60}` says not where in a training this is: give a whole number, such as the epoch."
        )
    return found


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"{name!r:.60} cannot be the name of a metric: names are texts of 1 to {_LONGEST_NAME} characters."
        )
    return name


def _number(name: str, value: object) -> float:
    if not isinstance(value, (str, bytes, bytearray)) and value is not None:
        for number in (float, _only_element):
            try:
                return number(value)  # type: ignore[arg-type]  # asked of any object
            except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError):
                continue
    shown = "None" if value is None else f"a {type(value).__name__}"
    if isinstance(value, int):
        shown = "an int beyond what a float can hold"
    raise UsageError(
        f"metric '{name}' is {shown}; a metric is one number. Log several under a name each, or with `step=` in a loop."
    )


def metrics_of_run(steps: Iterable[tuple[str, Mapping[str, Metric]]]) -> dict[str, Metric]:
    """Return the metrics of a run by name: `accuracy`; where several steps log it, `train.accuracy` for each of them.

    Args:
        steps: name and metrics of each record, in order; of a step with several records the latest counts.
    """
    latest = dict(steps)
    names = [name for metrics in latest.values() for name in metrics]
    return {
        name if names.count(name) == 1 else f"{step}.{name}": metric
        for step, metrics in latest.items()
        for name, metric in metrics.items()
    }


def _only_element(value: Any) -> float:
    """Return the element of an array that has only one, and is not a number for `float`."""
    return float(value.item())
