from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb.testing.artifact_store import ArtifactStoreContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.artifact_stores.local import LocalArtifactStore


class TestLocalArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self, opener: Callable[[], LocalArtifactStore]) -> LocalArtifactStore:
        return opener()

    @pytest.fixture
    def reopen(self, opener: Callable[[], LocalArtifactStore]) -> Callable[[], LocalArtifactStore]:
        return opener


@pytest.mark.parametrize("size", [32 * 1024, 5 << 20])
def test_large_content_comes_as_a_map_that_can_be_written_to_privately(
    size: int, store: LocalArtifactStore
) -> None:
    digest = store.put([bytes(size)])
    view = store.get(digest)
    assert isinstance(view, memoryview)
    view[:4] = b"mine"
    assert bytes(view[:4]) == b"mine"
    assert bytes(store.get(digest)) == bytes(size)


def test_small_content_is_kept_in_rows_and_large_in_files(store: LocalArtifactStore) -> None:
    store.put_all([[b"x" * (32 * 1024 - 1)], [b"y" * 32 * 1024]])
    files = [path for path in Path(store.path, "blobs").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in files] == [32 * 1024]
