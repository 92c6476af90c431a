from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.fsspec import FsspecArtifactStore
from zennb.components.component import Visibility
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


@pytest.mark.parametrize(
    ("url", "shared", "expected"),
    [
        ("file:///mnt/share", "false", Visibility.MACHINE),
        ("file:///mnt/share", "true", Visibility.NETWORK),
        ("memory://share", "true", Visibility.PROCESS),
        ("sftp://host/share", "false", Visibility.NETWORK),
    ],
)
def test_a_folder_reaches_as_far_as_the_user_says(url: str, shared: str, expected: Visibility) -> None:
    assert FsspecArtifactStore.from_config("test", {"url": url, "shared": shared}).visibility is expected
    assert FsspecArtifactStore.from_config("test", {"shared": shared, "url": url}).visibility is expected
