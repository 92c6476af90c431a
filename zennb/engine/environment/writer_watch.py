"""Owns `WriterWatch`: which files in some folders both this process and another one change, where Linux tells that."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WriterWatch"]

_MODIFY, _MOVED_FROM, _MOVED_TO, _DELETE = 0x2, 0x40, 0x80, 0x200
_ON_CHILD, _FULL = 0x08000000, 0x4000
_CHANGES = _MODIFY | _MOVED_FROM | _MOVED_TO | _DELETE
_NAMES, _NO_BLOCK, _NO_FORK = 0xC00, 0x2, 0x1
"""How a queue reports: with the name of the file and the folder it is in; without waiting; not in children."""

_ADD, _FLUSH, _HERE = 0x1, 0x80, -100
_NAME_OF_CHILD = 2
"""Kind of the part of an event that holds a name."""

_EVENT, _PART, _HANDLE = struct.Struct("=IBBHQii"), struct.Struct("=BBH"), struct.Struct("=8sIi")
_CHUNK = 1 << 16

_free: list[tuple[int, int]] = []
"""Queues to be used again, with the process they belong to: to close one takes milliseconds."""


class WriterWatch:
    """Watches folders from `start` to `stop`. Files of one name in several of them count as one.

    It takes Linux 5.13, a disk that takes part, and a container that allows it; elsewhere it tells nothing. Unlike
    `WriteWatch` it sees what compiled libraries write, which announces nothing.
    """

    def __init__(self) -> None:
        self._queue = -1
        self._own: set[bytes] = set()
        self._others: set[bytes] = set()
        self._folders: set[str] = set()
        self._is_lost = False

    def start(self, folders: Iterable[str]) -> None:
        """Watch these folders, but not those inside them."""
        system = _system()
        wanted = list(folders) if system is not None else []
        if not wanted:
            return
        self._queue = _queue(system)
        for folder in wanted if self._queue >= 0 else ():
            mask = ctypes.c_uint64(_CHANGES | _ON_CHILD)
            if system.fanotify_mark(self._queue, _ADD, mask, _HERE, os.fsencode(folder)) == 0:
                self._folders.add(folder)

    def stop(self) -> None:
        """End watching; calling it twice is fine."""
        if self._queue < 0:
            return
        self._take()
        _system().fanotify_mark(self._queue, _FLUSH, ctypes.c_uint64(0), _HERE, None)
        own, others = set(self._own), set(self._others)
        self._take()  # what comes after the end is nobody's
        self._own, self._others = own, others
        _free.append((os.getpid(), self._queue))
        self._queue = -1

    def is_shared(self, path: str) -> bool:
        """Whether this process changed a file and another one did so too; asked after `stop`."""
        name = os.fsencode(os.path.basename(path))
        return name in self._own and name in self._others

    def is_own(self, path: str) -> bool:
        """Whether this process changed a file and no other one did, as far as it is told; asked after `stop`."""
        folder, name = os.path.split(path)
        is_told = folder in self._folders and not self._is_lost
        return is_told and os.fsencode(name) in self._own and os.fsencode(name) not in self._others

    def _take(self) -> None:
        while True:
            try:
                data = os.read(self._queue, _CHUNK)
            except OSError:  # there are no more
                return
            place = 0
            while place < len(data):
                length, _, _, start, mask, _, process = _EVENT.unpack_from(data, place)
                self._is_lost = self._is_lost or bool(mask & _FULL)
                name = _name(data[place + start : place + length])
                if name:
                    # Of other processes a user who is not root learns no more than that.
                    (self._own if process == os.getpid() else self._others).add(name)
                place += length


def _name(parts: bytes) -> bytes:
    """Return the name in the parts of an event; "" when there is none."""
    place = 0
    while place < len(parts):
        kind, _, length = _PART.unpack_from(parts, place)
        if kind == _NAME_OF_CHILD:
            _, size, _ = _HANDLE.unpack_from(parts, place + _PART.size)
            start = place + _PART.size + _HANDLE.size + size
            return parts[start : place + length].split(b"\0")[0]
        place += max(1, length)
    return b""


def _queue(system: Any) -> int:
    """Return a queue that nobody uses; -1 if there is none to be had."""
    while _free:
        process, queue = _free.pop()
        if process == os.getpid():  # else a fork shares it
            return queue
    return int(system.fanotify_init(_NAMES | _NO_BLOCK | _NO_FORK, os.O_RDONLY))


@cache
def _system() -> Any:
    """Return the C library; None where it cannot watch."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        queue = library.fanotify_init(_NAMES | _NO_BLOCK | _NO_FORK, os.O_RDONLY)
    except (AttributeError, OSError):
        return None
    if queue < 0:
        return None
    _free.append((os.getpid(), queue))
    return library
