"""Owns reading what somebody else may have written: bounded files, JSON and compressed bytes.

Such input may be a pipe that never ends, nested until the parser gives up, or a few bytes that unpack to gigabytes.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import zlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["APPEND", "decompress", "has_sensible_fields", "open_file", "parse_json", "read_file"]

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Opening a pipe for reading waits for somebody who writes to it, unless it is told not to."""

APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
"""Flags for a file that is written on, or made: a pipe in its place is an error, and nothing waits for its reader."""

_WEIGHTS = {"{": 232, "[": 64, ",": 40}
"""Bytes of memory that Python takes for what these characters stand for in JSON."""

_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
_LATEST = 1e11
"""Seconds since the epoch that are thousands of years ahead."""

_MEMORY = 200_000_000
_SMALL = 500_000


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the content of a file.

    Args:
        path: the file; symbolic links are followed.
        limit: the most bytes that it may have.

    Raises:
        OSError: it cannot be read, is larger, or is no file but a pipe or a device. Nothing waits for a pipe.
    """
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"it is larger than {_size(limit)}", str(path))
        return file.read(size)  # `read(limit)` would take that much memory first


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Args:
        path: the file; symbolic links are followed.

    Raises:
        OSError: it cannot be read, or is no file but a pipe or a device. Nothing waits for a pipe.
    """
    try:
        handle = os.open(path, _FLAGS)
    except ValueError as error:  # a null byte in the path
        raise FileNotFoundError(errno.ENOENT, str(error), str(path)) from None
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def parse_json(text: str | bytes, *, bounded: bool = False) -> Any:
    """Return what JSON text holds.

    Args:
        text: the text.
        bounded: also refuse a text whose content would take hundreds of megabytes.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or needs too much memory.
    """
    if bounded and len(text) > _SMALL and _memory(text) > _MEMORY:
        raise ValueError(f"it needs more than {_size(_MEMORY)} of memory")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def has_sensible_fields(record: Any) -> bool:
    """Whether the texts, numbers and flags of a dataclass are what its annotations say.

    Its numbers must be below those that no moment in seconds has, and that other numbers do not reach either.
    """
    for field in fields(record):
        kinds, value = _TYPES.get(str(field.type)), getattr(record, field.name)
        if kinds is not None and not isinstance(value, kinds):
            return False
        if isinstance(value, int | float) and not abs(value) < _LATEST:  # NaN is not
            return False
    return True


def _memory(text: str | bytes) -> int:
    """Return about how many bytes the content of JSON text takes at most, counted at the speed of memory."""
    if isinstance(text, str):
        return len(text) + sum(text.count(mark) * weight for mark, weight in _WEIGHTS.items())
    return len(text) + sum(text.count(mark.encode()) * weight for mark, weight in _WEIGHTS.items())


def _size(count: int) -> str:
    return f"{count // 1_000_000} MB" if count >= 1_000_000 else f"{count // 1_000} kB"


def decompress(data: bytes | bytearray | memoryview, *, limit: int) -> bytes:
    """Return the content of bytes that zlib has compressed.

    Raises:
        ValueError: they are no such bytes, or hold more than `limit` bytes, which are not unpacked.
    """
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(content) > limit:
        raise ValueError(f"it holds more than {_size(limit)}")
    if not unpacker.eof:
        raise ValueError("it is cut short")
    return content
