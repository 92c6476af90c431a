"""The store for Google Cloud Storage, on an emulator. It ignores conditions of requests, which S3's server heeds."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from zennb.testing.artifact_store import ArtifactStoreContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

if find_spec("gcsfs") is None or find_spec("gcp_storage_emulator") is None:
    pytest.skip("the tests of Google's buckets need its emulator: make test-stores", allow_module_level=True)

# aiohttp says so of the bytes that gcsfs sends.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from gcp_storage_emulator.server import create_server

    server: Any = create_server("127.0.0.1", 0, in_memory=True, default_bucket="team")
    server.start()
    yield f"http://127.0.0.1:{server._api._httpd.server_port}"
    server.stop()


@pytest.fixture
def opener(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    from zennb.components.artifact_stores.gcs import GcsArtifactStore

    monkeypatch.setenv("ZENNB_TEST_TOKEN", "anon")
    # Newer releases of gcsfs would ask over gRPC which kind of bucket it is, and the emulator does not speak that.
    plain = import_module("gcsfs.core").GCSFileSystem
    for name in ("gs", "gcs"):
        monkeypatch.setitem(import_module("fsspec.registry")._registry, name, plain)
    opened: list[GcsArtifactStore] = []

    def open_store() -> GcsArtifactStore:
        options = {
            "url": f"gs://team/{tmp_path.name}",
            "endpoint": address,
            "token": "env:ZENNB_TEST_TOKEN",
            "cache": str(tmp_path / f"copies{len(opened)}"),
        }
        opened.append(GcsArtifactStore.from_config("test", options))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


class TestGcsArtifactStore(ArtifactStoreContract):
    @pytest.fixture
    def store(self, opener: Callable[..., Any]) -> Any:
        return opener()

    @pytest.fixture
    def reopen(self, opener: Callable[..., Any]) -> Callable[..., Any]:
        return opener
