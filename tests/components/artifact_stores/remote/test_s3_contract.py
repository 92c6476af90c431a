from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.testing.artifact_store import ArtifactStoreContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.artifact_stores.s3 import S3ArtifactStore


@pytest.mark.s3
class TestS3ArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self, opener: Callable[..., S3ArtifactStore]) -> S3ArtifactStore:
        return opener()

    @pytest.fixture
    def reopen(self, opener: Callable[..., S3ArtifactStore]) -> Callable[[], S3ArtifactStore]:
        return opener
