"""Owns how an item to be labelled looks: a text, an image, a row, or what the frontend would show of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zennb.commands.item_picture import picture_of
from zennb.compat.instances import is_a
from zennb.views.markup import escape

if TYPE_CHECKING:
    from zennb.commands.item_picture import ItemPicture

__all__ = ["item_html"]

_LONGEST = 20_000


def item_html(item: Any) -> str:
    """Return an item as HTML; its texts are escaped."""
    picture = picture_of(item)
    if picture is not None and picture.problem:
        return f"<pre>{escape(f'{picture.path}: {picture.problem}')}</pre>"
    if picture is not None:
        return _picture(picture)
    if is_a(item, str):
        return f'<div style="white-space: pre-wrap; max-width: 80ch">{escape(item[:_LONGEST])}</div>'
    if is_a(item, Mapping):
        cells = (
            f"<tr><th>{escape(str(key))}</th><td>{escape(_short(each))}</td></tr>"
            for key, each in item.items()
        )
        return f"<table>{''.join(cells)}</table>"
    return f"<pre>{escape(_short(item))}</pre>"


def _short(value: object) -> str:
    return (value if isinstance(value, str) else repr(value))[:_LONGEST]


def _picture(picture: ItemPicture) -> str:
    data = base64.b64encode(picture.content).decode("ascii")
    # Shown where the browser can make no picture of it: a file may be cut off, or be something else.
    alt = (
        f' alt="{escape(picture.path)}: this file is not a picture that can be shown"' if picture.path else ""
    )
    style = "max-width: 100%; max-height: 420px; min-height: 120px"
    return f'<img src="data:image/{picture.kind};base64,{data}"{alt} style="{style}">'
