"""Owns the drawing of a graph as SVG: boxes with name and state on a light background, and curves between them."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.views.graphs.layout import Box, Layout, Point, layout
from zennb.views.mark import GREY, Mark, mark
from zennb.views.table import values
from zennb.views.text import clean, cut, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zennb.core.records.records import Status

__all__ = ["Node", "draw"]

NAME_SIZE, NAME_STEP = 12.5, 7.6
"""Font size of names, and the width of one character, known because the font is monospaced."""
STATE_SIZE, STATE_STEP = 10.5, 6.0
LONGEST = 28
PAGE = 960.0
"""Width in pixels that a notebook has room for; wider graphs run downwards."""
INK, SOFT_INK, EDGE = "#1f2328", "#4d545c", "#8a8f98"
DASHES = "4 3"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS = "system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One box of a graph.

    Attributes:
        id: its name in edges.
        label: its text.
        state: a status or another word that `mark` knows; "" for none.
        note: small text below the label when there is no state.
        shape: `step` (a box), `artifact` (a pill) or `file` (a pill, dashed as its edges are).
        current: whether it is highlighted.
        target: the address that it leads to in a panel.
    """

    id: str
    label: str
    state: Status | str = ""
    note: str = ""
    shape: str = "step"
    current: bool = False
    target: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file that one step writes and another reads."""
        return self.shape == "file"


def draw(
    nodes: Sequence[Node],
    edges: Iterable[tuple[str, str]],
    *,
    scale: float | None = None,
    words: str = "",
) -> str:
    """Return the graph as a self-contained SVG document.

    It runs to the right if that fits a notebook's width, else downwards.

    Args:
        nodes: the boxes.
        edges: pairs of ids.
        scale: for a panel, in which nodes are links: the size on the page; None for a picture.
        words: the same in words, for screen readers; a picture has them beside it.

    Raises:
        PlanError: an edge names an unknown node, or the edges form a cycle.
    """
    pairs = list(edges)
    sizes = {node.id: _size(node) for node in nodes}
    files = {node.id for node in nodes if node.is_file}
    placed = layout(sizes, pairs, dashed=files)
    if placed.width > PAGE:
        down = layout(sizes, pairs, dashed=files, down=True)
        placed = down if down.width < placed.width else placed
    wide, high = _number(placed.width), _number(placed.height)
    boxes = ((node, _box(node, placed.boxes[node.id])) for node in nodes)
    drawn = [inner if scale is None else _linked(node, inner) for node, inner in boxes]
    body = "".join([_edges(placed), *drawn])
    zoom = scale or 1.0
    size = f'width="{_number(placed.width * zoom)}" height="{_number(placed.height * zoom)}"'
    label = f' aria-label="{html.escape(words, quote=True)}"' if words else ""
    role = 'role="img"' if scale is None else f'role="group"{label}'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {wide} {high}" {role}>{body}</svg>'


def _linked(node: Node, inner: str) -> str:
    """Return a box as a link, with its whole name for a pointer that rests on it."""
    state = f": {_mark_of(node).word}" if node.state else ""
    title = f"<title>{html.escape(clean(node.label) + state, quote=True)}</title>"
    target = f' data-zennb-go="{html.escape(node.target, quote=True)}"' if node.target else ""
    found = " data-zennb-found" if node.current else ""
    return f"<g{target}{found}>{title}{inner}</g>"


def _below(node: Node) -> str:
    style = _mark_of(node)
    return f"{style.symbol} {style.word}" if node.state else cut(clean(node.note), LONGEST + 4)


def _mark_of(node: Node) -> Mark:
    if node.state:
        return mark(node.state)
    return Mark(symbol="", word="", colour=GREY, fill="#f4f5f7" if node.shape == "step" else "#ffffff")


def _size(node: Node) -> tuple[float, float]:
    below = _below(node)
    letters = width(cut(clean(node.label), LONGEST)) * NAME_STEP
    wide = max(letters, width(below) * STATE_STEP) + (24 if node.shape == "step" else 30)
    return max(64.0, wide), 40.0 if below else 28.0


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _edges(placed: Layout) -> str:
    solid, dashed = (
        "".join(_curve(start, end, down=placed.down) for start, end in paths)
        for paths in (placed.paths, placed.dashes)
    )
    heads = "".join(_head(point, down=placed.down) for point in placed.arrows)
    lines = f'<path d="{solid}" fill="none" stroke="{EDGE}" stroke-width="1.4"/>'
    if dashed:
        lines += (
            f'<path d="{dashed}" fill="none" stroke="{EDGE}" stroke-width="1.4" stroke-dasharray="{DASHES}"/>'
        )
    return f'{lines}<path d="{heads}" fill="{EDGE}"/>'


def _curve(start: Point, end: Point, *, down: bool) -> str:
    (x0, y0), (x1, y1) = start, end
    if down:
        half = (y0 + y1) / 2
        bends = ((x0, half), (x1, half))
    else:
        half = (x0 + x1) / 2
        bends = ((half, y0), (half, y1))
    places = " ".join(f"{_number(x)} {_number(y)}" for x, y in (*bends, end))
    return f"M{_number(x0)} {_number(y0)}C{places}"


def _head(point: Point, *, down: bool) -> str:
    x, y = point
    corners = (
        ((x, y), (x - 3.6, y - 7), (x + 3.6, y - 7)) if down else ((x, y), (x - 7, y - 3.6), (x - 7, y + 3.6))
    )
    return "M" + "L".join(f"{_number(a)} {_number(b)}" for a, b in corners) + "Z"


def _box(node: Node, box: Box) -> str:
    style = _mark_of(node)
    below = _below(node)
    middle = box.x + box.width / 2
    radius = 6.0 if node.shape == "step" else box.height / 2
    dashes = f' stroke-dasharray="{DASHES}"' if node.is_file else ""
    sides = {**values(box, "x", "y", "width", "height"), "rx": radius}
    frame = " ".join(f'{key}="{_number(value)}"' for key, value in sides.items())
    thick = 2.4 if node.current else 1.3
    ground = f'<rect {frame} fill="{style.fill}" stroke="{style.colour}" stroke-width="{thick}"{dashes}/>'
    first = box.y + (17.5 if below else box.height / 2 + 4.3)
    label_text = cut(clean(node.label), LONGEST)
    label = _text(label_text, middle, first, face=MONO, size=NAME_SIZE, ink=INK, bold=node.current)
    state = _text(below, middle, box.y + 32, face=SANS, size=STATE_SIZE, ink=SOFT_INK) if below else ""
    return ground + label + state


def _text(
    label_text: str, x: float, y: float, *, face: str, size: float, ink: str, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{_number(x)}" y="{_number(y)}" font-family="{face}" font-size="{_number(size)}" '
        f'fill="{ink}" text-anchor="middle"{weight}>{html.escape(label_text, quote=True)}</text>'
    )
