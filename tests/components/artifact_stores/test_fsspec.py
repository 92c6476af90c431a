from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.fsspec import FsspecArtifactStore
from zennb.testing.artifact_store import ArtifactStoreContract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("fsspec")


class TestFolder(ArtifactStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], FsspecArtifactStore]:
        config = {"url": f"file://{tmp_path}/store", "cache": str(tmp_path / "copies")}
        return lambda: FsspecArtifactStore.from_config("test", config)

    @pytest.fixture
    def store(self, reopen: Callable[[], FsspecArtifactStore]) -> FsspecArtifactStore:
        return reopen()


class TestFolderWithoutLocalCopies(ArtifactStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], FsspecArtifactStore]:
        config = {
            "url": f"file://{tmp_path}/store [x]",
            "cache": str(tmp_path / "copies"),
            "cache_size": "0",
        }
        return lambda: FsspecArtifactStore.from_config("test", config)

    @pytest.fixture
    def store(self, reopen: Callable[[], FsspecArtifactStore]) -> FsspecArtifactStore:
        return reopen()


class TestMemory(ArtifactStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FsspecArtifactStore:
        config = {"url": f"memory://{uuid.uuid4().hex}", "cache": str(tmp_path / "copies")}
        return FsspecArtifactStore.from_config("test", config)
