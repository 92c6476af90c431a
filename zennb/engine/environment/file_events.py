"""Owns what Linux reports of files, whoever opens or changes them: `FolderWatch` and `WriteWatch`."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CLOSE", "MOVE", "REMOVE", "FolderWatch", "WriteWatch"]

_ACCESS, _MODIFY, _CLOSE_READ, _OPEN, _IS_FOLDER = 0x1, 0x2, 0x10, 0x20, 0x40000000
_FULL, _LOST = 0x4000, 0x2000 | 0x8000
"""The queue was full; the disk was unmounted, or the folder is gone."""

_IGNORED = 0x8000
"""A folder is gone, and its number may be that of another one."""

CLOSE, MOVE, REMOVE = 0x8, 0x80, 0x40 | 0x200
"""How writing to a file ends: it is closed, another one is moved there, or it is removed or moved away."""

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
            mask = _ACCESS | _MODIFY | _CLOSE_READ | _OPEN
            number = system.inotify_add_watch(self._queue, os.fsencode(folder), mask)
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
        for number, mask, name in _waiting(self._queue):
            self._is_lost = self._is_lost or bool(mask & _FULL)
            if number in self._folders:  # else it belongs to who had the queue before
                self._note(self._folders[number], name, mask)

    def _note(self, folder: str, name: str, mask: int) -> None:
        self._is_lost = self._is_lost or bool(mask & _LOST)
        path = os.path.join(folder, name) if name else folder
        # The opening of a folder inside is reported here and, if it is watched as well, there.
        if mask & _OPEN:
            self._opened.add(path)
        # Reading through a map of memory is no access, but ends as reading does.
        if mask & (_ACCESS | _CLOSE_READ) and path not in self._changed:
            self._read_first.add(path)
        if mask & _MODIFY:
            self._changed.add(path)


class WriteWatch:
    """Tells whether somebody else changes the files that a step writes, from its first write to `stop`.

    Linux does not say who changed a file. So what the step is about to do is announced, and a change that was not
    announced is that of somebody else: another step, a background run, another program.

    Attributes:
        disturbed: the files that somebody else changed.
    """

    def __init__(self) -> None:
        self.disturbed: set[str] = set()
        self._folders: dict[int, str] = {}
        self._expected: Counter[tuple[int, str]] = Counter()
        self._known: set[str] = set()
        self._modified: set[str] = set()
        self._removed: set[str] = set()
        self._queue, self._process = -1, os.getpid()
        # Threads of the step announce what they write as well.
        self._lock = threading.Lock()

    def announce(self, path: str, how: int) -> None:
        """Note that the step is about to change a file.

        Args:
            path: absolute.
            how: `CLOSE` (after it was opened), `MOVE` or `REMOVE`.
        """
        system = _system()
        if system is None or self._process != os.getpid():  # a fork would take events away from its parent
            return
        place = _place(path, how)
        with self._lock:
            if self._queue < 0:
                self._queue = _queue(system)
            # What has happened so far was before this write. So the file's own number of open writers is known whenever
            # an event comes, and an event more is somebody else's.
            self._take()
            self._known.add(place)
            self._expected[how, place] += 1
            if how == REMOVE:
                self._removed.add(place)
            folder = os.path.dirname(place)
            mask = _MODIFY | CLOSE | MOVE | REMOVE
            number = (
                system.inotify_add_watch(self._queue, os.fsencode(folder), mask) if self._queue >= 0 else -1
            )
            if number >= 0:
                self._folders[number] = folder

    def follow(self, source: str, target: str) -> None:
        """Note that the step moves a file: if somebody else has changed it, the target holds that."""
        if _place(source, MOVE) in self.disturbed:
            self.disturbed.add(_place(target, MOVE))

    def stop(self) -> None:
        """End watching; calling it twice is fine."""
        with self._lock:
            if self._queue < 0 or self._process != os.getpid():
                return
            self._take()
            for number in self._folders:
                _system().inotify_rm_watch(self._queue, number)
            for _ in _waiting(self._queue):  # that they were removed
                pass
            _free.append((os.getpid(), self._queue))
            self._queue = -1

    def is_disturbed(self, path: str) -> bool:
        """Whether somebody else changed a file; asked after `stop`."""
        return not self.disturbed.isdisjoint({_place(path, CLOSE), _place(path, MOVE)})

    def is_settled(self, path: str) -> bool:
        """Whether all that happened to a file so far was announced, and all that was announced has happened."""
        with self._lock:
            if self._queue < 0 or self._process != os.getpid():
                return False
            self._take()
            places = {_place(path, CLOSE), _place(path, MOVE)}
            is_waiting = any(self._expected[how, each] for how in (CLOSE, MOVE, REMOVE) for each in places)
            is_watched = {os.path.dirname(each) for each in places} <= set(self._folders.values())
            return is_watched and not is_waiting and self.disturbed.isdisjoint(places)

    def _take(self) -> None:
        for number, mask, name in _waiting(self._queue):
            if mask & _IGNORED:
                self._folders.pop(number, None)
            elif number in self._folders and name:
                path = os.path.join(self._folders[number], name)
                if path in self._known and not self._is_own(path, mask):
                    self.disturbed.add(path)

    def _is_own(self, path: str, mask: int) -> bool:
        """Whether a change is one that was announced."""
        if mask & _MODIFY:
            self._modified.add(path)
            return self._expected[CLOSE, path] > 0
        how = next((each for each in (CLOSE, MOVE, REMOVE) if mask & each), 0)
        if self._expected[how, path] > 0:
            self._expected[how, path] -= 1
            return True
        if (
            how == CLOSE
        ):  # one that was open before, as a connection that is replaced, changes nothing as it is closed
            return path not in self._modified
        # With a folder goes what is in it, of which Python says nothing more.
        return how == REMOVE and any(path.startswith(each + os.sep) for each in self._removed)


def _place(path: str, how: int) -> str:
    """Return where the change of a file is reported: what a link leads to is written, the link itself is removed."""
    if how == CLOSE:
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _waiting(queue: int) -> Iterator[tuple[int, int, str]]:
    """Yield the events that are waiting in a queue: number of the folder, what happened, and the name."""
    while queue >= 0:
        try:
            data = os.read(queue, _CHUNK)
        except OSError:  # there are no more
            return
        place = 0
        while place < len(data):
            number, mask, _, length = _EVENT.unpack_from(data, place)
            place += _EVENT.size + length
            yield number, mask, os.fsdecode(data[place - length : place].rstrip(b"\0"))


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
