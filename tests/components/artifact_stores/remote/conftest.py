from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.components.artifact_stores.remote.bucket_server import BUCKET, BucketServer
from zennb.components.artifact_stores.remote import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from zennb.components.artifact_stores.s3 import S3ArtifactStore


@pytest.fixture(scope="session")
def server() -> Iterator[BucketServer]:
    """A server with the API of S3, for all tests of this process."""
    started = BucketServer()
    yield started
    started.close()


@pytest.fixture(scope="session")
def session() -> Any:
    """One session of the AWS library for all stores: each one reads megabytes of service descriptions."""
    from aiobotocore.session import AioSession

    return AioSession()


@pytest.fixture
def bucket(server: BucketServer, session: Any, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    """The server with one empty bucket, and credentials in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Parts that are small enough for tests; the least that S3 allows is 5 MB.
    monkeypatch.setitem(connection._S3.upload_options, "chunksize", 8 << 20)
    monkeypatch.setattr("aiobotocore.session.AioSession", lambda: session)
    server.clear()
    return server


@pytest.fixture
def opener(bucket: BucketServer, tmp_path: Path) -> Iterator[Callable[..., S3ArtifactStore]]:
    """Open stores on that bucket; close them all afterwards."""
    from zennb.components.artifact_stores.s3 import S3ArtifactStore

    opened: list[S3ArtifactStore] = []

    def open_store(**options: str) -> S3ArtifactStore:
        given = {
            "url": f"s3://{BUCKET}/x",
            "endpoint": bucket.address,
            "cache": str(tmp_path / f"copies{len(opened)}"),
            **options,
        }
        opened.append(S3ArtifactStore.from_config("test", given))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Callable[..., S3ArtifactStore]) -> S3ArtifactStore:
    return opener()
