"""Owns `reading`: reads files that a library may have open and locked in this process, as SQLite does.

A process that closes a file loses all locks that it has on it, wherever it got them. Another process could then write
to a database in the middle of a transaction, or remove its log, and with it what is committed next. So a file that is a
database stays open.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reading"]

_HEADER = b"SQLite format 3\0"

_kept: dict[tuple[int, int], FileIO] = {}
"""Device and inode → a database that was read."""

_lock = threading.RLock()


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[FileIO]:
    """Open a file to read it from its start in this block, without a buffer.

    Raises:
        OSError: it cannot be opened.
    """
    with _lock:
        file = _kept.get(_place(Path(path).stat()))
        if file is None:
            file = _opened(path)
            if os.name != "nt" and _is_database(file):  # Windows keeps the other locks
                _keep(file)
        if _place(os.fstat(file.fileno())) in _kept:
            file.seek(0)
            yield file
            return
    try:
        yield file
    finally:
        os.close(file.fileno())


def _place(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _opened(path: str | os.PathLike[str]) -> FileIO:
    """Return a file that is not closed when it goes away."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return FileIO(number, closefd=False)
    except OSError:  # a folder
        os.close(number)
        raise


def _is_database(file: FileIO) -> bool:
    try:
        return file.read(len(_HEADER)) == _HEADER
    except OSError:
        return False
    finally:
        if file.seekable():
            file.seek(0)


def _keep(file: FileIO) -> None:
    for place, each in list(_kept.items()):
        if not os.fstat(each.fileno()).st_nlink:  # it was removed: nobody else can open it
            del _kept[place]
            os.close(each.fileno())
    _kept.setdefault(_place(os.fstat(file.fileno())), file)
