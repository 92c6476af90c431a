"""Metrics: which numbers are taken, and how long curves are thinned out."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.records.metrics import MOST_POINTS, Curve, checked_metrics, checked_position
from zennb.errors import UsageError


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.array(0.25), 0.25),
        (np.array([0.25]).sum(), 0.25),
        (np.array([[0.25]]), 0.25),
        (Fraction(1, 4), 0.25),
        (Decimal("0.5"), 0.5),
        (math.inf, math.inf),
    ],
)
def test_what_stands_for_one_number_is_a_metric(value: Any, number: float) -> None:
    assert checked_metrics({"m": value}) == {"m": number}
    assert type(checked_metrics({"m": value})["m"]) is float


@pytest.mark.parametrize("value", ["0.5", b"1", None, [1, 2], {}, np.arange(3), 1 + 2j, 10**400])
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(UsageError, match=r"metric 'loss/train' is .*; a metric is one number"):
        checked_metrics({"loss/train": value})


@pytest.mark.parametrize("step", [None, 0, -3, True, 5.0, np.int64(7), np.float64(2), 2**53])
def test_a_whole_number_is_a_position(step: Any) -> None:
    found = checked_position(step)
    assert found == step
    assert step is None or type(found) is int


@pytest.mark.parametrize("step", ["1", 1.5, math.nan, math.inf, 10**30, [1], np.arange(2), 1j])
def test_a_position_that_no_chart_could_show_is_refused(step: Any) -> None:
    with pytest.raises(UsageError, match="give a whole number"):
        checked_position(step)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, 3])
def test_a_name_that_lists_cannot_show_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a metric"):
        checked_metrics({name: 1})


@given(st.integers(1, 5 * MOST_POINTS))
def test_of_a_long_curve_the_ends_are_kept(count: int) -> None:
    curve = Curve()
    for position in range(count):
        curve.add(position, position * 0.5)
    metric = curve.metric()
    assert metric.count == count
    assert len(metric.points) <= MOST_POINTS + 1
    assert metric.points[0] == (0, 0.0)
    assert metric.points[-1] == (count - 1, metric.last) == (count - 1, (count - 1) * 0.5)
    positions = [position for position, _ in metric.points]
    assert positions == sorted(set(positions))
    gaps = {after - before for before, after in pairwise(positions[:-1])}
    assert len(gaps) <= 1  # evenly spread, but for the last one
    assert count > MOST_POINTS or len(positions) == count
