"""Owns `OtherStores`: results that the active artifact store lacks, and another stack's store has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from zennb.errors import DamagedArtifact, MissingArtifact, ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from zennb.components.component import ArtifactStore
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
            if store is not besides and _held(store, blobs) >= frozenset(blobs):
                return name
        return ""

    def copy(self, blobs: Iterable[str], *, into: ArtifactStore | WriteBuffer) -> dict[str, str]:
        """Copy blobs from whichever stores have them; return those that none could give → why, as a phrase.

        Raises:
            StoreError: this store could not take one.
        """
        lost = dict.fromkeys(blobs, "is in no artifact store any more")
        for name, store in self.stores() if lost else ():
            for blob in () if store is into else _held(store, lost):
                try:
                    content = store.get(blob)
                except MissingArtifact:  # deleted in the meantime
                    continue
                except DamagedArtifact:
                    lost[blob] = f"is damaged in artifact store '{name}'"
                    _note_damage(store, blob)
                except ZennbError:
                    lost[blob] = f"could not be read from artifact store '{name}'"
                else:
                    if into.put([content]) == blob:
                        del lost[blob]
                    else:  # a store of another package may not check what it reads
                        lost[blob] = f"is damaged in artifact store '{name}'"
            if not lost:
                break
        return lost


_damaged: WeakKeyDictionary[ArtifactStore, set[str]] = WeakKeyDictionary()
"""What turned out to be damaged in a store that cannot move it aside, and still says that it has it."""


def _note_damage(store: ArtifactStore, blob: str) -> None:
    if blob in _held(store, [blob]):
        _damaged.setdefault(store, set()).add(blob)


def _held(store: ArtifactStore, blobs: Collection[str]) -> frozenset[str]:
    """Return those of these blobs that a store has, as far as is known; none where it cannot be asked."""
    try:
        return store.present(blobs) - _damaged.get(store, frozenset())
    except ZennbError:
        return frozenset()
