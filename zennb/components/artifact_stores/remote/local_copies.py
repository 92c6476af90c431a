"""Owns `LocalCopies`: copies of remote blobs on this machine, up to a size; the folder may be deleted at any time.

They are files named by their digests, as the local store keeps large blobs, and no rows of diskcache: a blob of
gigabytes is streamed into its file and mapped from there, without a second copy in memory, and needs no database.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.blob_files import BadBlobError, BlobFiles, Part
from zennb.components.artifact_stores.store_directory import StoreDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zennb.components.component import Buffer

__all__ = ["LocalCopies", "default_folder", "mapped"]

_BLOCK = 2 << 20
_FRESH = 60.0
"""Seconds for which a copy counts as used now without being noted again."""

_DOWN_TO = 0.9
"""Part of the limit that is left when copies are deleted, so that this is not done after each new one."""

_TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# Copies of artifacts that zennb has in remote stores. This folder can be deleted at any time.\n"
)


class LocalCopies:
    """Copies by digest. Several stores and processes may share one folder.

    Args:
        folder: where they are.
        limit: bytes they may take; the longest unused are deleted first. With 0 nothing is kept.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self._limit = folder, limit
        self._directory = StoreDirectory(folder)
        self._files = BlobFiles(self._directory, durable=False)
        self._used: int | None = None
        self._is_clean = False

    def read(self, digest: str, *, most: int = sys.maxsize) -> Buffer | None:
        """Return the verified content of a copy, as a private memory map; None if there is none.

        Args:
            digest: its name.
            most: bytes up to which it is returned as `bytes`.
        """
        try:
            size = self._files.path(digest).lstat().st_size
            view = self._files.read(digest, size)
        except BadBlobError:
            with suppress(OSError):
                self._files.remove(digest)
            return None
        except (OSError, ValueError):  # there is none, or it is empty
            return None
        self._note_use(digest)
        return bytes(view) if size <= most else view

    def size(self, digest: str) -> int | None:
        """Return the size of a copy that was verified in this process; None if there is none."""
        try:
            return self._files.path(digest).lstat().st_size if self._files.is_verified(digest) else None
        except OSError:
            return None

    def write(self, views: Sequence[memoryview]) -> Part:
        """Write content to a temporary file, and return it.

        Raises:
            OSError: it cannot be written; nothing of it remains.
        """
        self._prepare()
        return self._files.write(views, threading.Event())

    def new_part(self) -> Path:
        """Return the path of a temporary file to be written.

        Raises:
            OSError: the folder cannot be used.
        """
        self._prepare()
        return self._files.new_part()

    def received(self, path: Path) -> Part:
        """Return a temporary file that was written by somebody else, with its digest."""
        sha, size = hashlib.sha256(), 0
        with path.open("rb", buffering=0) as file:
            block = memoryview(bytearray(_BLOCK))
            while length := file.readinto(block):
                sha.update(block[:length])
                size += length
        path.chmod(0o444)
        return Part(path=path, digest=sha.hexdigest(), size=size, quick="")

    def keep(self, part: Part) -> None:
        """Let a temporary file be the copy of its digest, if there is room; the file itself stays as well."""
        if part.size > self._limit or not part.size:
            return
        with suppress(OSError):  # a copy saves time, and nothing else
            self._files.place(part)
            self._note_use(part.digest)
            self._added(part.size)

    def keep_small(self, digest: str, content: bytes) -> None:
        """Write small content that has been verified, if there is room."""
        if len(content) > self._limit or not content or self._files.is_verified(digest):
            return
        with suppress(OSError):
            part = self.write([memoryview(content)])
            try:
                self.keep(part)
            finally:
                part.path.unlink(missing_ok=True)

    def forget(self, digest: str) -> None:
        """Delete a copy."""
        with suppress(OSError):
            self._files.remove(digest)

    def _prepare(self) -> None:
        # At each write: somebody may have deleted the folder.
        for folder in (self._directory.blobs, self._directory.parts, self._directory.quarantine):
            folder.mkdir(parents=True, exist_ok=True)
        if not self._is_clean:
            self._is_clean = True
            with suppress(OSError):
                (self.folder / "CACHEDIR.TAG").write_bytes(_TAG)  # says to backups that they may leave it out
                self._files.clean(time.time())

    def _note_use(self, digest: str) -> None:
        path = self._files.path(digest)
        with suppress(OSError):
            seen, now = path.stat(), time.time_ns()
            if now - seen.st_atime_ns > _FRESH * 1e9:
                # Not the time of modification, by which a file that was verified is known again.
                os.utime(path, ns=(now, seen.st_mtime_ns))

    def _added(self, size: int) -> None:
        if self._used is None:
            self._used = sum(seen.st_size for _, seen in self._all())
        else:
            self._used += size
        if self._used <= self._limit:
            return
        # Counted anew, for other processes write here as well.
        copies = sorted(self._all(), key=lambda each: each[1].st_atime_ns)
        self._used = sum(seen.st_size for _, seen in copies)
        for digest, seen in copies:
            if self._used <= self._limit * _DOWN_TO:
                break
            with suppress(OSError):  # on Windows, a kernel has it mapped
                self._files.remove(digest)
                self._used -= seen.st_size

    def _all(self) -> Iterator[tuple[str, os.stat_result]]:
        return self._files.all() if self._directory.blobs.is_dir() else iter(())


def mapped(path: Path, size: int) -> memoryview:
    """Return the content of a file as a private memory map, which stays when the file is deleted."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY))


def default_folder() -> Path:
    """Return the folder for copies in the user's folder for caches."""
    if sys.platform == "darwin":
        caches = Path("~/Library/Caches")
    elif sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    try:
        return caches.expanduser() / "zennb" / "artifacts"
    except RuntimeError:  # this user has no home
        return Path(tempfile.gettempdir()) / "zennb-artifacts"
