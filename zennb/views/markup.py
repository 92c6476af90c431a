"""Owns the HTML elements of views: escaping and inline styles.

Sanitizing viewers drop `<style>`, `<script>` and inline `<svg>`; some drop every `style` attribute. So each element
has its own style, words repeat what colours say, and the result is readable without any style. Text inherits its
colour and lines are half-transparent grey, for light and dark themes.
"""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING

from zennb.views.text import clean, clean_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "MINOR",
    "block",
    "box",
    "cell",
    "code",
    "details",
    "escape",
    "heading",
    "heading_line",
    "image",
    "lines",
    "minor_class",
    "muted",
    "name",
    "pairs",
    "prose",
    "strong",
    "svg_image",
    "table",
]

MINOR = "zennb-minor"
"""The class of cells in columns that are hidden first on a narrow page."""
LINE = "rgba(128,128,128,.4)"
CELL = "vertical-align:top;padding:2px 12px 2px 0"
TABLE = "border-collapse:collapse;border:0;margin:2px 0;table-layout:auto;font-variant-numeric:tabular-nums"
ROW = '<tr style="background:none">'
MONO = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)"


def escape(value: object) -> str:
    """Return the text of `value` as one safe line of HTML, fit for content and for quoted attributes."""
    return html.escape(clean(value), quote=True)


def name(value: object) -> str:
    """Return a name chosen by a user, isolated from the text direction around it."""
    text = escape(value)
    return text if text.isascii() else f"<bdi>{text}</bdi>"


def strong(inner: str) -> str:
    """Return HTML in bold."""
    return f"<strong>{inner}</strong>"


def muted(inner: str) -> str:
    """Return HTML in a muted colour."""
    return f'<span style="opacity:.75">{inner}</span>'


def code(value: object) -> str:
    """Return a short piece of code."""
    return f'<code style="{MONO};background:none;padding:0;white-space:inherit">{escape(value)}</code>'


def prose(value: object) -> str:
    """Return a sentence; text between backticks is shown as code."""
    parts = re.split(r"`([^`]+)`", clean(value))
    return "".join(code(part) if odd % 2 else html.escape(part, quote=True) for odd, part in enumerate(parts))


def block(value: object) -> str:
    """Return preformatted text (source, a traceback, a repr), with horizontal scrolling when it is wide."""
    body = html.escape(clean_block(value), quote=True)
    style = (
        f"margin:4px 0;padding:6px 10px;border-left:3px solid {LINE};overflow-x:auto;background:none;{MONO}"
    )
    return f'<pre style="{style}">{body}</pre>'


def box(inner: str) -> str:
    """Wrap a whole view: a fixed font size, and horizontal scrolling where it is too wide."""
    return f'<div style="overflow-x:auto;font-size:13px;line-height:1.5">{inner}</div>'


def details(title: str, inner: str, *, opened: bool = False) -> str:
    """Return a collapsible section; `title` and `inner` are HTML."""
    style = "cursor:pointer;opacity:.85"
    return (
        f'<details style="margin:4px 0"{" open" if opened else ""}>'
        f'<summary style="{style}">{title}</summary>{inner}</details>'
    )


def cell(inner: str, *, right: bool = False, style: str = "", title: str = "", minor: bool = False) -> str:
    """Return a table cell of HTML.

    Args:
        inner: what it shows.
        right: whether it is a number.
        style: more CSS.
        title: the whole text of a cell that is cut.
        minor: whether its column is hidden in a narrow panel.
    """
    whole = f' title="{escape(title)}"' if title else ""
    side = "text-align:right;white-space:nowrap" if right else "text-align:left"
    return f'<td{minor_class(minor)} style="{side};{CELL}{style}"{whole}>{inner}</td>'


def heading(
    inner: str, *, scope: str = "col", right: bool = False, style: str = "", minor: bool = False
) -> str:
    """Return a heading cell of HTML for a column (`col`) or a row (`row`)."""
    look = f"border-bottom:1px solid {LINE}" if scope == "col" else "font-weight:normal"
    side = "right" if right else "left"
    return (
        f'<th scope="{scope}"{minor_class(minor)} style="text-align:{side};{CELL};{look}{style}">{inner}</th>'
    )


def minor_class(is_minor: object) -> str:
    """Return the attribute of cells in a minor column, which the style sheet of panels hides on a narrow page."""
    return f' class="{MINOR}"' if is_minor else ""


def heading_line(value: object) -> str:
    """Return a heading."""
    return f'<div style="margin:8px 0 2px 0">{strong(escape(value))}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells and headings; without `head` it has no row of column headings."""
    top = f"<thead>{ROW}{''.join(head)}</tr></thead>" if head else ""
    body = "".join(f"{ROW}{''.join(cells)}</tr>" for cells in rows)
    return f'<table style="{TABLE}">{top}<tbody>{body}</tbody></table>'


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Return a small table of titles and HTML values; rows without a value are left out."""
    known = [(title, value) for title, value in rows if value]
    shown = [(heading(muted(escape(title)), scope="row"), cell(value)) for title, value in known]
    return table((), shown) if shown else ""


def image(mime: str, data: str, *, alt: str, style: str = "max-width:100%") -> str:
    """Return a picture given as base64 text; `alt` describes it."""
    base64_text = html.escape(data, quote=True)  # `escape` would cut it
    return f'<img src="data:{escape(mime)};base64,{base64_text}" alt="{escape(alt)}" style="{style}">'


def svg_image(svg: str, *, alt: str) -> str:
    """Return a drawing as an image: untrusted notebooks drop inline SVG, but keep images.

    On a narrow page it shrinks while it remains readable, and scrolls beyond that.
    """
    data = base64.b64encode(svg.encode()).decode("ascii")
    known = re.search(r'\bwidth="(\d+)', svg)
    widest = f"max(100%,{int(known[1]) * 7 // 10}px)" if known else "100%"
    return image("image/svg+xml", data, alt=alt, style=f"max-width:{widest};height:auto;background:none")


def lines(parts: Sequence[str]) -> str:
    """Return HTML parts on separate lines."""
    return "".join(f"<div>{part}</div>" for part in parts if part)
