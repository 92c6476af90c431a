"""Owns the geometry of a graph: the position of each box and the path of each edge, in pixels.

Layers come from `layers`. Within a layer, places move towards their neighbours as far as order and distance
allow; the least-squares positions are found by pooling neighbours that would collide.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from zennb.views.graphs.layers import Layered, Place, arrange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["Box", "Layout", "Point", "layout"]

Point: TypeAlias = tuple[float, float]

GAP_ALONG, GAP_DOWN = 36.0, 28.0
GAP_ACROSS = 14.0
THICKNESS = 4.0
MARGIN = 3.0
SETTLING, MANY = 40, 600
"""Rounds of settling; drawings with very many places get fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The box of one node: its layer, upper left corner and size in pixels."""

    layer: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The positions of a drawing.

    Attributes:
        boxes: node → its box.
        paths: one list of points per link; straight through layers, curved between (see `drawing`).
        dashes: the same for links that are drawn dashed.
        arrows: where edges end.
        width: of the whole, in pixels.
        height: of the whole, in pixels.
        down: whether edges run downwards; else to the right.
    """

    boxes: Mapping[str, Box]
    paths: Sequence[tuple[Point, Point]]
    dashes: Sequence[tuple[Point, Point]]
    arrows: Sequence[Point]
    width: float
    height: float
    down: bool


def layout(
    sizes: Mapping[str, tuple[float, float]],
    edges: Iterable[tuple[str, str]],
    *,
    dashed: Collection[str] = (),
    down: bool = False,
) -> Layout:
    """Place nodes so that no boxes touch and every edge leads to a later layer.

    Boxes of one layer are made equally long in the direction of the edges.

    Args:
        sizes: node → least width and height of its box in pixels.
        edges: pairs of nodes.
        dashed: nodes whose edges are drawn dashed.
        down: edges run downwards instead of to the right.

    Raises:
        PlanError: an edge names an unknown node, or the edges form a cycle.
    """
    layered = arrange(list(sizes), edges)
    length = {node: high if down else wide for node, (wide, high) in sizes.items()}
    breadth = {node: wide if down else high for node, (wide, high) in sizes.items()}
    spans = _spans(layered, length, GAP_DOWN if down else GAP_ALONG)
    centres = _centres(layered, breadth)
    far = max((end for _, end in spans), default=0.0) + MARGIN
    wide = (
        max((centres[place] + _breadth(place, layered, breadth) / 2 for place in centres), default=0.0)
        + MARGIN
    )

    def turn(along: float, across: float) -> Point:
        return (across, along) if down else (along, across)

    boxes = {}
    for node, layer in layered.layer.items():
        start, end = spans[layer]
        x, y = turn(start, centres[node, layer] - breadth[node] / 2)
        box_width, box_height = turn(end - start, breadth[node])
        boxes[node] = Box(layer=layer, x=x, y=y, width=box_width, height=box_height)
    paths: dict[bool, list[tuple[Point, Point]]] = {False: [], True: []}
    for nodes, first, last in _paths(layered, spans, centres):
        paths[not nodes.isdisjoint(dashed)].append((turn(*first), turn(*last)))
    ends = dict.fromkeys(
        turn(spans[at][0], centres[node, at]) for _, (node, at) in layered.links if layered.layer[node] == at
    )
    width, height = turn(far, wide)
    return Layout(
        boxes=boxes,
        paths=paths[False],
        dashes=paths[True],
        arrows=list(ends),
        width=width,
        height=height,
        down=down,
    )


def _spans(layered: Layered, length: Mapping[str, float], gap: float) -> list[Point]:
    """Return where each layer starts and ends in the direction of the edges."""
    spans: list[Point] = []
    start = MARGIN
    for row in layered.rows:
        end = start + max(length[node] for node, at in row if layered.layer[node] == at)
        spans.append((start, end))
        start = end + gap
    return spans


def _paths(
    layered: Layered, spans: Sequence[Point], centres: Mapping[Place, float]
) -> list[tuple[frozenset[str], Point, Point]]:
    """Return every piece of an edge: the nodes it belongs to, where it starts and where it ends."""
    between = [
        (
            frozenset({one[0], other[0]}),
            (spans[one[1]][1], centres[one]),
            (spans[other[1]][0], centres[other]),
        )
        for one, other in layered.links
    ]
    through = [
        (frozenset({node}), (spans[at][0], centres[node, at]), (spans[at][1], centres[node, at]))
        for row in layered.rows
        for node, at in row
        if layered.layer[node] != at
    ]
    return between + through


def _breadth(place: Place, layered: Layered, breadth: Mapping[str, float]) -> float:
    node, at = place
    return breadth[node] if layered.layer[node] == at else THICKNESS


def _centres(layered: Layered, breadth: Mapping[str, float]) -> dict[Place, float]:
    """Return the position of each place across the direction of the edges, the whole moved to the margin."""
    neighbours: dict[Place, list[tuple[Place, float]]] = {place: [] for row in layered.rows for place in row}
    for one, other in layered.links:
        # How many of the two ends are dummy nodes: between two of them the line passes through and should not bend.
        passing = sum(layered.layer[node] != at for node, at in (one, other))
        weight = (1.0, 2.0, 8.0)[passing]  # keeps long edges straight
        neighbours[one].append((other, weight))
        neighbours[other].append((one, weight))
    order = [(row, _distances(row, layered, breadth)) for row in layered.rows]
    centres = {
        place: at - offsets[-1] / 2 for row, offsets in order for place, at in zip(row, offsets, strict=True)
    }
    for turn in range(SETTLING if len(centres) < MANY else SETTLING // 5):
        # From both sides in turn: what moves in one layer reaches the far end within one round.
        for row, offsets in order if turn % 2 == 0 else reversed(order):
            wishes = [_wish(place, neighbours[place], centres) for place in row]
            centres.update(zip(row, _settle(wishes, offsets), strict=True))
    low = min((centres[place] - _breadth(place, layered, breadth) / 2 for place in centres), default=0.0)
    return {place: centre - low + MARGIN for place, centre in centres.items()}


def _distances(row: Sequence[Place], layered: Layered, breadth: Mapping[str, float]) -> list[float]:
    """Return the least distance of each place from the first of its row."""
    offsets = [0.0]
    for one, other in pairwise(row):
        sides = (_breadth(one, layered, breadth) + _breadth(other, layered, breadth)) / 2
        offsets.append(offsets[-1] + sides + GAP_ACROSS)
    return offsets


def _wish(
    place: Place, neighbours: Sequence[tuple[Place, float]], centres: Mapping[Place, float]
) -> tuple[float, float]:
    weight = sum(each for _, each in neighbours)
    if not weight:
        # Nothing to be near to: it stays, unless others need the room.
        return centres[place], 0.01
    return sum(centres[other] * each for other, each in neighbours) / weight, weight


def _settle(wishes: Sequence[tuple[float, float]], offsets: Sequence[float]) -> list[float]:
    """Return the positions nearest to the wishes (position, weight) that keep order and distances.

    Isotonic regression by pooling adjacent violators, on positions less their least offsets.
    """
    pools: list[tuple[float, float, int]] = []
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        # Less the least offset, "keep the distance" becomes "do not decrease", which is what
        # isotonic regression keeps.
        mean, mass, members = wish - offset, weight, 1
        # Neighbours that would collide become one pool at their weighted mean, and that may
        # collide with the pool before it.
        while pools and pools[-1][0] > mean:
            other, others_mass, others = pools.pop()
            mean = (mean * mass + other * others_mass) / (mass + others_mass)
            mass, members = mass + others_mass, members + others
        pools.append((mean, mass, members))
    flat = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]
