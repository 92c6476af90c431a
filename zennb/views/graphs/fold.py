"""Owns the folding of large graphs: steps in a row, and steps between the same others, become one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

__all__ = ["MOST", "Folded", "fold"]

MOST = 40
"""Nodes up to which a graph is shown as it is, and to which a larger one is folded if it can be."""

Edge = tuple[str, str]
"""From one node to one behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A graph in which some nodes stand for several.

    Attributes:
        groups: node → the nodes that it stands for, itself alone if it is none of several; in the given order.
        edges: between the nodes.
    """

    groups: Mapping[str, Sequence[str]]
    edges: Sequence[Edge]


def fold(
    nodes: Mapping[str, Hashable], edges: Sequence[Edge], *, most: int = MOST, kept: Collection[str] = ()
) -> Folded:
    """Fold a graph until it has at most so many nodes. It stays free of cycles.

    Nodes of one state are folded first, so that the one that failed among two hundred is seen.

    Args:
        nodes: id → its state, in the preferred order.
        edges: pairs of ids.
        most: nodes that may be left.
        kept: ids of nodes that are never folded.
    """
    graph = _Graph(nodes, edges, most, frozenset(kept))
    if not graph.is_sound:  # whoever draws it says what is wrong
        return Folded(groups=graph.groups, edges=edges)
    for mixes in (False, True):
        while graph.is_large and (graph.fold_twins(mixes=mixes) or graph.fold_rows(mixes=mixes)):
            pass
    graph.fold_layers()
    return Folded(groups=graph.groups, edges=list(graph.edges))


class _Graph:
    """A graph that is folded step by step."""

    def __init__(
        self, nodes: Mapping[str, Hashable], edges: Sequence[Edge], most: int, kept: frozenset[str]
    ) -> None:
        self.groups: dict[str, list[str]] = {node: [node] for node in nodes}
        self.edges: dict[Edge, None] = dict.fromkeys(edges)
        self._state = dict(nodes)
        self._most, self._kept = most, kept

    @property
    def is_large(self) -> bool:
        return len(self.groups) > self._most

    @property
    def is_sound(self) -> bool:
        """Whether the edges name only known nodes, and form no cycle."""
        is_known = all(node in self.groups for edge in self.edges for node in edge)
        return is_known and len(self._sorted(*self._around())) == len(self.groups)

    def fold_twins(self, *, mixes: bool) -> bool:
        """Fold nodes that come after the same nodes and before the same ones."""
        before, after = self._around()
        twins: dict[Hashable, list[str]] = {}
        for node in self.groups:
            if node not in self._kept:
                state = None if mixes else self._state[node]
                twins.setdefault((frozenset(before[node]), frozenset(after[node]), state), []).append(node)
        return self._join([found for found in twins.values() if len(found) > 1])

    def fold_rows(self, *, mixes: bool) -> bool:
        """Fold nodes of which each is the only one after the one before it."""
        before, after = self._around()
        rows: dict[str, list[str]] = {}
        for node in self._sorted(before, after):
            only = before[node][0] if len(before[node]) == 1 else ""
            joins = only and len(after[only]) == 1 and not {only, node} & self._kept
            if joins and (mixes or self._state[only] == self._state[node]):
                rows[node] = rows[only]
                rows[only].append(node)
            else:
                rows[node] = [node]
        return self._join([row for first, row in rows.items() if row[0] == first and len(row) > 1])

    def fold_layers(self) -> None:
        """Fold nodes that are equally far from the beginning, the largest such layer first."""
        before, after = self._around()
        depth: dict[str, int] = {}
        for node in self._sorted(before, after):
            depth[node] = max((depth[each] + 1 for each in before[node]), default=0)
        layers: dict[int, list[str]] = {}
        for node in self.groups:
            if node not in self._kept:
                layers.setdefault(depth[node], []).append(node)
        for layer in sorted(layers.values(), key=len, reverse=True):
            if self.is_large and len(layer) > 1:
                self._join([layer])

    def _around(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        before: dict[str, list[str]] = {node: [] for node in self.groups}
        after: dict[str, list[str]] = {node: [] for node in self.groups}
        for start, end in self.edges:
            before[end].append(start)
            after[start].append(end)
        return before, after

    def _sorted(self, before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> list[str]:
        """Return the nodes with each behind those before it."""
        open_edges = {node: len(each) for node, each in before.items()}
        found = [node for node, number in open_edges.items() if not number]
        for node in found:
            for each in after[node]:
                open_edges[each] -= 1
                if not open_edges[each]:
                    found.append(each)
        return found

    def _join(self, sets: Sequence[Sequence[str]]) -> bool:
        """Let the first node of each set stand for all of it."""
        stands = {node: found[0] for found in sets for node in found}
        for found in sets:
            state = {self._state[node] for node in found}
            self._state[found[0]] = state.pop() if len(state) == 1 else None
            for node in found[1:]:
                self.groups[found[0]] += self.groups.pop(node)
        moved = ((stands.get(start, start), stands.get(end, end)) for start, end in self.edges)
        self.edges = {pair: None for pair in moved if pair[0] != pair[1]}
        return bool(sets)
