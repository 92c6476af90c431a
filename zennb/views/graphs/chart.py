"""Owns the drawing of a chart as SVG: lines and points over two axes, on a light background."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.views.text import clean, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COLOURS", "Series", "draw_chart", "ticks"]

COLOURS = ("#2b80c8", "#b87410", "#2a8f4f", "#8f66d8", "#d94b42", "#4d545c", "#00838f", "#a8327e")
"""One per series; later ones begin again."""

_WIDE, _HIGH = 640.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 16.0, 26.0, 40.0
_INK, _GRID = "#4d545c", "#e4e6e9"
_SANS = "system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"
_MOST_MARKED = 60
"""Points of a series that get a circle each; longer ones are lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one colour.

    Attributes:
        name: what the legend says; "" for no entry.
        points: (x, y); those that are not finite leave a gap.
        is_line: whether the points are joined.
    """

    name: str = ""
    points: Sequence[tuple[float, float]]
    is_line: bool = True


def ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Return round numbers between two values, both ends covered: multiples of 1, 2 or 5 times a power of ten.

    After P. Heckbert, "Nice numbers for graph labels", Graphics Gems (1990).
    """
    if not high > low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / (most - 1)
    if not math.isfinite(raw) or raw <= 0:
        return [low, high]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(
        (factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9)), 10 * power
    )
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def draw_chart(series: Sequence[Series], *, x: str, y: str, names: Sequence[str] = ()) -> str:
    """Return the chart as a self-contained SVG document.

    Args:
        series: what to draw.
        x: what the horizontal axis says.
        y: what the vertical axis says.
        names: what stands below the axis at 0, 1, 2 ..., where x is no number.
    """
    known = [point for each in series for point in each.points if all(map(math.isfinite, point))]
    across, up = [point[0] for point in known] or [0.0], [point[1] for point in known] or [0.0]
    # Numbers that read the same are drawn as equal: six digits would give all lines of the axis one label.
    rows = ticks(min(up), max(up) if _short(min(up)) != _short(max(up)) else min(up))
    if names:
        columns, ends = [float(each) for each in range(len(names))], (-0.5, len(names) - 0.5)
    else:
        columns = ticks(min(across), max(across), most=8)
        ends = (columns[0], columns[-1])
    frame = _Axes(ends, (rows[0], rows[-1]))
    parts = [f'<rect width="{_WIDE:g}" height="{_HIGH:g}" rx="6" fill="#ffffff"/>']
    parts += [_row(frame, value) for value in rows]
    every = max(1, math.ceil(len(names) / 12))
    parts += [
        _column(frame, value, names[at] if names else _short(value))
        for at, value in enumerate(columns)
        if not names or at % every == 0
    ]
    parts += [_drawn(frame, each, COLOURS[at % len(COLOURS)]) for at, each in enumerate(series)]
    parts.append(_text(_LEFT + (_WIDE - _LEFT - _RIGHT) / 2, _HIGH - 6, cut(clean(x), 60), anchor="middle"))
    parts.append(_text(6, 13, cut(clean(y), 60)))
    parts += _legend(series)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE:g}" height="{_HIGH:g}" '
        f'viewBox="0 0 {_WIDE:g} {_HIGH:g}" role="img">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where values lie in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0) * (_WIDE - _LEFT - _RIGHT),
            _HIGH - _BOTTOM - (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0) * (_HIGH - _TOP - _BOTTOM),
        )


def _drawn(frame: _Axes, series: Series, colour: str) -> str:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in series.points:
        if all(map(math.isfinite, point)):
            runs[-1].append(frame.at(*point))
        else:
            runs.append([])
    is_marked = not series.is_line or len(series.points) <= _MOST_MARKED
    marks = [_dot(x, y, 3, colour) for run in runs if is_marked or len(run) == 1 for x, y in run]
    lines = [
        _path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run), colour, wide=1.6)
        for run in runs
        if series.is_line and len(run) > 1
    ]
    return "".join([*lines, *marks])


def _row(frame: _Axes, value: float) -> str:
    x, y = frame.at(frame.x[0], value)
    return _path(f"M{x:.1f} {y:.1f}H{_WIDE - _RIGHT:g}", _GRID) + _text(
        x - 6, y + 4, _short(value), anchor="end"
    )


def _column(frame: _Axes, value: float, label: str) -> str:
    x, y = frame.at(value, frame.y[0])
    return _path(f"M{x:.1f} {y:.1f}v4", _INK) + _text(x, y + 17, cut(clean(label), 12), anchor="middle")


def _legend(series: Sequence[Series]) -> list[str]:
    parts, x = [], _WIDE - _RIGHT
    for at, each in reversed(list(enumerate(series))):
        if not each.name or x < _WIDE / 3:
            continue
        label = cut(clean(each.name), 16)
        x -= 7.0 * len(label) + 18
        parts.append(_dot(x, _TOP - 7, 4, COLOURS[at % len(COLOURS)]))
        parts.append(_text(x + 8, _TOP - 3, label))
    return parts


def _dot(x: float, y: float, radius: float, colour: str) -> str:
    side = 2 * radius
    return (
        f'<rect x="{x - radius:.1f}" y="{y - radius:.1f}" width="{side:g}" height="{side:g}" rx="{radius:g}" '
        f'fill="{colour}"/>'
    )


def _path(drawn: str, colour: str, *, wide: float = 1.0) -> str:
    return f'<path d="{drawn}" fill="none" stroke="{colour}" stroke-width="{wide:g}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-family="{_SANS}" font-size="11" '
        f'fill="{_INK}">{html.escape(text)}</text>'
    )


def _short(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-12 else value:.6g}"
