"""Owns how an item to be labelled looks: a text, an image, a row, or what the frontend would show of it."""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zennb.bounded_input import read_file
from zennb.compat.instances import is_a
from zennb.views.markup import escape

__all__ = ["item_html"]

_MIMES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".bmp": "bmp"}
_LARGEST = 20_000_000
_LONGEST = 20_000


def item_html(item: Any) -> str:
    """Return an item as HTML; its texts are escaped."""
    numpy = sys.modules.get("numpy")
    if is_a(item, str | Path) and (found := _file(item)):
        return found
    if is_a(item, str):
        return f'<div style="white-space: pre-wrap; max-width: 80ch">{escape(item[:_LONGEST])}</div>'
    if is_a(item, Mapping):
        cells = (
            f"<tr><th>{escape(str(key))}</th><td>{escape(_short(each))}</td></tr>"
            for key, each in item.items()
        )
        return f"<table>{''.join(cells)}</table>"
    if numpy is not None and is_a(item, numpy.ndarray) and (image := _array(item)):
        return _picture(image, "png")
    if callable(draw := getattr(item, "_repr_png_", None)) and (drawn := draw()):
        return _picture(drawn if isinstance(drawn, bytes) else base64.b64decode(drawn), "png")
    return f"<pre>{escape(_short(item))}</pre>"


def _short(value: object) -> str:
    return (value if isinstance(value, str) else repr(value))[:_LONGEST]


def _picture(content: bytes, kind: str, *, path: str = "") -> str:
    data = base64.b64encode(content).decode("ascii")
    # Shown where the browser can make no picture of it: a file may be cut off, or be something else.
    alt = f' alt="{escape(path)}: this file is no picture that can be shown"' if path else ""
    style = "max-width: 100%; max-height: 420px; min-height: 120px"
    return f'<img src="data:image/{kind};base64,{data}"{alt} style="{style}">'


def _file(item: str | Path) -> str:
    """Return the picture that a path names; "" for none."""
    path = Path(item)
    kind = _MIMES.get(path.suffix.lower()) if len(str(item)) < 1000 else None
    if kind is None:
        return ""
    try:
        return _picture(read_file(path, limit=_LARGEST), kind, path=str(item))
    except OSError as error:
        return f"<pre>{escape(f'{item}: {error.strerror or error}')}</pre>"


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
