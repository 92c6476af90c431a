"""Owns the views of metrics: those of a run with their curves, and those of several runs side by side."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.records.metrics import metrics_of_run
from zennb.views.artifact import glance
from zennb.views.graphs.chart import Series, draw_chart
from zennb.views.links import LINKS, address
from zennb.views.markup import box, escape, svg_image
from zennb.views.table import Column, Table
from zennb.views.text import clean
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.metrics import Metric
    from zennb.core.records.records import Run, Step

__all__ = [
    "curves",
    "history",
    "history_rows",
    "live",
    "metrics",
    "metrics_side_by_side",
    "number",
    "parameters_side_by_side",
    "runs_with_metrics",
    "sparkline",
]

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 24
"""Characters of a sparkline at most."""


def number(value: float | None) -> str:
    """Return a metric as text with six digits: `0.93`, `1.5e-07`, `nan`."""
    return "" if value is None else f"{value:.6g}"


def sparkline(metric: Metric) -> str:
    """Return the curve of a metric as a line of bars; "" for a single value."""
    points = [value for _, value in metric.points]
    if len(points) < 2:
        return ""
    if len(points) > _WIDE:  # evenly spread, first and last included
        points = [points[round(each * (len(points) - 1) / (_WIDE - 1))] for each in range(_WIDE)]
    finite = [value for value in points if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(value, low, high) for value in points)


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "·" if math.isnan(value) else _BARS[-1 if value > 0 else 0]
    # Halves, since the difference of two large floats can be infinite.
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


COLUMNS = (
    Column.of("name", "step", most=24),
    Column.of("names", "metric", most=32),
    Column.of("names", "value", show=number, markup=lambda value: escape(number(value)), right=True),
    Column.of("count", "logged"),
    Column.of("names", "curve", markup=lambda value: escape(value or "")),
)


def metrics(steps: Sequence[Step]) -> Table:
    """List what steps logged: the last value of each metric, and its curve.

    Args:
        steps: their records, in order; of a step with several records the latest counts.
    """
    rows = [
        {
            "step": step,
            "metric": name,
            "value": metric.last,
            "logged": metric.count if metric.count > 1 else None,
            "curve": sparkline(metric) or None,
            LINKS: {"step": address("step", record.run, step)},
        }
        for step, record in _latest(steps).items()
        for name, metric in record.metrics.items()
    ]
    return Table(columns=COLUMNS, data=rows, title="metrics")


def metrics_side_by_side(runs: Sequence[tuple[Run, Sequence[Step]]]) -> Table:
    """List the metrics of several runs, with a column for each run.

    Args:
        runs: the runs, with their steps in order.
    """
    found = [metrics_of_run((step.name, step.metrics) for step in steps) for _, steps in runs]
    last = [{name: metric.last for name, metric in each.items()} for each in found]
    return _side_by_side([run for run, _ in runs], last, "metrics")


def parameters_side_by_side(runs: Sequence[tuple[Run, Sequence[Step]]]) -> Table:
    """List the parameters of several runs, with a column for each run."""
    return _side_by_side([run for run, _ in runs], [run.parameters for run, _ in runs], "parameters")


def curves(metric: str, runs: Sequence[tuple[Run, Sequence[Step]]]) -> View:
    """Show the curves of one metric in several runs: what was logged along the training.

    Args:
        metric: its name.
        runs: the runs, with their steps in order; those that did not log it are left out.
    """
    found = [
        (f"run {run.id}", logged[metric])
        for run, steps in runs
        if metric in (logged := metrics_of_run((step.name, step.metrics) for step in steps))
    ]
    rows = [
        {
            "run": run,
            "value": each.last,
            "logged": each.count,
            "curve": sparkline(each) or None,
            LINKS: {"run": address("run", run.removeprefix("run "))},
        }
        for run, each in found
    ]
    columns = (
        Column.of("name", "run"),
        *(column for column in COLUMNS if column.key not in {"step", "metric"}),
    )
    series = [_curve(run, each) for run, each in found]
    table = Table(columns=columns, data=rows, title=metric, empty=f"no run logged `{metric}`")
    return _with_chart(table, draw_chart(series, x="step", y=metric))


def live(
    found: Mapping[str, Mapping[str, Metric]],
    runs: Mapping[str, int] = MappingProxyType({}),
    *,
    most: int = 6,
) -> View:
    """Draw what running steps have logged so far: a chart for each metric, with a curve for each step.

    Args:
        found: step → its metrics by name.
        runs: step → the run that it is linked with, of those that run elsewhere.
        most: charts drawn.
    """
    names = list(dict.fromkeys(name for metrics in found.values() for name in metrics))
    parts = [_live_chart(name, found, runs) for name in names[:most]]
    if len(names) > most:
        parts.append(note(f"{len(names) - most} more metrics are not drawn here."))
    return join(parts) if parts else View("", "")


def _live_chart(name: str, found: Mapping[str, Mapping[str, Metric]], runs: Mapping[str, int]) -> View:
    logged = {step: metrics[name] for step, metrics in found.items() if name in metrics}
    rows = [
        {
            "step": step,
            "metric": name,
            "value": each.last,
            "logged": each.count,
            "curve": sparkline(each) or None,
            LINKS: {"step": address("run", runs[step]) if step in runs else address("plan", step)},
        }
        for step, each in logged.items()
    ]
    series = [
        Series(name=step, points=[(float(at), value) for at, value in each.points])
        for step, each in logged.items()
    ]
    return _with_chart(Table(columns=COLUMNS, data=rows), draw_chart(series, x="step", y=name))


def _curve(name: str, metric: Metric) -> Series:
    return Series(name=name, points=[(float(at), value) for at, value in metric.points])


def runs_with_metrics(found: Sequence[tuple[Run, Sequence[Step]]], *, most: int = 8) -> Table:
    """List runs with their parameters and metrics, a column for each.

    Args:
        found: the runs, with their steps in order.
        most: columns of parameters, and of metrics.
    """
    logged = [metrics_of_run((step.name, step.metrics) for step in steps) for _, steps in found]
    names = [
        name
        for name in dict.fromkeys(name for each in logged for name in each)
        if not name.startswith("check/")
    ]
    parameters = list(dict.fromkeys(name for run, _ in found for name in run.parameters))[:most]
    columns = (
        Column.of("count", "run", heading=True),
        Column.of("state", "status", "state"),
        Column.of("names", "notebook", most=28, minor=True),
        *(Column.of("names", f"parameter {name}", name, most=16) for name in parameters),
        *(
            Column.of(
                "names",
                f"metric {name}",
                name,
                show=_shown,
                markup=lambda value: escape(_shown(value)),
                right=True,
            )
            for name in names[:most]
        ),
        Column.of("time", "started", minor=True),
    )
    rows = [
        {
            "run": run.id,
            "status": run.status,
            "notebook": run.notebook,
            "started": run.started,
            LINKS: {"run": address("run", run.id), "notebook": address("notebook", run.notebook)},
            **{f"parameter {name}": clean(run.parameters.get(name, "")) for name in parameters},
            **{f"metric {name}": metrics[name].last for name in names[:most] if name in metrics},
        }
        for (run, _), metrics in zip(found, logged, strict=True)
    ]
    return Table(columns=columns, data=rows, empty="no runs yet")


def history(metric: str, steps: Sequence[Step], *, by: str | None = None) -> View:
    """Show one metric over many executions of steps, in the order in which they ran or by a parameter.

    Args:
        metric: its name.
        steps: the records that logged it, oldest first.
        by: name of an input whose value is the horizontal axis; None for the order in which they ran.
    """
    rows = history_rows(metric, steps, by=by)
    several = len({row["step"] for row in rows}) > 1
    columns = (
        Column.of("count", "run", heading=True),
        Column.of("names", "step", most=24, minor=not several),
        *([Column.of("names", "by", by, most=24)] if by is not None else []),
        Column.of(
            "names", "value", metric, show=number, markup=lambda value: escape(number(value)), right=True
        ),
        Column.of("time", "started"),
    )
    linked = [
        {**row, LINKS: {"run": address("run", row["run"]), "step": address("step", row["run"], row["step"])}}
        for row in rows
    ]
    table = Table(columns=columns, data=linked, empty=f"no step logged `{metric}`")
    labels = [row["by"] if by is not None else f"run {row['run']}" for row in rows]
    numbers = [_float(label) for label in labels] if by is not None else []
    is_number = bool(numbers) and all(each is not None for each in numbers)
    names = [] if is_number else list(dict.fromkeys(labels)) if by is not None else labels
    across = (
        numbers
        if is_number
        else [names.index(each) for each in labels]
        if by is not None
        else range(len(rows))
    )
    series = [
        Series(
            name=step if several else "",
            points=[
                (float(x or 0), row["value"])
                for x, row in zip(across, rows, strict=True)
                if row["step"] == step
            ],
            is_line=by is None,
        )
        for step in dict.fromkeys(row["step"] for row in rows)
    ]
    return _with_chart(table, draw_chart(series, x=by or "", y=metric, names=names))


def history_rows(metric: str, steps: Sequence[Step], *, by: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of `history`, for JSON: run, step, value, when it started, and the value of the parameter."""
    return [
        {
            "run": step.run,
            "step": step.name,
            "value": step.metrics[metric].last,
            "started": step.started,
            **(
                {}
                if by is None
                else {"by": glance(step.inputs[by], alone=True) if by in step.inputs else "–"}
            ),
        }
        for step in steps
    ]


def _with_chart(table: Table, picture: str) -> View:
    if not table.data:
        return note(table.empty)
    return join([View("", box(svg_image(picture, alt=table.text.replace("\n", "; ")))), table])


def _float(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _side_by_side(runs: Sequence[Run], found: Sequence[Mapping[str, Any]], title: str) -> Table:
    labels = [f"run {run.id}" for run in runs]
    rows = [
        {"what": known, **{label: each.get(known) for label, each in zip(labels, found, strict=True)}}
        for known in dict.fromkeys(name for each in found for name in each)
    ]
    columns = (
        Column.of("name", "what", "", most=32),
        *(Column.of("names", label, most=24, **_NUMBER) for label in labels),
    )
    return Table(columns=columns, data=rows, title=title)


def _shown(value: Any) -> str:
    return number(value) if isinstance(value, float) else clean(value or "")


_NUMBER: Mapping[str, Any] = {
    "show": _shown,
    "markup": lambda value: escape(_shown(value)),
    "right": True,
}


def _latest(steps: Sequence[Step]) -> Mapping[str, Step]:
    return {step.name: step for step in steps if step.metrics or not step.is_element}
