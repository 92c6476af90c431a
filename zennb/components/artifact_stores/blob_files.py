"""Owns `BlobFiles`: the large blobs of a local artifact store, one read-only file each, named by its sha-256."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import stat
import time
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias

from xxhash import xxh3_128

from zennb.components.artifact_stores.store_directory import publish, remove_part
from zennb.components.content import is_digest
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from zennb.components.artifact_stores.store_directory import StoreDirectory

__all__ = ["BadBlobError", "BlobFiles", "Part", "Stamp", "StoppedError"]

_BLOCK = 2 << 20
"""Bytes per block. Each block is copied before it is hashed and written, so both use the same bytes even if another
thread changes the value; a cancelled write stops between two blocks."""

_AHEAD = 4
"""Number of block buffers: writing is at most so many blocks ahead of hashing."""

_AT_ONCE = 4
"""Files written at the same time."""

_BESIDE = 1 << 20
"""From this size on, hashing runs in a second thread."""

_TAKEN_IN = 16 << 20
"""After so many bytes, writeback to disk starts while the rest is hashed and written."""

_OLD = 24 * 3600.0
"""Seconds after which an unfinished file of a dead process is removed."""

_PART_NAME = re.compile(r"(?P<pid>\d+)-[0-9a-f]{32}\.(part|new)")
# Never through a link, even if one takes the file's place just now; and never waiting, as a pipe of that name would.
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

Stamp: TypeAlias = tuple[int, int, int]
"""Identifies the state of a file: inode, modification time in nanoseconds, size."""


class BadBlobError(Exception):
    """A blob file is damaged.

    Args:
        why: for users: "it has 10 bytes instead of 40000".
        stamp: the state it was found in.
    """

    def __init__(self, why: str, stamp: Stamp) -> None:
        super().__init__(why)
        self.why, self.stamp = why, stamp


class StoppedError(Exception):
    """The write was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A finished file that does not have its final name yet."""

    path: Path
    digest: str
    size: int
    quick: str
    """xxh3-128 of the content, which detects damage five times faster than the sha-256."""


class BlobFiles:
    """The files of one store.

    Args:
        directory: the store's directory, prepared.
        durable: whether a blob that was written has to survive a power failure.
    """

    def __init__(self, directory: StoreDirectory, *, durable: bool = True) -> None:
        self._directory, self._durable = directory, durable
        self._verified: dict[str, Stamp] = {}

    def path(self, digest: str) -> Path:
        """Return the path of a blob."""
        return self._directory.blobs / digest[:2] / digest

    def new_part(self) -> Path:
        """Return a path for a file that does not have its final name yet; `clean` removes it if this process dies."""
        return self._directory.parts / f"{os.getpid()}-{uuid.uuid4().hex}.part"

    def write(self, views: Sequence[memoryview], stop: Event) -> Part:
        """Write bytes to a temporary file and return it, synced to disk and read-only.

        Raises:
            OSError: it could not be written; no file remains.
            StoppedError: `stop` was set; no file remains.
        """
        path = self.new_part()
        size = sum(view.nbytes for view in views)
        try:
            with path.open("xb", buffering=0) as file:
                digest, quick = _write_and_hash(views, file.fileno(), stop, beside=size >= _BESIDE)
                # Read-only before it gets its name, so that nobody ever finds a blob that could be written to. Synced
                # before that, too: after a power failure a name must not lead to a file without content.
                path.chmod(stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o444)
                if self._durable:
                    os.fsync(file.fileno())
            _check(stop)
        except BaseException as error:
            if isinstance(error, OSError):
                _note_missing_room(error, path, size)
            path.unlink(missing_ok=True)
            raise
        return Part(path=path, digest=digest, size=size, quick=quick)

    def write_all(self, several: Sequence[Sequence[memoryview]], stop: Event, done: list[Part]) -> list[Part]:
        """Write several files as `write` does and return them in order; `done` gets those finished, also on errors."""

        def written(views: Sequence[memoryview]) -> Part:
            part = self.write(views, stop)
            done.append(part)
            return part

        if len(several) <= 1:
            return list(map(written, several))
        # While one file waits for the disk, others are hashed and written.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="zennb-store-file") as pool:
            try:
                return list(pool.map(written, several))
            except BaseException:
                stop.set()  # or the rest would still be written
                raise

    def place(self, part: Part) -> None:
        """Give the file its final name. An existing file is kept if it was verified, else replaced."""
        target = self.path(part.digest)
        self._make_folder(target.parent)
        # A file of that name is there. If it was not verified it may be damaged, and would stay so for ever.
        if not publish(part.path, target):
            if self.is_verified(part.digest):
                return
            self._replace(part, target)
        with suppress(
            FileNotFoundError
        ):  # another process has just deleted it; it is placed again with its row
            self._verified[part.digest] = _stamp(target.lstat())

    def has(self, digest: str, size: int) -> bool:
        """Return whether a regular file of that name and size exists."""
        path = self.path(digest)
        try:
            seen = path.lstat()
        except OSError:
            return False
        if path.parent.is_symlink():
            return False
        return stat.S_ISREG(seen.st_mode) and seen.st_size == size

    def read(self, digest: str, size: int, *, quick: str = "", again: bool = False) -> memoryview:
        """Return a private, writable memory map of the blob; its content is verified once per process and file.

        Args:
            digest: its name.
            size: the size it was recorded with.
            quick: the xxh3-128 it was recorded with; without it the sha-256 is verified.
            again: verify the sha-256 although the content was verified before.

        Raises:
            FileNotFoundError: there is no such file.
            BadBlobError: it is not what was stored.
        """
        path = self.path(digest)
        if path.parent.is_symlink():
            raise BadBlobError("its folder is a symbolic link", _stamp(path.lstat()))
        seen = path.lstat()
        if not stat.S_ISREG(seen.st_mode):
            raise BadBlobError("it is not a regular file", _stamp(seen))
        descriptor = os.open(path, _READ)
        try:
            # Of the opened file, which may be another one than `lstat` saw a moment ago.
            stamp = _stamp(os.fstat(descriptor))
            if stamp[2] != size:
                raise BadBlobError(f"it has {stamp[2]:,} bytes instead of {size:,}", stamp)
            view = memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY))
        finally:
            os.close(descriptor)
        if again or self._verified.get(digest) != stamp:
            self._check_content(digest, view, stamp, quick="" if again else quick)
        return view

    def remove(self, digest: str) -> bool:
        """Remove the blob; return whether it existed. Existing memory maps stay valid."""
        self._verified.pop(digest, None)
        path = self.path(digest)
        if path.parent.is_symlink():
            return False
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def all(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the name and state of every blob file, also of those that no row names."""
        for folder in self._directory.blobs.iterdir():
            if folder.is_symlink() or not folder.is_dir():
                continue
            for entry in folder.iterdir():
                with suppress(FileNotFoundError):  # deleted in the meantime
                    seen = entry.lstat()
                    if stat.S_ISREG(seen.st_mode) and is_digest(entry.name):
                        yield entry.name, seen

    def written(self, digest: str) -> float | None:
        """Return when a blob's file was written, in seconds since the epoch; None when there is none."""
        path = self.path(digest)
        try:
            return None if path.parent.is_symlink() else path.lstat().st_mtime
        except OSError:
            return None

    def set_aside(self, digest: str, stamp: Stamp) -> Path | None:
        """Move a damaged blob to quarantine; return its new path, None when it has been replaced."""
        path = self.path(digest)
        if path.parent.is_symlink():
            path = path.parent  # move the link; its target is not ours
        elif not os.path.lexists(path) or _stamp(path.lstat()) != stamp:
            return None
        self._verified.pop(digest, None)
        return self._move_aside(path)

    def clean(self, now: float) -> None:
        """Remove unfinished files of dead processes, a day after the last write."""
        for entry in self._directory.parts.iterdir():
            # Only names that we give ourselves, only of processes that have ended, and only after a day: on a shared
            # disk the process may run on another machine.
            found = _PART_NAME.fullmatch(entry.name)
            if found and now - entry.lstat().st_mtime > _OLD and not _is_alive(int(found["pid"])):
                remove_part(entry)

    def _check_content(self, digest: str, view: memoryview, stamp: Stamp, *, quick: str) -> None:
        found = xxh3_128() if quick else hashlib.sha256()
        for start in range(0, len(view), _BLOCK):  # in blocks, so that an interrupt can come between two
            found.update(view[start : start + _BLOCK])
        if found.hexdigest() != (quick or digest):
            self._verified.pop(digest, None)
            raise BadBlobError("its content has changed since it was stored", stamp)
        self._verified[digest] = stamp

    def is_verified(self, digest: str) -> bool:
        """Whether the file was verified in this process, and has not changed since."""
        try:
            seen = self.path(digest).lstat()
        except OSError:  # not there, or another process has just deleted it
            return False
        return stat.S_ISREG(seen.st_mode) and self._verified.get(digest) == _stamp(seen)

    def _replace(self, part: Part, target: Path) -> None:
        # The part itself stays: `add_all` places it again when another process deletes the blob
        # before the row is written.
        twin = part.path.with_name(f"{os.getpid()}-{uuid.uuid4().hex}.part")
        try:
            os.link(part.path, twin)
        except OSError:  # a file system without hard links
            twin = part.path
        if target.is_dir() and not target.is_symlink():  # nothing can be renamed over a folder
            self._move_aside(target)
        twin.replace(target)

    def _move_aside(self, path: Path) -> Path:
        aside = self._directory.quarantine / f"{path.name}-{time.time_ns()}"
        path.replace(aside)
        return aside

    def _make_folder(self, folder: Path) -> None:
        if folder.is_symlink():
            raise StoreError(
                f"{folder} is a symbolic link; nothing was stored. Remove the link and run again."
            )
        if not folder.is_dir():
            if folder.exists():  # a file in the folder's place
                self._move_aside(folder)
            folder.mkdir(parents=True, exist_ok=True)


def _note_missing_room(error: OSError, path: Path, size: int) -> None:
    """Note in an error how many of `size` bytes could not be written: what was written shows how much room there is."""
    with suppress(OSError):
        vars(error)["short"] = max(0, size - path.stat().st_size)


def _stamp(seen: os.stat_result) -> Stamp:
    return seen.st_ino, seen.st_mtime_ns, seen.st_size


def _check(stop: Event) -> None:
    if stop.is_set():
        raise StoppedError


def _write_and_hash(
    views: Sequence[memoryview], descriptor: int, stop: Event, *, beside: bool
) -> tuple[str, str]:
    """Write and hash the same bytes; return their sha-256 and xxh3-128."""
    # Both read the copy in the block, never the value: a value that a thread changes during the write gets
    # the name of what was written.
    sha, quick = hashlib.sha256(), xxh3_128()
    if not beside:
        # Small content: starting a thread would take longer than hashing it.
        for block in _blocks(views, 1):
            sha.update(block)
            quick.update(block)
            _write(descriptor, block)
        return sha.hexdigest(), quick.hexdigest()
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="zennb-sha256") as hasher:
        begun = written = 0
        for block in _blocks(views, _AHEAD):
            _check(stop)
            pending.append(hasher.submit(sha.update, block))
            quick.update(block)
            _write(descriptor, block)
            written += len(block)
            if written - begun >= _TAKEN_IN:
                _take_in(descriptor, begun, written - begun)
                begun = written
            if len(pending) == _AHEAD:  # the next block reuses the buffer that was hashed first
                pending.popleft().result()
        _take_in(descriptor, begun, written - begun)
    return sha.hexdigest(), quick.hexdigest()


def _take_in(descriptor: int, start: int, length: int) -> None:
    """Start writeback of what was just written without waiting, so that the final fsync has less to wait for.

    For dirty pages this advice only starts writeback; they stay in the page cache.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def _blocks(views: Sequence[memoryview], ahead: int) -> Iterator[memoryview]:
    """Yield the bytes in blocks; each is a copy that stays valid until `ahead` more were requested."""
    size = min(_BLOCK, sum(len(view) for view in views))
    ring = cycle([memoryview(bytearray(size)) for _ in range(ahead)])
    block, filled = next(ring), 0
    for view in views:
        start = 0
        while start < len(view):
            piece = view[start : start + size - filled]
            block[filled : filled + len(piece)] = piece
            start, filled = start + len(piece), filled + len(piece)
            if filled == size:
                yield block
                block, filled = next(ring), 0
    if filled:
        yield block[:filled]


def _write(descriptor: int, block: memoryview) -> None:
    rest = block
    while rest:
        # One call may write less than asked for: when a signal arrives, or at the 2 GB that Linux takes at once.
        rest = rest[os.write(descriptor, rest) :]


def _is_alive(pid: int) -> bool:
    # On Windows signal 0 is Ctrl-C, and would reach the process.
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
