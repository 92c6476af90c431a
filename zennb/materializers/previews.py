"""Owns small previews of images and figures, and pickling figures without pyplot."""

from __future__ import annotations

import base64
import io
import pickle
import sys
from typing import Any

from zennb.compat.instances import is_a
from zennb.materializers.buffers import Collector, size

__all__ = ["copied_figure", "figure_state", "is_figure", "preview_figure", "preview_image"]

_WIDTHS = (480, 240, 120, 48)
_LIMIT = 64 * 1024
_HEAVY = 4 * 1024 * 1024


def preview_image(value: Any) -> dict[str, Any] | None:
    """Return the summary of a Pillow image; None for anything else of Pillow's."""
    if not is_a(value, sys.modules["PIL.Image"].Image):
        return None
    width, height = value.size
    for limit in _WIDTHS:
        small = value.copy() if max(value.size) <= limit else value.resize(_fit(value.size, limit))
        small = small if small.mode in {"L", "RGB", "RGBA"} else small.convert("RGBA")
        file = io.BytesIO()
        small.save(file, format="png")
        if found := _picture(file.getvalue(), width, height):
            return found
    return None


def _fit(full: tuple[int, int], limit: int) -> tuple[int, int]:
    scale = limit / max(full)
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def _picture(data: bytes, width: int, height: int) -> dict[str, Any] | None:
    text = base64.b64encode(data).decode("ascii")
    if len(text) > _LIMIT:
        return None
    return {"kind": "picture", "mime": "image/png", "data": text, "width": width, "height": height}


def is_figure(value: object) -> bool:
    """Say whether `value` is a matplotlib figure."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and is_a(value, module.Figure)


def figure_state(figure: Any) -> Any:
    """Return the pickle recipe of a figure, without its registration with pyplot.

    Figures that pyplot manages would otherwise register themselves when they are loaded, and appear below the running
    cell.
    """
    recipe = list(figure.__reduce_ex__(5))
    if len(recipe) > 2 and is_a(recipe[2], dict):
        recipe[2] = {name: part for name, part in recipe[2].items() if name != "_restore_to_pylab"}
    return tuple(recipe)


class _FigurePickler(pickle.Pickler):
    """Copies a figure, apart from pyplot."""

    def reducer_override(self, value: Any) -> Any:
        return figure_state(value) if is_figure(value) else NotImplemented


def copied_figure(figure: Any, *, largest: int) -> Any:
    """Return a copy of a figure, which pyplot does not know; None when it takes more than `largest` bytes."""
    stream = Collector()
    _FigurePickler(stream, protocol=5).dump(figure)
    return pickle.loads(b"".join(stream.parts)) if size(stream.parts) <= largest else None


def preview_figure(value: Any) -> dict[str, Any] | None:
    """Return the summary of a matplotlib figure; None for anything else, or when it is too heavy.

    Drawing changes a figure (its canvas, layout and limits), so a copy is drawn.
    """
    figure = value if is_figure(value) else getattr(value, "figure", None)
    if not is_figure(figure) or figure is None:
        return None
    copy = copied_figure(figure, largest=_HEAVY)
    if copy is None:  # large figures take long to draw, and nobody waits for a preview
        return None
    inches = [float(one) for one in copy.get_size_inches()]
    for limit in _WIDTHS:
        file = io.BytesIO()
        copy.savefig(file, format="png", dpi=limit / max(*inches, 1))
        if found := _picture(file.getvalue(), round(inches[0] * figure.dpi), round(inches[1] * figure.dpi)):
            return found
    return None
