"""Owns the view of a graph: a picture, and the same as text, which is also its alt text."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from zennb.views.graphs.drawing import Node, draw
from zennb.views.mark import mark
from zennb.views.markup import block, box, details, svg_image
from zennb.views.text import clean, width
from zennb.views.view import View, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Node", "graph", "in_words"]

PAGE = 80
BY_FILE = "⇢"
"""The arrow to and from a file that one step writes and another reads."""


def graph(nodes: Sequence[Node], edges: Iterable[tuple[str, str]], *, empty: str = "nothing to draw") -> View:
    """Show a graph.

    Args:
        nodes: in the preferred order.
        edges: pairs of node ids (the keys of `Plan.edges` will do).
        empty: the sentence shown when there are no nodes.

    Raises:
        PlanError: an edge names an unknown node, or the edges form a cycle.
    """
    if not nodes:
        return note(empty)
    pairs = list(dict.fromkeys(edges))
    text = in_words(nodes, pairs)
    picture = svg_image(draw(nodes, pairs), alt=text.replace("\n", "; "))
    return View(text, box(f"<div>{picture}</div>{details('as text', block(text))}"))


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
