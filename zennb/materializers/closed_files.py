"""Owns the serialization of files, and of what is closed: progress bars, pools, archives, connections.

What is closed says what it was, and does nothing more. What is open for reading is opened again where it stood.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from zennb.compat.finished import finished, restored
from zennb.compat.instances import is_a
from zennb.compat.open_archives import archive_again, archive_place
from zennb.compat.open_databases import database_again, database_in
from zennb.compat.open_files import (
    csv_parts,
    csv_reader,
    csv_writer,
    opened_again,
    place_in_file,
)
from zennb.compat.standard_streams import standard_stream, stream_name

__all__ = ["closed_compressed", "closed_file", "closed_text", "file_reduction"]

_BINARY = (io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
_COMPRESSED = {"GzipFile": "gzip", "BZ2File": "bz2", "LZMAFile": "lzma"}
_TELLING = ("name", "mode", "_mode")


def file_reduction(value: object) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a file, of what reads it, or of what has ended; None for anything else.

    Files that are open for anything but reading have none.
    """
    if name := stream_name(value):
        return standard_stream, (name,)
    if (found := finished(value)) is not None:
        return restored, found
    if type(value).__module__ == "_csv" and (parts := csv_parts(value)) is not None:
        return (csv_reader if type(value).__name__ == "reader" else csv_writer), parts
    if (archive := archive_place(value)) is not None:
        return archive_again, archive
    if (database := database_in(value)) is not None:
        return database_again, tuple(database)
    if _is_compressed(value):
        return _compressed_reduction(value)
    return _plain_reduction(value)


def _is_compressed(value: object) -> bool:
    name = type(value).__name__
    return getattr(sys.modules.get(_COMPRESSED.get(name, "")), name, None) is type(value)


def _compressed(kind: str) -> Any:
    cls = getattr(import_module(_COMPRESSED[kind]), kind)
    return cls(fileobj=io.BytesIO(), mode="wb") if kind == "GzipFile" else cls(io.BytesIO(), "wb")


def _compressed_reduction(value: Any) -> tuple[Any, ...] | None:
    if not value.closed:
        return None
    told = {name: getattr(value, name) for name in _TELLING if hasattr(value, name)}
    return closed_compressed, (type(value).__name__, told)


def closed_compressed(kind: str, told: dict[str, Any]) -> Any:
    """Return a closed compressed file; no such file needs to exist."""
    file = _compressed(kind)
    file.close()
    for name, text in told.items():
        with suppress(AttributeError):  # some of them are computed
            setattr(file, name, text)
    return file


def _plain_reduction(value: object) -> tuple[Any, ...] | None:
    if not is_a(value, io.TextIOWrapper | io.BufferedReader | io.BufferedWriter | io.BufferedRandom):
        return None
    if type(value) not in (io.TextIOWrapper, *_BINARY):
        return None
    if not value.closed:
        place = place_in_file(value)
        return None if place is None else (opened_again, tuple(place))
    if not is_a(value, io.TextIOWrapper):
        return closed_file, (value.name, value.mode, None)
    if _is_compressed(value.buffer):
        return closed_text, (value.buffer, value.encoding)
    return closed_file, (value.name, value.mode, value.encoding)


def closed_text(buffer: Any, encoding: str) -> Any:
    """Return a closed text file over a closed compressed one."""
    file = _compressed(type(buffer).__name__)
    text = io.TextIOWrapper(file, encoding=encoding)
    text.close()
    vars(file).update({name: vars(buffer)[name] for name in _TELLING if name in vars(buffer)})
    return text


def closed_file(name: Any, mode: str, encoding: str | None) -> Any:
    """Return a closed file of that name and mode; no such file needs to exist."""
    # A file object can only be had by opening one, and the file of that name may be gone, or
    # must not be cut off by `w`.
    file: Any = Path(os.devnull).open(mode.replace("x", "w"), encoding=encoding)  # noqa: SIM115 - closed below
    raw = file.raw if encoding is None else file.buffer.raw
    raw.name = name
    if encoding is not None:
        file.mode = mode
    file.close()
    return file
