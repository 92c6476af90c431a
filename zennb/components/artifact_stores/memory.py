"""Owns the `memory` artifact store: a dictionary in this process, gone with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.components.component import ArtifactStore, Visibility
from zennb.components.content import flat, missing, name_of
from zennb.errors import NotStorable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from zennb.components.component import Buffer

__all__ = ["MemoryArtifactStore"]


class MemoryArtifactStore(ArtifactStore):
    """Keeps everything in memory: nothing touches the disk, and nothing outlives the kernel.

    Every method is one operation on a dictionary, so threads and interrupts cannot leave it half done.
    """

    flavor = "memory"
    description = "keeps artifacts in this kernel's memory; they are gone when it ends"
    visibility = Visibility.PROCESS

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._kept: dict[str, bytes] = {}

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Keep a copy of the chunks, joined, and return its name."""
        content = b"".join(flat(chunks))
        digest = name_of(content)
        self._kept.setdefault(digest, content)
        return digest

    def get(self, digest: str) -> Buffer:
        """Return the bytes, which cannot be written to."""
        try:
            return self._kept[digest]
        except KeyError:
            raise missing(digest, self.name) from None

    def has(self, digest: str) -> bool:
        """Say whether it is there."""
        return digest in self._kept

    def delete(self, digest: str) -> bool:
        """Drop it; say whether it was there."""
        return self._kept.pop(digest, None) is not None

    def digests(self) -> Iterator[str]:
        """Yield the names of everything kept now."""
        return iter(list(self._kept))

    def size(self, digest: str) -> int:
        """Return its size in bytes."""
        return len(self.get(digest))

    def verify(self) -> list[str]:
        """Read everything and drop what is damaged; in memory only a broken machine could do that."""
        damaged = [digest for digest, content in list(self._kept.items()) if name_of(content) != digest]
        for digest in damaged:
            self.delete(digest)
        return damaged

    def __reduce__(self) -> Any:
        raise NotStorable(
            f"The artifact store '{self.name}' lives in the memory of this process and cannot be sent to "
            "another one. Use a stack whose artifact store reaches further, e.g. flavor 'local'."
        )
