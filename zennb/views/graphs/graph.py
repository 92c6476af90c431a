"""Owns the view of a graph: a picture, and the same as text, which is also its alt text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from zennb.views.graphs.drawing import Node, draw
from zennb.views.graphs.fold import MOST, fold
from zennb.views.mark import mark
from zennb.views.markup import block, box, details, muted, prose, svg_image
from zennb.views.text import clean, plural, width
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["Graph", "Node", "folded", "graph", "in_words"]

PAGE = 80
BY_FILE = "⇢"
"""The arrow to and from a file that one step writes and another reads."""


@dataclass(frozen=True, slots=True, repr=False)
class Graph(View):
    """A graph as text, as a picture, and as what a panel needs to draw it with links.

    Attributes:
        nodes: all of them, none folded.
        edges: pairs of their ids.
    """

    nodes: Sequence[Node] = field(default=(), kw_only=True)
    edges: Sequence[tuple[str, str]] = field(default=(), kw_only=True)


def folded(
    nodes: Sequence[Node], edges: Sequence[tuple[str, str]], *, kept: Collection[str] = (), most: int = MOST
) -> tuple[list[Node], list[tuple[str, str]], dict[str, Sequence[str]]]:
    """Fold a large graph; return its nodes and edges, and node → the nodes that it stands for.

    Args:
        nodes: in the preferred order.
        edges: pairs of ids.
        kept: ids of nodes that are not folded, beside the current one.
        most: nodes that may be left.
    """
    known = {node.id: node for node in nodes}
    current = [node.id for node in nodes if node.current]
    states = {node.id: (str(node.state), node.shape) for node in nodes}
    found = fold(states, edges, most=most, kept={*kept, *current})
    groups = {first: group for first, group in found.groups.items() if len(group) > 1}
    left = [
        _together([known[each] for each in group]) if first in groups else known[first]
        for first, group in found.groups.items()
    ]
    return left, list(found.edges), groups


def _together(nodes: Sequence[Node]) -> Node:
    """Return the node that stands for several: `12 steps: load_1 …`, with the state that most of them have."""
    names = [clean(node.label) for node in nodes]
    noun = "step" if all(node.shape == "step" for node in nodes) else "node"
    label = f"{plural(len(nodes), noun)}: {names[0]} …"
    states = Counter(str(node.state) for node in nodes if node.state)
    more = {"state": states.most_common(1)[0][0]} if len(states) == 1 else {"state": ""}
    remark = ", ".join(f"{number} {mark(state).word}" for state, number in states.most_common())
    return replace(nodes[0], label=label, note=remark, target="", current=False, **more)


def graph(
    nodes: Sequence[Node], edges: Iterable[tuple[str, str]], *, empty: str = "nothing to draw"
) -> Graph:
    """Show a graph. In the picture of a large one, nodes that stand side by side or in a row are folded.

    Args:
        nodes: in the preferred order.
        edges: pairs of node ids (the keys of `Plan.edges` will do).
        empty: the sentence shown when there are no nodes.

    Raises:
        PlanError: an edge names an unknown node, or the edges form a cycle.
    """
    if not nodes:
        return Graph(clean(empty), box(muted(prose(empty))))
    pairs = list(dict.fromkeys(edges))
    text = in_words(nodes, pairs)
    few, between, _ = folded(nodes, pairs) if len(nodes) > MOST else (nodes, pairs, {})
    picture = svg_image(draw(few, between), alt=text.replace("\n", "; "))
    shown = box(f"<div>{picture}</div>{details('as text', block(text))}")
    return Graph(text, shown, nodes=nodes, edges=pairs)


def in_words(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> str:
    """Return the graph as chains, each edge once: `load → split → train`; and what the symbols mean."""
    known = {node.id: node for node in nodes}
    shown: set[str] = set()

    def label(node_id: str) -> str:
        node = known[node_id]
        symbol = f"{mark(node.state).symbol} " if node.state and node_id not in shown else ""
        shown.add(node_id)
        return f"{symbol}{clean(node.label)}"

    def arrow(start: str, end: str) -> str:
        return BY_FILE if known[start].is_file or known[end].is_file else "→"

    lines = []
    for chain in _chains(list(known), edges):
        arrows = ["", *(arrow(start, end) for start, end in pairwise(chain))]
        lines += _folded([(sign, label(each)) for sign, each in zip(arrows, chain, strict=True)])
    legend = _legend(nodes)
    return "\n".join([*lines, *([legend] if legend else [])])


def _chains(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    after: dict[str, list[str]] = {node: [] for node in nodes}
    targets = set()
    for source, target in dict.fromkeys(edges):
        after[source].append(target)
        targets.add(target)
    chains = []
    lonely = {node for node in nodes if not after[node] and node not in targets}
    for node in nodes:
        if node in lonely:
            chains.append([node])
        # Each edge once: a chain follows the first edge that is left, as far as it leads.
        while after[node]:
            chain = [node]
            while after[chain[-1]]:
                chain.append(after[chain[-1]].pop(0))
            chains.append(chain)
    return chains


def _folded(words: Sequence[tuple[str, str]]) -> list[str]:
    """Return a chain of (arrow, label) in lines that fit the page; lines after the first are indented."""
    lines = [words[0][1]]
    for arrow, word in words[1:]:
        longer = f"{lines[-1]} {arrow} {word}"
        if width(longer) <= PAGE:
            lines[-1] = longer
        else:
            lines.append(f"    {arrow} {word}")
    return lines


def _legend(nodes: Sequence[Node]) -> str:
    looks = dict.fromkeys((mark(node.state).symbol, mark(node.state).word) for node in nodes if node.state)
    if any(node.is_file for node in nodes):
        looks[BY_FILE, "by a file"] = None
    return f"({'  '.join(f'{symbol} {word}' for symbol, word in looks)})" if looks else ""
