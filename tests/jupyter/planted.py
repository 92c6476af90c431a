"""Searches everything that zennb shows, writes and keeps for a planted secret."""

from __future__ import annotations

import json
import re
import sqlite3
import traceback
import zlib
from contextlib import closing
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from ipywidgets.widgets import widget as ipywidgets_widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Ran

__all__ = ["forms", "found_in_files", "found_in_outputs", "found_in_tables", "found_in_widgets", "unpacked"]


def forms(secret: str) -> set[bytes]:
    """The forms in which a secret may stand somewhere."""
    texts = {secret, json.dumps(secret)[1:-1], escape(secret), quote(secret, safe="")}
    return {form for text in texts for form in (text.encode(), text.encode("utf-16-le"))}


def unpacked(data: bytes) -> bytes:
    """All bytes of a file, and whatever in it zlib can unpack: recorded output is compressed inside other files."""
    found = [data]
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        try:
            found.append(zlib.decompressobj().decompress(data[start.start() :]))
        except zlib.error:
            continue
    return b"\n".join(found)


def found_in_files(folder: Path, secret: str) -> list[str]:
    """The files below a folder that hold a secret in any form."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        data = unpacked(path.read_bytes())
        if any(form in data for form in forms(secret)):
            found.append(str(path.relative_to(folder)))
    return found


def found_in_tables(folder: Path, secret: str) -> list[str]:
    """The tables and columns of all databases below a folder that hold a secret.

    In the file, a long text may be in several pieces.
    """
    found = []
    for path in sorted(folder.rglob("*.db")):
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for table in (name.decode() for (name,) in names):
                cursor = connection.execute(f"SELECT * FROM {table}")
                columns = [column[0] for column in cursor.description]
                for row in cursor:
                    found += [
                        f"{path.name}: {table}.{column}"
                        for column, value in zip(columns, row, strict=True)
                        if isinstance(value, bytes) and any(form in unpacked(value) for form in forms(secret))
                    ]
    return found


def found_in_widgets(secret: str) -> list[str]:
    """The widgets of this process whose state holds a secret."""
    return _holding(
        (
            (number, json.dumps(each.get_state(), default=str))
            for number, each in tuple(ipywidgets_widget._instances.items())
        ),
        secret,
    )


def found_in_outputs(ran: Iterable[Ran], secret: str) -> list[str]:
    """What cells printed and displayed, and the tracebacks of their errors, where it holds a secret."""
    return _holding((part for each in ran for part in _parts(each)), secret)


def _parts(ran: Ran) -> Iterator[tuple[str, str]]:
    yield "output", ran.out
    yield "error output", ran.err
    yield "result", repr(ran.result)
    for shown in ran.displays:
        yield "display", json.dumps(shown, default=str)
    error: BaseException | None = ran.error
    while error is not None:  # without the lines of the cell, in which the user may have typed it
        yield "error", f"{''.join(traceback.format_exception_only(error))}{error.args!r}{vars(error)!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _holding(texts: Iterable[tuple[str, str]], secret: str) -> list[str]:
    wanted = forms(secret)
    return [
        f"{place}: {text[:2000]}" for place, text in texts if any(form in text.encode() for form in wanted)
    ]
