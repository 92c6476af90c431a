"""Results are copied from whichever stores have them, and what cannot be copied is told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.content import name_of
from zennb.engine.run.other_stores import OtherStores
from zennb.errors import DamagedArtifact, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.components.component import ArtifactStore, Buffer

BLOBS = [b"a", b"b", b"c"]
NAMES = [name_of(blob) for blob in BLOBS]


class Flawed(MemoryArtifactStore):
    """A store in which `b` is damaged; it moves nothing aside."""

    error: StoreError = DamagedArtifact("it is damaged.", digest=NAMES[1])

    def get(self, digest: str) -> Buffer:
        if digest == NAMES[1]:
            raise self.error
        return super().get(digest)


class Tidy(Flawed):
    """It moves what is damaged aside."""

    def get(self, digest: str) -> Buffer:
        try:
            return super().get(digest)
        except StoreError:
            self.delete(digest)
            raise


class Silent(Flawed):
    """It cannot be reached when `b` is read."""

    error = StoreError("it does not answer.")


class Altered(MemoryArtifactStore):
    """It does not check what it reads."""

    def get(self, digest: str) -> Buffer:
        return b"other" if digest == NAMES[1] else super().get(digest)


def filled(kind: type[MemoryArtifactStore], name: str, blobs: Iterable[bytes]) -> MemoryArtifactStore:
    store = kind(name=name)
    store.put_all([[blob] for blob in blobs])
    return store


def others(*stores: ArtifactStore) -> OtherStores:
    return OtherStores(lambda: [(store.name, store) for store in stores])


@pytest.mark.parametrize(
    ("kind", "why", "holds"),
    [
        (Flawed, "is damaged in artifact store 'x'", ""),
        (Tidy, "is damaged in artifact store 'x'", ""),
        (Altered, "is damaged in artifact store 'x'", "x"),
        (Silent, "could not be read from artifact store 'x'", "x"),
    ],
)
def test_a_blob_that_cannot_be_read_is_told_and_the_next_plan_knows_damage(
    kind: type[MemoryArtifactStore], why: str, holds: str
) -> None:
    here, other = MemoryArtifactStore(name="here"), filled(kind, "x", BLOBS)
    stores = others(here, other)
    assert stores.holder(NAMES, besides=here) == "x"
    assert stores.copy(NAMES, into=here) == {NAMES[1]: why}
    assert here.present(NAMES) == {NAMES[0], NAMES[2]}
    assert stores.holder(NAMES, besides=here) == holds


def test_what_is_damaged_in_one_store_is_copied_from_another() -> None:
    here = MemoryArtifactStore(name="here")
    stores = others(filled(Flawed, "x", BLOBS), filled(MemoryArtifactStore, "y", BLOBS[1:2]))
    assert stores.copy(NAMES, into=here) == {}
    assert here.present(NAMES) == set(NAMES)


def test_what_no_store_has_is_told() -> None:
    here = MemoryArtifactStore(name="here")
    stores = others(filled(MemoryArtifactStore, "x", BLOBS[:2]))
    assert stores.copy(NAMES, into=here) == {NAMES[2]: "is in no artifact store any more"}


def test_stores_are_opened_once_and_only_as_far_as_they_are_needed() -> None:
    opened = Counter[str]()

    def each() -> Iterator[tuple[str, ArtifactStore]]:
        for name in "xyz":
            opened[name] += 1
            yield name, filled(MemoryArtifactStore, name, BLOBS if name == "y" else [])

    stores = OtherStores(each)
    assert stores.copy(NAMES, into=MemoryArtifactStore(name="here")) == {}
    assert opened == {"x": 1, "y": 1}
    assert stores.copy([], into=MemoryArtifactStore(name="here")) == {}
    assert opened == {"x": 1, "y": 1}
