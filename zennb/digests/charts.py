"""Owns the digest of plotly's figures: what they draw, whatever the order of its parts and the form of its arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.digests.hooks import by_content

if TYPE_CHECKING:
    from zennb.digests.walker import Handler

__all__ = ["CHARTS", "figure_content"]


def figure_content(figure: Any) -> Any:
    """Return what a figure draws: plotly changes the form of its arrays, and the order of parts, when it loads one."""
    return _ordered(figure.to_dict())


def _ordered(part: Any) -> Any:
    if is_a(part, dict):
        return {name: _ordered(part[name]) for name in sorted(part, key=str)}
    return [_ordered(each) for each in part] if is_a(part, list | tuple) else part


CHARTS: dict[str, Handler] = {"plotly.basedatatypes.BaseFigure": by_content(figure_content)}
"""Handlers by the name of a base type."""
