"""Owns small previews of images and figures, and pickling figures without pyplot."""

from __future__ import annotations

import base64
import copyreg
import io
import pickle
import struct
import sys
import zlib
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.slot_names import slots_unnoticed
from zennb.materializers.buffers import Collector, size
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "copied_figure",
    "figure_state",
    "is_figure",
    "pickled_figure",
    "picture",
    "pictures_known",
    "png_size",
    "preview_figure",
    "preview_image",
    "preview_pixels",
]

_WIDTHS = (480, 240, 120, 48)
_LIMIT = 64 * 1024
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""Numbers of channels → what PNG calls them."""
_PIXELS = 128
_SMALLEST = 8
_HEAVY = 4 * 1024 * 1024


@block
def pictures_known(pictures: Mapping[int, bytes]) -> Iterator[None]:
    """Use these pictures in PNG, by the `id` of their figures, instead of drawing the figures."""
    token = _known.set(pictures)
    try:
        yield
    finally:
        _known.reset(token)


_known: ContextVar[Mapping[int, bytes]] = ContextVar("pictures", default=MappingProxyType({}))


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
        if found := picture(file.getvalue(), width, height):
            return found
    return None


def _fit(full: tuple[int, int], limit: int) -> tuple[int, int]:
    scale = limit / max(full)
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def picture(data: bytes, width: int, height: int) -> dict[str, Any] | None:
    """Return the summary of a picture in PNG; None when it is too large to be kept."""
    text = base64.b64encode(data).decode("ascii")
    if len(text) > _LIMIT:
        return None
    return {"kind": "picture", "mime": "image/png", "data": text, "width": width, "height": height}


def png_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture in PNG, which its first chunk says."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def preview_pixels(array: Any) -> dict[str, Any]:
    """Return a small picture of an array of bytes or booleans that has the shape of an image; nothing for others."""
    channels = array.shape[2] if array.ndim == 3 else 1
    is_image = array.dtype.kind in "ub" and array.dtype.itemsize == 1 and array.ndim in {2, 3}
    if not is_image or channels not in _COLOUR_TYPES or min(array.shape[:2]) < _SMALLEST:
        return {}
    step = -(-max(array.shape[:2]) // _PIXELS)  # rounded up
    small = array[::step, ::step]
    if array.dtype.kind == "b":
        small = small.astype("u1") * 255
    high, wide = small.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in small)  # each begins with its filter: none
    data = _png(wide, high, _COLOUR_TYPES[channels], rows)
    text = base64.b64encode(data).decode("ascii")
    return {"mime": "image/png", "data": text} if len(text) <= _LIMIT else {}


def _png(wide: int, high: int, colour_type: int, rows: bytes) -> bytes:
    """Return a picture as PNG (ISO/IEC 15948): a signature, and chunks of length, type, data and checksum."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", wide, high, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


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


def pickled_figure(figure: Any, *, largest: int, table: dict[type, Any] | None = None) -> bytes | None:
    """Return a figure as a pickle that pyplot does not know of; None when it takes more than `largest` bytes.

    Args:
        figure: the figure.
        largest: the bytes.
        table: class → recipe, as in `copyreg.dispatch_table`, which is used when none is given.
    """
    stream = Collector()
    pickler = pickle.Pickler(stream, protocol=5)
    figures = dict.fromkeys(_with_subclasses(sys.modules["matplotlib.figure"].Figure), figure_state)
    # Python asks a table once for each object that it does not know, and `reducer_override` for every object.
    pickler.dispatch_table = {**(copyreg.dispatch_table if table is None else table), **figures}
    with slots_unnoticed():
        pickler.dump(figure)
    return b"".join(stream.parts) if size(stream.parts) <= largest else None


def _with_subclasses(cls: type) -> list[type]:
    derived: list[type] = type.__subclasses__(cls)
    return [cls, *(each for one in derived for each in _with_subclasses(one))]


def copied_figure(figure: Any, *, largest: int) -> Any:
    """Return a copy of a figure, which pyplot does not know; None when it takes more than `largest` bytes."""
    data = pickled_figure(figure, largest=largest)
    return None if data is None else pickle.loads(data)


def preview_figure(value: Any) -> dict[str, Any] | None:
    """Return the summary of a matplotlib figure; None for anything else, or when it is too heavy.

    Drawing changes a figure (its canvas, layout and limits), so a copy is drawn.
    """
    figure = value if is_figure(value) else getattr(value, "figure", None)
    if not is_figure(figure) or figure is None:
        return None
    inches = [float(one) for one in figure.get_size_inches()]
    full = round(inches[0] * figure.dpi), round(inches[1] * figure.dpi)
    if (known := _known.get().get(id(figure))) and (found := picture(known, *full)):
        return found
    copy = copied_figure(figure, largest=_HEAVY)
    if copy is None:  # large figures take long to draw, and nobody waits for a preview
        return None
    for limit in _WIDTHS:
        file = io.BytesIO()
        copy.savefig(file, format="png", dpi=limit / max(*inches, 1))
        if found := picture(file.getvalue(), *full):
            return found
    return None
