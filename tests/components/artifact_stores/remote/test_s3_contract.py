from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.components.artifact_stores.remote.bucket_server import skip_without_s3
from zennb.testing.artifact_store import ArtifactStoreContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.artifact_stores.s3 import S3ArtifactStore


skip_without_s3()


@pytest.mark.s3
class TestS3ArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self, opener: Callable[..., S3ArtifactStore]) -> S3ArtifactStore:
        return opener()

    @pytest.fixture
    def reopen(self, opener: Callable[..., S3ArtifactStore]) -> Callable[[], S3ArtifactStore]:
        return opener
