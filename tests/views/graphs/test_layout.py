from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.errors import PlanError
from zennb.views.graphs.layers import arrange
from zennb.views.graphs.layout import layout


@st.composite
def dags(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    number = draw(st.integers(1, 24))
    side = st.integers(20, 200).map(float)
    sizes = {f"n{at}": (draw(side), draw(side)) for at in range(number)}
    pairs = st.tuples(st.integers(0, number - 1), st.integers(0, number - 1))
    edges = draw(st.lists(pairs, max_size=60))
    return sizes, [(f"n{min(pair)}", f"n{max(pair)}") for pair in edges if pair[0] != pair[1]]


@given(dags(), st.booleans())
def test_every_edge_leads_to_a_later_layer_and_further_on(
    dag: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]], down: bool
) -> None:
    sizes, edges = dag
    boxes = layout(sizes, edges, down=down).boxes
    for source, target in edges:
        one, other = boxes[source], boxes[target]
        assert one.layer < other.layer
        assert (one.y + one.height < other.y) if down else (one.x + one.width < other.x)


@given(dags(), st.booleans())
def test_boxes_stay_apart_and_on_the_sheet(
    dag: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]], down: bool
) -> None:
    sizes, edges = dag
    placed = layout(sizes, edges, down=down)
    boxes = list(placed.boxes.values())
    assert set(placed.boxes) == set(sizes)
    for at, one in enumerate(boxes):
        assert 0 <= one.x <= one.x + one.width <= placed.width + 1e-6
        assert 0 <= one.y <= one.y + one.height <= placed.height + 1e-6
        for other in boxes[at + 1 :]:
            apart = (
                one.x + one.width < other.x + 1e-6
                or other.x + other.width < one.x + 1e-6
                or one.y + one.height < other.y + 1e-6
                or other.y + other.height < one.y + 1e-6
            )
            assert apart


@given(dags())
def test_boxes_have_room_for_what_they_hold(
    dag: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    sizes, edges = dag
    for node, box in layout(sizes, edges).boxes.items():
        assert box.width >= sizes[node][0] - 1e-6
        assert box.height >= sizes[node][1] - 1e-6


@given(dags())
def test_lines_run_through_no_box(dag: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]) -> None:
    sizes, edges = dag
    placed = layout(sizes, edges)
    for (x0, y0), (x1, _) in placed.paths:
        for box in placed.boxes.values():
            inside_layer = box.x - 1e-6 <= x0 and x1 <= box.x + box.width + 1e-6
            assert not (inside_layer and box.y < y0 < box.y + box.height)
            assert not (x0 < box.x - 1e-6 and x1 > box.x + 1e-6)


def test_a_chain_is_straight() -> None:
    boxes = layout(dict.fromkeys("abcd", (50.0, 30.0)), [("a", "b"), ("b", "c"), ("c", "d")]).boxes
    assert len({round(box.y, 3) for box in boxes.values()}) == 1


def test_crossings_that_can_be_avoided_are_avoided() -> None:
    rows = arrange(["a", "b", "x", "y"], [("a", "y"), ("b", "x")]).rows
    assert [[node for node, _ in row] for row in rows] in ([["a", "b"], ["y", "x"]], [["b", "a"], ["x", "y"]])


def test_a_source_that_is_used_late_stands_next_to_its_reader() -> None:
    layers = arrange(["a", "b", "c", "alpha"], [("a", "b"), ("b", "c"), ("alpha", "c")]).layer
    assert layers["alpha"] == 1


def test_an_empty_graph_has_an_empty_layout() -> None:
    assert layout({}, []).boxes == {}


def test_two_hundred_steps_are_laid_out() -> None:
    sizes = {f"n{at}": (90.0, 40.0) for at in range(200)}
    edges = [(f"n{at // 2}", f"n{at}") for at in range(1, 200)] + [
        (f"n{at - 7}", f"n{at}") for at in range(7, 200, 3)
    ]
    assert len(layout(sizes, edges).boxes) == 200


@pytest.mark.parametrize("edges", [[("a", "b"), ("b", "a")], [("a", "a")], [("a", "nobody")]])
def test_what_cannot_be_drawn_is_refused(edges: list[tuple[str, str]]) -> None:
    with pytest.raises(PlanError):
        layout(dict.fromkeys("ab", (1.0, 1.0)), edges)
