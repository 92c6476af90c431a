"""Owns how a local store frees space: what it lists, what it deletes, and how content counts as stored now."""

from __future__ import annotations

import time
from abc import abstractmethod
from contextlib import suppress
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from zennb.components.artifact_stores.row import size_in
from zennb.components.artifact_stores.space_limit import SpaceLimit
from zennb.components.component import ArtifactStore
from zennb.components.content import is_digest
from zennb.core.records.space import StoredBlob
from zennb.errors import StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from zennb.components.artifact_stores.blob_files import BlobFiles
    from zennb.components.artifact_stores.read_only_cache import ReadOnlyCache
    from zennb.components.artifact_stores.strict_cache import StrictCache

    AnyCache: TypeAlias = StrictCache | ReadOnlyCache

__all__ = ["FreeableStore", "renew"]

R = TypeVar("R")

_FRESH = 60.0
"""Seconds for which content counts as stored now without being written again."""

_BATCH = 50
"""Blobs that are deleted in one transaction; other kernels wait for each."""


class FreeableStore(ArtifactStore):
    """The methods of the local store that are about space."""

    max_size: Any

    def stored(self) -> Iterator[StoredBlob]:
        """Yield name, size and time of everything that takes space, also of files without a row."""
        return iter(self._apply(_inventory))

    def touch(self, digest: str) -> bool:
        """Return whether it exists and counts as stored now, which cannot be noted where nothing can be written."""
        if not is_digest(digest):
            return False
        try:
            self._apply(_touch, digest)
        except (StoreFull, StoreReadOnly):
            return False  # another process may delete it at any time
        return self.has(digest)  # asked afterwards: what is there now is not deleted for a while

    def free(self, digests: Iterable[str], *, before: float) -> frozenset[str]:
        """Delete those stored before a time; kernels that have one mapped keep their view."""
        known = [digest for digest in digests if is_digest(digest)]
        try:
            return self._apply(_free, known, before)
        except StoreFull:
            freed = self._apply(_make_room, known, before)
            if not freed:
                raise
        with suppress(StoreFull):
            freed |= self._apply(_free, known, before)
        return freed

    def space_warning(self) -> str:
        """Return a sentence once when 80 % of `max_size` are used; else ""."""
        return self.limit.warning(self.name, self.max_size)

    @cached_property
    def limit(self) -> SpaceLimit:
        """Watches how full the store is."""
        return SpaceLimit(lambda: sum(each.size for each in self.stored()))

    @abstractmethod
    def _apply(self, work: Callable[..., R], *args: Any) -> R:
        """Run `work(cache, files, *args)` on the database thread, opening the store first if need be."""


def _inventory(cache: AnyCache, files: BlobFiles) -> list[StoredBlob]:
    """Return everything that takes space: rows, and files, also those that a killed process left without a row."""
    found = {name: (seen.st_size, seen.st_mtime) for name, seen in files.all()}
    blobs = []
    for key, tag, when, head in cache.entries():
        size, is_file = size_in(tag)
        if not is_file and is_digest(key):
            begins = head if isinstance(head, bytes) else b""
            blobs.append(StoredBlob(digest=str(key), size=size, stored=when, head=begins))
        elif key in found:
            size, written = found.pop(str(key))
            blobs.append(StoredBlob(digest=str(key), size=size, stored=max(when, written)))
    return blobs + [
        StoredBlob(digest=name, size=size, stored=written) for name, (size, written) in found.items()
    ]


def renew(cache: AnyCache, digest: str) -> None:
    """Let a row count as stored now; inside a transaction."""
    now = time.time()
    cache.renew(digest, now=now, unless_since=now - _FRESH)


def _touch(cache: AnyCache, _files: BlobFiles, digest: str) -> None:
    """Let a row count as stored now, which writes only when it was stored a while ago."""
    stored = cache.stored_at(digest)
    if stored is not None and stored < time.time() - _FRESH:
        with cache.transact():
            renew(cache, digest)


def _free(cache: AnyCache, files: BlobFiles, digests: Sequence[str], before: float) -> frozenset[str]:
    """Delete what was stored before a time; return what was deleted."""
    freed: set[str] = set()
    for batch in _batches(digests):
        # First the rows, then the files: a process that is killed in between leaves files without a row, which are
        # not there for readers, and which the next call deletes. Each under the lock, so that content which is stored
        # again in the meantime keeps its row and its file.
        with cache.transact():
            old = [each for each in batch if _is_old(cache, files, each, before)]
            rows = {each for each in old if cache.delete(each)}
        with cache.transact():
            left = [each for each in old if cache.stored_at(each) is None]
            freed.update(each for each in left if _removed(files, each) or each in rows)
    if freed:
        cache.give_back()
    return frozenset(freed)


def _make_room(cache: AnyCache, files: BlobFiles, digests: Sequence[str], before: float) -> frozenset[str]:
    """Delete the files of what was stored before a time where the disk has no room to delete the rows.

    A row without its file is not there for readers, and whoever stores the content again writes the file again.
    """
    with cache.lock():
        return frozenset(
            each for each in digests if _is_old(cache, files, each, before) and _removed(files, each)
        )


def _is_old(cache: AnyCache, files: BlobFiles, digest: str, before: float) -> bool:
    times = [each for each in (cache.stored_at(digest), files.written(digest)) if each is not None]
    return bool(times) and max(times) < before


def _removed(files: BlobFiles, digest: str) -> bool:
    try:
        return files.remove(digest)
    except PermissionError:  # Windows keeps a file that a kernel has mapped; the next call deletes it
        return False


def _batches(digests: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(digests)
    while batch := list(islice(rest, _BATCH)):
        yield batch
