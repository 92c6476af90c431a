"""Owns `FolderWatch`: which files in some folders are opened, by any code of any process, as Linux reports them."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FolderWatch"]

_ACCESS, _MODIFY, _OPEN, _IS_FOLDER = 0x1, 0x2, 0x20, 0x40000000
_FULL, _LOST = 0x4000, 0x2000 | 0x8000
"""The queue was full; the disk was unmounted, or the folder is gone."""

_free: list[tuple[int, int]] = []
"""Queues to be used again, with the process they belong to: to close one takes milliseconds."""

_EVENT = struct.Struct("iIII")
_CHUNK = 1 << 18


class FolderWatch:
    """Watches folders from `start` to `stop`, and then says what was opened in them.

    Not every system and not every disk reports it, so an answer is trusted only where opening the folder is reported.
    """

    def __init__(self) -> None:
        self._folders: dict[int, str] = {}
        self._opened: set[str] = set()
        self._read_first: set[str] = set()
        self._changed: set[str] = set()
        self._told: frozenset[str] = frozenset()
        self._is_lost = False
        self._queue = -1

    def start(self, folders: Iterable[str]) -> None:
        """Watch these folders, but not those inside them."""
        system = _system()
        if system is None:
            return
        self._queue = _queue(system)
        for folder in folders if self._queue >= 0 else ():
            number = system.inotify_add_watch(self._queue, os.fsencode(folder), _ACCESS | _MODIFY | _OPEN)
            if number >= 0:
                self._folders[number] = folder

    def stop(self) -> None:
        """End watching."""
        self._take()
        opened, read = frozenset(self._opened), frozenset(self._read_first)
        for folder in self._folders.values():
            self._opened.discard(folder)
            with suppress(OSError):
                os.close(os.open(folder, os.O_RDONLY))
        self._take()
        self._told = frozenset(() if self._is_lost else self._opened.intersection(self._folders.values()))
        self._opened, self._read_first = set(opened), set(read)
        if self._queue >= 0:
            for number in self._folders:
                _system().inotify_rm_watch(self._queue, number)
            self._take()
            _free.append((os.getpid(), self._queue))
        self._queue = -1

    def was_opened(self, path: str) -> bool:
        """Whether a file or folder was opened, or may have been; asked after `stop`."""
        is_told = path in self._told or os.path.dirname(path) in self._told
        return path in self._opened or not is_told

    def was_read_first(self, path: str) -> bool:
        """Whether a file that was changed had been read before."""
        return path in self._read_first

    def _take(self) -> None:
        """Take the events that are waiting."""
        while self._queue >= 0:
            try:
                data = os.read(self._queue, _CHUNK)
            except OSError:  # there are no more
                return
            place = 0
            while place < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, place)
                place += _EVENT.size + length
                name = data[place - length : place].rstrip(b"\0")
                self._is_lost = self._is_lost or bool(mask & _FULL)
                if number in self._folders:  # else it belongs to who had the queue before
                    self._note(self._folders[number], os.fsdecode(name), mask)

    def _note(self, folder: str, name: str, mask: int) -> None:
        self._is_lost = self._is_lost or bool(mask & _LOST)
        path = os.path.join(folder, name) if name else folder
        # The opening of a folder inside is reported here and, if it is watched as well, there.
        if mask & _OPEN:
            self._opened.add(path)
        if mask & _ACCESS and path not in self._changed:
            self._read_first.add(path)
        if mask & _MODIFY:
            self._changed.add(path)


def _queue(system: Any) -> int:
    """Return a queue that nobody uses; -1 if there is none to be had."""
    while _free:
        process, queue = _free.pop()
        if process == os.getpid():  # else a fork shares it
            return queue
    return int(system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))


@cache
def _system() -> Any:
    """Return the C library; None where it cannot watch."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.inotify_init1, library.inotify_add_watch  # noqa: B018 - raises where they are missing
    except (AttributeError, OSError):
        return None
    return library
