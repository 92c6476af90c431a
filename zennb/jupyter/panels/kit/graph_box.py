"""Owns `GraphBox`: a graph whose nodes are links, with zoom, and folding and a search where it is large."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from zennb.jupyter.panels.kit.arrange import bar, filter_field, group, html, toggle
from zennb.views.graphs.drawing import draw
from zennb.views.graphs.fold import MOST
from zennb.views.graphs.graph import Graph, folded
from zennb.views.links import address
from zennb.views.markup import block, details, escape
from zennb.views.text import clean, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.jupyter.panels.kit.panel import Panel
    from zennb.views.graphs.drawing import Node
    from zennb.views.view import Shown

__all__ = ["GraphBox"]

ZOOM = 1.25
SMALLEST, LARGEST = 0.2, 3.0
ROOMY = 8
"""Nodes from which on a graph may be wider than the page."""

_numbers = count(1)


class GraphBox:
    """A graph in a panel. A node leads where its address says; a folded one unfolds.

    Args:
        panel: the panel it is part of.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel, self._graph = panel, Graph("", "")
        self._fold = f"unfold-{next(_numbers)}"
        self._opened: set[str] = set()
        self._groups: dict[str, Sequence[str]] = {}
        self._is_open, self._scale, self._drawn = False, 1.0, ""
        panel.on_link(self._fold, self._unfold)
        self.find = filter_field("Find", "part of a name", panel.does(self._show))
        self.all = panel.button("Unfold all", self._toggle_all, tip="Show every node, or fold them again")
        self.closer = panel.button("+", lambda: self._zoom(ZOOM), tip="Larger")
        self.farther = panel.button("−", lambda: self._zoom(1 / ZOOM), tip="Smaller")
        self._said = html(classes="zennb-quiet")
        self._picture = html(classes="zennb-graph")
        self._large = bar(self.find, self.all)
        self._tools = bar(self._large, self.farther, self.closer, self._said)
        self.widget = group(self._tools, self._picture)

    @property
    def picture(self) -> str:
        """The drawing, as HTML."""
        return str(self._picture.value)

    def show(self, graph: Shown) -> None:
        """Show another graph, or the same one in another state; what is not a graph has no links."""
        if isinstance(graph, Graph) and graph.nodes:
            self._graph = graph
            self._show()
        else:
            self._graph = Graph("", "")
            self._put("", graph.html)
            toggle(self._tools, shown=False)

    def _show(self) -> None:
        graph = self._graph
        is_large = len(graph.nodes) > MOST
        toggle(self._tools, shown=len(graph.nodes) > ROOMY)
        toggle(self._large, shown=is_large)
        found = self._found() if is_large else []
        nodes, edges = list(graph.nodes), list(graph.edges)
        if found:
            nodes = [replace(node, current=node.id == found[0].id) for node in nodes]
        groups: dict[str, Sequence[str]] = {}
        if is_large and not self._is_open:
            kept = {*self._opened, *(node.id for node in found)}
            nodes, edges, groups = folded(nodes, edges, kept=kept)
        nodes = [
            replace(node, target=address(self._fold, node.id)) if node.id in groups else node
            for node in nodes
        ]
        self._groups = groups
        self.all.description = "Fold" if self._is_open else "Unfold all"
        self._said.value = self._words(found, groups) if is_large else ""
        text = details("as text", block(graph.text))
        words = graph.text.replace("\n", "; ")
        self._put(draw(nodes, edges, scale=self._scale, words=words), text)

    def _put(self, svg: str, more: str) -> None:
        # A running graph is drawn five times a second; what has not changed is not sent.
        if (svg + more) != self._drawn:
            self._drawn = svg + more
            self._picture.value = f'<div class="zennb-canvas">{svg}</div>{more}' if svg else more

    def _found(self) -> list[Node]:
        wanted = self.find.value.strip().lower()
        return [node for node in self._graph.nodes if wanted in clean(node.label).lower()] if wanted else []

    def _words(self, found: Sequence[Node], groups: dict[str, Sequence[str]]) -> str:
        hidden = sum(len(group) for group in groups.values())
        parts = [plural(len(self._graph.nodes), "node")]
        parts += [f"{hidden} of them folded: press one to see what it holds"] if hidden else []
        if self.find.value.strip():
            parts.append(f"{plural(len(found), 'node')} found")
        return escape("; ".join(parts))

    def _unfold(self, node: str) -> None:
        self._opened.update(self._groups.get(node, ()))
        self._show()

    def _toggle_all(self) -> None:
        self._is_open = not self._is_open
        self._opened.clear()
        self._show()

    def _zoom(self, factor: float) -> None:
        self._scale = min(LARGEST, max(SMALLEST, self._scale * factor))
        self._show()
