from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.local import LocalArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.register_assert_rewrite("zennb.testing")


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Callable[..., LocalArtifactStore]]:
    """Open local stores on one directory; close them all afterwards."""
    opened: list[LocalArtifactStore] = []

    def open_store(path: Path = tmp_path / "store", **options: str) -> LocalArtifactStore:
        opened.append(LocalArtifactStore.from_config("test", {"path": str(path), **options}))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Callable[..., LocalArtifactStore]) -> LocalArtifactStore:
    return opener()
