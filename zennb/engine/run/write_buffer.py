"""Owns `WriteBuffer`: small bytes on their way into an artifact store, held back so that many go in one transaction."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from zennb.components.content import flat, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zennb.components.component import ArtifactStore, Buffer

__all__ = ["WriteBuffer"]

SMALL = 16 * 1024
"""Bytes up to which something is held back."""


AT_HAND = 1000
"""Small results that stay in memory when they are stored."""


class WriteBuffer:
    """An artifact store, for the length of a run or cell: what is small is stored when `flush` is called, all at once.

    What is held back can be read here like everything else, and stays at hand when it is stored, as the next steps
    read it. It is lost when the process ends, so whoever tells that it is stored flushes first. Usable from several
    threads.

    Args:
        store: where it all goes.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._held: dict[str, bytes] = {}
        self._stored: dict[str, bytes] = {}

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store the chunks, joined, or hold them back; return their sha-256."""
        return self.put_all([chunks])[0]

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        """Store several, or hold back those that are small; return their names in order."""
        laid = [flat(chunks) for chunks in blobs]
        large = [place for place, views in enumerate(laid) if sum([view.nbytes for view in views]) > SMALL]
        stored = self.store.put_all([blobs[place] for place in large]) if large else []
        names = dict(zip(large, stored, strict=True))
        for place, views in enumerate(laid):
            if place not in names:
                content = b"".join(views)
                names[place] = name_of(content)
                with self._lock:
                    self._held[names[place]] = content
        return [names[place] for place in range(len(laid))]

    def get(self, digest: str) -> Buffer:
        """Return the bytes called `digest`.

        Raises:
            MissingArtifact, DamagedArtifact: as the store says.
        """
        held = self._held.get(digest, self._stored.get(digest))
        return self.store.get(digest) if held is None else held

    def has(self, digest: str) -> bool:
        """Say whether the bytes called `digest` are there."""
        return digest in self._held or self.store.has(digest)

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of many that are there."""
        asked = frozenset(digests)
        held = asked & self._held.keys()
        rest = asked - held
        return held | self.store.present(rest) if rest else held

    def flush(self) -> None:
        """Store what is held back.

        Raises:
            StoreError: it could not be stored; it is held back still.
        """
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        self.store.put_all([[content] for content in held.values()])
        with self._lock:
            for digest in held:
                self._held.pop(digest, None)
            self._stored = {**self._stored, **held} if len(self._stored) < AT_HAND else held
