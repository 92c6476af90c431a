"""Owns the `memory` artifact store: a dictionary in this process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from zennb.components.component import ArtifactStore, StoredBlob, Visibility
from zennb.components.content import flat, missing, name_of
from zennb.errors import NotStorable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from zennb.components.component import Buffer

__all__ = ["MemoryArtifactStore"]


class MemoryArtifactStore(ArtifactStore):
    """Stores everything in memory: nothing is written to disk, and nothing outlives the kernel.

    Threads and interrupts cannot leave a method half done: each is one operation on a dictionary, or holds a lock.
    """

    flavor = "memory"
    description = "keeps artifacts in this kernel's memory; they are gone when it ends"
    visibility = Visibility.PROCESS

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._content: dict[str, bytes] = {}
        self._times: dict[str, float] = {}
        self._lock = threading.Lock()

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store a copy of the joined chunks and return its digest."""
        content = b"".join(flat(chunks))
        digest = name_of(content)
        with self._lock:
            # The first copy stays: others may hold views of it.
            self._content.setdefault(digest, content)
            self._times[digest] = time.time()
        return digest

    def get(self, digest: str) -> Buffer:
        """Return the bytes, which are read-only."""
        try:
            return self._content[digest]
        except KeyError:
            raise missing(digest, self.name) from None

    def has(self, digest: str) -> bool:
        """Say whether it is there."""
        return digest in self._content

    def delete(self, digest: str) -> bool:
        """Delete it; return whether it existed."""
        return self._content.pop(digest, None) is not None

    def digests(self) -> Iterator[str]:
        """Yield the digests of everything stored now."""
        return iter(list(self._content))

    def size(self, digest: str) -> int:
        """Return its size in bytes."""
        return len(self.get(digest))

    def verify(self) -> list[str]:
        """Read everything and delete what is damaged, which takes a hardware fault."""
        damaged = [digest for digest, content in list(self._content.items()) if name_of(content) != digest]
        for digest in damaged:
            self.delete(digest)
        return damaged

    def stored(self) -> Iterator[StoredBlob]:
        """Yield name, size and time of everything stored now."""
        found = list(self._content.items())
        times = [self._times.get(digest) for digest, _ in found]
        return (
            StoredBlob(digest=digest, size=len(content), stored=when, head=content[:8])
            for (digest, content), when in zip(found, times, strict=True)
        )

    def touch(self, digest: str) -> bool:
        """Say whether it is there; if so, it counts as stored now."""
        with self._lock:
            if digest not in self._content:
                return False
            self._times[digest] = time.time()
            return True

    def free(self, digests: Iterable[str], *, before: float) -> frozenset[str]:
        """Delete those stored before a time."""
        with self._lock:
            old = frozenset(each for each in digests if self._times.get(each, before) < before)
            return frozenset(each for each in old if self._content.pop(each, None) is not None)

    def __reduce__(self) -> Any:
        raise NotStorable(
            f"The artifact store '{self.name}' lives in the memory of this process and cannot be sent to "
            "another one. Use a stack whose artifact store reaches further, e.g. flavor 'local'."
        )
