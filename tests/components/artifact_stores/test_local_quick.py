"""The quick digest that is recorded beside a file: it shows damage, and is never trusted for more than that."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any

import diskcache
import pytest
from xxhash import xxh3_128

from zennb.errors import DamagedArtifact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.artifact_stores.local import LocalArtifactStore

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def root(tmp_path: Path, opener: Callable[..., LocalArtifactStore]) -> Path:
    """A store with one large blob, written by another opener."""
    store = opener()
    store.put([CONTENT])
    store.close()
    return tmp_path / "store"


@pytest.fixture
def blob(root: Path) -> Path:
    return root / "blobs" / DIGEST[:2] / DIGEST


def flip(blob: Path) -> None:
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(content)


class _PlainDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache ships no types
    """Rows as they are: nothing pickled."""

    def put(self, key: Any) -> tuple[Any, bool]:
        return key, True

    def get(self, key: Any, raw: Any) -> Any:
        return key

    def store(self, value: Any, read: Any, key: Any = None) -> tuple[int, int, None, Any]:
        return 0, 1, None, value


def test_a_file_recorded_without_a_quick_digest_is_checked_by_its_name(
    root: Path, blob: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    with diskcache.Cache(str(root), disk=_PlainDisk) as cache:
        assert re.fullmatch(r"file:102400:[0-9a-f]{32}", cache.get(DIGEST, tag=True)[1])
        cache.set(DIGEST, b"", tag="file:102400")
    store = opener()
    assert bytes(store.get(DIGEST)) == CONTENT
    store.close()
    flip(blob)
    with pytest.raises(DamagedArtifact):
        opener().get(DIGEST)


def test_verify_reads_the_name_of_a_file_whatever_its_quick_digest_says(
    root: Path, blob: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    flip(blob)
    with diskcache.Cache(str(root), disk=_PlainDisk) as cache:
        cache.set(DIGEST, b"", tag=f"file:102400:{xxh3_128(blob.read_bytes()).hexdigest()}")
    assert opener().verify() == [DIGEST]


def test_writing_that_is_far_ahead_of_hashing_changes_no_byte_under_it(
    tmp_path: Path, opener: Callable[..., LocalArtifactStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = hashlib.sha256

    class Slow:
        def __init__(self) -> None:
            self._own = sha256()

        def update(self, block: memoryview) -> None:
            time.sleep(0.01)
            self._own.update(block)

        def hexdigest(self) -> str:
            return self._own.hexdigest()

    content = b"".join(bytes([number]) * (1 << 20) for number in range(30)) + b"the end"
    views = [content[: 5 << 20], content[5 << 20 : (7 << 20) + 3], content[(7 << 20) + 3 :]]
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "sha256", Slow)
        digest = opener().put(views)
    assert digest == sha256(content).hexdigest()
    assert bytes(opener().get(digest)) == content
