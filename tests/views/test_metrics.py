"""Views of metrics: values and curves as text, several runs side by side, and charts."""

from __future__ import annotations

import math

import pytest

from tests.views.safe_html import check_html
from zennb.core.records.metrics import Curve, Metric
from zennb.core.records.records import Artifact, ComponentSpec, Run, StackSpec, Status, Step
from zennb.views.metrics import (
    curves,
    history,
    history_rows,
    metrics,
    metrics_side_by_side,
    number,
    parameters_side_by_side,
    sparkline,
)

STACK = StackSpec(
    name="default",
    components={"orchestrator": ComponentSpec(type="orchestrator", name="default", flavor="local")},
)


def _metric(*values: float) -> Metric:
    curve = Curve()
    for position, value in enumerate(values):
        curve.add(position, value)
    return curve.metric()


def _step(name: str, run: int = 1, *, alpha: float | None = None, **found: float) -> Step:
    made = Artifact(
        name="alpha",
        digest="d",
        blob="b",
        materializer="m",
        size=1,
        type="float",
        summary={"kind": "scalar", "text": repr(alpha)},
    )
    return Step(
        name=name,
        run=run,
        status=Status.COMPLETED,
        started=1_773_063_900.0,
        inputs={} if alpha is None else {"alpha": made},
        metrics={metric: _metric(value) for metric, value in found.items()},
    )


def _run(number: int, **parameters: str) -> Run:
    return Run(id=number, stack=STACK, status=Status.COMPLETED, parameters=parameters)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.93, "0.93"),
        (1 / 3, "0.333333"),
        (1e-9, "1e-09"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (None, ""),
    ],
)
def test_numbers_have_six_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ((3.0,), ""),
        ((0.0, 1.0), "▁█"),
        ((1.0, 1.0), "▅▅"),
        ((0.0, math.nan, 7.0), "▁·█"),
        ((0.0, math.inf, -math.inf, 1.0), "▁█▁█"),
        ((-1e308, 1e308), "▁█"),
        ((math.nan, math.nan), "··"),
    ],
)
def test_a_curve_is_a_line_of_bars(values: tuple[float, ...], bars: str) -> None:
    assert sparkline(_metric(*values)) == bars


def test_a_long_curve_keeps_its_ends() -> None:
    bars = sparkline(_metric(*map(float, range(500))))
    assert (len(bars), bars[0], bars[-1]) == (24, "▁", "█")


def test_metrics_of_a_run_are_listed_by_step() -> None:
    steps = [_step("train", loss=2.0), _step("train", loss=1.0, accuracy=0.5)]
    assert metrics(steps).text == (
        "metrics\n"
        "step   metric    value\n"
        "──────────────────────\n"
        "train  loss          1\n"
        "train  accuracy    0.5"
    )


def test_several_runs_stand_side_by_side() -> None:
    sides = [
        (_run(1, alpha="0.1"), [_step("train", loss=2.0)]),
        (_run(2, alpha="0.3", beta="1"), [_step("train", loss=1.0, accuracy=0.5)]),
        (_run(3), [_step("train", accuracy=0.7), _step("tune", accuracy=0.8)]),
    ]
    assert metrics_side_by_side(sides).rows() == [
        {"what": "loss", "run 1": 2.0, "run 2": 1.0, "run 3": None},
        {"what": "accuracy", "run 1": None, "run 2": 0.5, "run 3": None},
        {"what": "train.accuracy", "run 1": None, "run 2": None, "run 3": 0.7},
        {"what": "tune.accuracy", "run 1": None, "run 2": None, "run 3": 0.8},
    ]
    assert parameters_side_by_side(sides).rows() == [
        {"what": "alpha", "run 1": "0.1", "run 2": "0.3", "run 3": None},
        {"what": "beta", "run 1": None, "run 2": "1", "run 3": None},
    ]


@pytest.mark.parametrize("by", [None, "alpha", "beta"])
@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, 1e308, 0.0])
def test_a_chart_over_runs_is_a_picture_with_a_table(by: str | None, value: float) -> None:
    steps = [_step("train", 1, alpha=0.1, loss=value), _step("train<b>", 2, alpha=0.3, loss=1.0)]
    view = history("loss", steps, by=by)
    assert number(value) in view.text
    check_html(view.html)
    assert view.html.count("<img") == 1


def test_a_chart_by_an_input_shows_its_values() -> None:
    steps = [_step("train", 1, alpha=0.1, loss=2.0), _step("train", 2, loss=1.0)]
    assert [row["by"] for row in history_rows("loss", steps, by="alpha")] == ["0.1", "–"]


def test_curves_of_runs_leave_out_those_without_the_metric() -> None:
    sides = [(_run(1), [_step("train", loss=2.0)]), (_run(2), [_step("train", other=1.0)])]
    view = curves("loss", sides)
    assert "run 1" in view.text
    assert "run 2" not in view.text
    check_html(view.html)


def test_without_any_value_there_is_a_sentence_and_no_picture() -> None:
    assert history("loss", []).text == "no step logged `loss`"
    assert "<img" not in curves("loss", []).html
