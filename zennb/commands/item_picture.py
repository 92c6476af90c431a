"""Owns the picture of an item to be labelled: of a path, an array of pixels, or an object that can draw itself."""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zennb.bounded_input import read_file
from zennb.compat.instances import is_a

__all__ = ["ItemPicture", "picture_of"]

_KINDS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".bmp": "bmp"}
_LARGEST = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPicture:
    """A picture.

    Attributes:
        kind: `png`, `jpeg` ...
        content: the bytes of its file; empty when it cannot be read.
        path: the file that the item names; "" for one that is not in a file.
        problem: why it cannot be read; "" when it can.
        shape: height and width in pixels, where that is easily known; else empty.
    """

    kind: str
    content: bytes = field(default=b"", repr=False)
    path: str = ""
    problem: str = ""
    shape: tuple[int, ...] = ()


def picture_of(item: Any) -> ItemPicture | None:
    """Return the picture that an item is or names; None for none."""
    numpy = sys.modules.get("numpy")
    if is_a(item, str | Path):
        return _file(item)
    if numpy is not None and is_a(item, numpy.ndarray):
        content = _array(item)
        return ItemPicture(kind="png", content=content, shape=item.shape[:2]) if content else None
    if callable(draw := getattr(item, "_repr_png_", None)) and (drawn := draw()):
        content = drawn if isinstance(drawn, bytes) else base64.b64decode(drawn)
        return ItemPicture(kind="png", content=content, shape=_png_shape(content))
    return None


def _file(item: str | Path) -> ItemPicture | None:
    path = Path(item)
    kind = _KINDS.get(path.suffix.lower()) if len(str(item)) < 1000 else None
    if kind is None:
        return None
    try:
        content = read_file(path, limit=_LARGEST)
    except OSError as error:
        return ItemPicture(kind=kind, path=str(item), problem=str(error.strerror or error))
    shape = _png_shape(content) if kind == "png" else ()
    return ItemPicture(kind=kind, content=content, path=str(item), shape=shape)


def _png_shape(content: bytes) -> tuple[int, ...]:
    """Return height and width of a PNG; nothing if it is cut off."""
    return struct.unpack(">II", content[16:24])[::-1] if len(content) >= 24 else ()


def _array(array: Any) -> bytes:
    """Return an array of grey or coloured pixels as PNG; b"" for what is no picture."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype.kind not in "buif" or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {3, 4})
    ):
        return b""
    if not array.size or max(array.shape[:2]) > 10_000:
        return b""
    if array.dtype.kind == "f":  # what is missing or infinite is black
        array = sys.modules["numpy"].nan_to_num(array, posinf=0.0, neginf=0.0)
    if array.dtype != "uint8":
        low, high = float(array.min()), float(array.max())
        low, high = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
        array = ((array - low) / ((high - low) or 1.0) * 255).astype("uint8")
    height, width = array.shape[:2]
    rows = array.reshape(height, -1)
    raw = b"".join(b"\0" + rows[place].tobytes() for place in range(height))
    colour = 0 if array.ndim == 2 else 2 if array.shape[2] == 3 else 6
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, parts))


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    name, content = part
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
