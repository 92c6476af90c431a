"""Owns the drawing of an estimator as scikit-learn draws it: boxes in boxes, those side by side that work side by side.

It is drawn from the summary: without scripts, without a style sheet, and with all that is in it escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zennb.views.markup import LINE, box, details, escape, muted, pairs, prose, strong
from zennb.views.text import clean, pad
from zennb.views.view import View

__all__ = ["estimator"]

_DEEPEST = 10
_BOX = f"border:1px solid {LINE};border-radius:4px;padding:2px 8px;margin:3px 0"
_SIDE_BY_SIDE = "display:flex;flex-wrap:wrap;gap:0 8px;align-items:flex-start"


def estimator(found: Mapping[str, Any]) -> View:
    """Show an estimator with its parts and the parameters that are not the defaults.

    Args:
        found: the `estimator` entry of a summary.
    """
    return View(
        "\n".join(_lines(found, "", 0)),
        box(f'<div style="display:inline-block">{_drawn(found, "", "", 0)}</div>'),
    )


def _parts(found: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return label, columns and estimator of each part; what has another form is left out."""
    listed = found.get("parts")
    return [
        (str(each[0]), str(each[1]), each[2])
        for each in (listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ())
        if isinstance(each, Sequence) and len(each) == 3 and isinstance(each[2], Mapping)
    ]


def _parameters(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    listed = found.get("parameters")
    return [
        (str(each[0]), str(each[1]))
        for each in (listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ())
        if isinstance(each, Sequence) and len(each) == 2
    ]


def _lines(found: Mapping[str, Any], label: str, depth: int) -> list[str]:
    given = ", ".join(f"{name}={value}" for name, value in _parameters(found))
    lead = pad(f"{clean(label)}:", len(label) + 2) if label else ""
    first = (
        f"{'  ' * depth}{lead}{clean(found.get('name', ''))}{f'({clean(given)})' if 'parts' in found else ''}"
    )
    if depth >= _DEEPEST:
        return [first]
    inner = [
        line
        for name, columns, part in _parts(found)
        for line in _lines(part, f"{name} {columns}".strip(), depth + 1)
    ]
    return [first, *inner]


def _drawn(found: Mapping[str, Any], label: str, columns: str, depth: int) -> str:
    beside = " &nbsp;".join(muted(escape(each)) for each in (label, columns) if each)
    title = f"{strong(escape(found.get('name', '')))}{f' &nbsp;{beside}' if beside else ''}"
    given = [(name, prose(value)) for name, value in _parameters(found)]
    head = details(title, pairs(given)) if given else f'<div style="margin:4px 0">{title}</div>'
    parts = _parts(found) if depth < _DEEPEST else []
    inner = "".join(_drawn(part, name, where, depth + 1) for name, where, part in parts)
    if parts and found.get("layout") == "parallel":
        inner = f'<div style="{_SIDE_BY_SIDE}">{inner}</div>'
    return f'<div style="{_BOX}">{head}{inner}</div>'
