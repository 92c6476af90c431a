"""Owns the order of a layered drawing: the layer of each node, and its place within the layer.

After Sugiyama, Tagawa and Toda: longest-path layers, dummy nodes where an edge passes a layer, and barycentre
sweeps, of which the one with the fewest crossings wins. All edges of a node share dummy nodes: a value
that many steps read is drawn as one line that forks.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from zennb.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["Layered", "Place", "arrange"]

Place: TypeAlias = tuple[str, int]
"""A node in its own layer, or its dummy node in a later one: (node, layer)."""

SWEEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layered:
    """Nodes and dummy nodes in order.

    Attributes:
        layer: node → its layer, 0 first.
        rows: per layer the places in it, in order.
        links: (place, place in the next layer) pairs that edges run through.
    """

    layer: Mapping[str, int]
    rows: Sequence[Sequence[Place]]
    links: Collection[tuple[Place, Place]]


def arrange(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layered:
    """Order nodes into layers such that every edge leads to a later layer.

    Args:
        nodes: in the preferred order.
        edges: pairs of nodes; repeated pairs count once.

    Raises:
        PlanError: an edge names an unknown node, or the edges form a cycle.
    """
    pairs = list(dict.fromkeys(edges))
    for pair in pairs:
        for node in pair:
            if node not in nodes:
                raise PlanError(f"an edge of the graph names '{node}', which is not one of its nodes.")
    layer = _layers(nodes, pairs)
    links = _links(layer, pairs)
    rows = _rows(nodes, layer, links)
    return Layered(layer=layer, rows=_fewest_crossings(rows, links), links=links)


def _layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    waiting = {node: len(before[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    layer: dict[str, int] = {}
    for node in ready:  # grows during the loop
        # One behind the last of those it waits for: the longest path to a node decides its layer.
        layer[node] = 1 + max((layer[other] for other in before[node]), default=-1)
        for other in after[node]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    if len(layer) < len(nodes):
        circle = ", ".join(node for node in nodes if node not in layer)
        raise PlanError(f"the graph cannot be drawn, because these wait for each other: {circle}.")
    for node in nodes:  # place a source next to its first reader, not at the far left
        if not before[node] and after[node]:
            layer[node] = min(layer[other] for other in after[node]) - 1
    return layer


def _links(layer: Mapping[str, int], edges: Iterable[tuple[str, str]]) -> dict[tuple[Place, Place], None]:
    found: dict[tuple[Place, Place], None] = {}
    for source, target in edges:
        # Dummy nodes of the source in every layer that the edge passes, so that each link joins two
        # layers that are neighbours.
        for at in range(layer[source], layer[target] - 1):
            found[(source, at), (source, at + 1)] = None
        found[(source, layer[target] - 1), (target, layer[target])] = None
    return found


def _rows(
    nodes: Sequence[str], layer: Mapping[str, int], links: Iterable[tuple[Place, Place]]
) -> list[list[Place]]:
    places = dict.fromkeys((node, layer[node]) for node in nodes)
    places |= dict.fromkeys(place for pair in links for place in pair)
    rows: list[list[Place]] = [[] for _ in range(1 + max((at for _, at in places), default=-1))]
    for place in places:
        rows[place[1]].append(place)
    return rows


def _fewest_crossings(rows: list[list[Place]], links: Iterable[tuple[Place, Place]]) -> list[list[Place]]:
    up: dict[Place, list[Place]] = {}
    down: dict[Place, list[Place]] = {}
    for source, target in links:
        up.setdefault(target, []).append(source)
        down.setdefault(source, []).append(target)
    best, fewest = [list(row) for row in rows], _crossings(rows, down)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        # A sweep orders each layer by the one before it, the next one in the other direction; either may undo a part
        # of what the other reached, so the best order met is kept.
        forward = sweep % 2 == 0
        for at in range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1):
            fixed = rows[at - 1] if forward else rows[at + 1]
            rows[at] = _by_centre(rows[at], fixed, up if forward else down)
        now = _crossings(rows, down)
        if now < fewest:
            best, fewest = [list(row) for row in rows], now
    return best


def _by_centre(
    row: Sequence[Place], fixed: Sequence[Place], neighbours: Mapping[Place, Sequence[Place]]
) -> list[Place]:
    at = {place: number for number, place in enumerate(fixed)}

    def centre(item: tuple[int, Place]) -> float:
        number, place = item
        others = neighbours.get(place, ())
        # The barycentre: the mean place of the neighbours. Edges between layers ordered by it seldom cross.
        return sum(at[other] for other in others) / len(others) if others else float(number)

    return [place for _, place in sorted(enumerate(row), key=centre)]


def _crossings(rows: Sequence[Sequence[Place]], down: Mapping[Place, Sequence[Place]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        at = {place: number for number, place in enumerate(lower)}
        seen: list[int] = []
        for place in upper:
            ends = sorted(at[other] for other in down.get(place, ()))
            # Two links cross when one starts above the other and ends below it. `seen` holds the ends of all links
            # that start above, in order, so those that end further down are counted without looking at each pair.
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total
