from __future__ import annotations

import pickle

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.component import Visibility
from zennb.errors import NotStorable
from zennb.testing.artifact_store import ArtifactStoreContract


class TestMemoryArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self) -> MemoryArtifactStore:
        return MemoryArtifactStore.from_config("test", {})


def test_two_memory_stores_share_nothing() -> None:
    first, second = MemoryArtifactStore(name="a"), MemoryArtifactStore(name="b")
    assert not second.has(first.put([b"x"]))


def test_a_memory_store_is_for_this_process_only() -> None:
    store = MemoryArtifactStore(name="a")
    assert store.visibility is Visibility.PROCESS
    with pytest.raises(NotStorable, match="reaches further"):
        pickle.dumps(store)


def test_content_that_a_broken_machine_changed_is_found_and_dropped() -> None:
    store = MemoryArtifactStore(name="a")
    digest = store.put([b"x"])
    store._content[digest] = b"y"
    assert store.verify() == [digest]
    assert not store.has(digest)
