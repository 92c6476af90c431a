from __future__ import annotations

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
