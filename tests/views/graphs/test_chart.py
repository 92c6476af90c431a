"""Charts: round numbers on the axes, and nothing that a picture must not hold."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.safe_html import check_svg
from zennb.views.graphs.chart import Series, draw_chart, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 97.0, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
        (-3.0, 4.0, [-4.0, -2.0, 0.0, 2.0, 4.0]),
        (5.0, 5.0, [4.4, 4.6, 4.8, 5.0, 5.2, 5.4, 5.6]),
        (0.0, 0.0, [-1.0, -0.5, 0.0, 0.5, 1.0]),
    ],
)
def test_axes_have_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_an_axis_covers_its_values(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high)
    assert 2 <= len(found) <= 12
    slack = (high - low) * 1e-6 + abs(high) * 1e-9 + 1e-300
    assert found[0] <= low + slack
    assert found[-1] >= high - slack


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5), max_size=10), st.text(max_size=80))
def test_whatever_is_logged_can_be_drawn(found: list[list[tuple[float, float]]], name: str) -> None:
    check_svg(draw_chart([Series(name=name, points=each) for each in found], x=name, y=name).encode())


def test_a_point_that_is_no_number_leaves_a_gap() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 1.0), (4.0, 2.0)]
    drawn = draw_chart([Series(points=points)], x="x", y="y")
    assert drawn.count('stroke-width="1.6"') == 2


def test_numbers_that_read_the_same_are_drawn_as_equal() -> None:
    drawn = draw_chart([Series(points=[(0.0, 0.5), (1.0, 0.5000000001)])], x="x", y="loss", names=["a", "b"])
    labels = re.findall(r">([\d.]+)<", drawn)
    assert len(labels) == len(set(labels))


def test_the_title_stands_above_the_labels_of_its_axis() -> None:
    drawn = draw_chart([Series(points=[(0.0, 1.0), (1.0, 2.0)])], x="x", y="loss", names=["a", "b"])
    places = {text: float(y) for y, text in re.findall(r'<text x="[^"]+" y="([^"]+)"[^>]*>([^<]+)<', drawn)}
    assert min(y for text, y in places.items() if text != "loss") > places["loss"] + 12


def test_categories_stand_below_their_points() -> None:
    drawn = draw_chart([Series(points=[(0.0, 1.0), (1.0, 2.0)])], x="", y="y", names=["small", "<b>"])
    assert "small" in drawn
    assert "&lt;b&gt;" in drawn
