"""Owns `OtherStores`: results that the active artifact store lacks, and another stack's store has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from zennb.components.component import ArtifactStore, Buffer
    from zennb.engine.run.unit_of_work import WriteBuffer

__all__ = ["OtherStores"]


@dataclass(frozen=True, slots=True)
class OtherStores:
    """The artifact stores of all stacks, as places to copy from.

    Attributes:
        stores: returns their names and the opened stores, without those that cannot be opened.
    """

    stores: Callable[[], Iterable[tuple[str, ArtifactStore]]] = tuple

    def holder(self, blobs: Collection[str], *, besides: ArtifactStore | WriteBuffer) -> str:
        """Return the name of a store that holds all of these blobs; "" when none does that can be asked."""
        for name, store in self.stores() if blobs else ():
            try:
                if store is not besides and store.present(blobs) >= frozenset(blobs):
                    return name
            except ZennbError:
                continue
        return ""

    def copy(self, blobs: Iterable[str], *, into: ArtifactStore | WriteBuffer) -> bool:
        """Copy blobs from whichever store has them; return False if one is in none, or damaged in all.

        Raises:
            StoreError: this store could not take one.
        """
        for blob in blobs:
            content = self._content(blob, besides=into)
            if content is None:
                return False
            into.put([content])
        return True

    def _content(self, blob: str, *, besides: ArtifactStore | WriteBuffer) -> Buffer | None:
        for _, store in self.stores():
            try:
                if store is not besides and store.has(blob):
                    return store.get(blob)
            except ZennbError:
                continue
        return None
