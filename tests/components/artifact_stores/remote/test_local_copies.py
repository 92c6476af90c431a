from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.fsspec import FsspecArtifactStore
from zennb.components.artifact_stores.remote.local_copies import LocalCopies, default_folder
from zennb.components.artifact_stores.remote.shared_folder import SharedFolder
from zennb.components.content import name_of
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("fsspec")

SMALL, LARGE = b"a small value", os.urandom(1 << 20) * 3
BOTH = pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def opener(tmp_path: Path) -> Callable[..., FsspecArtifactStore]:
    def open_store(**options: str) -> FsspecArtifactStore:
        config = {"url": f"file://{tmp_path}/store", "cache": str(tmp_path / "copies"), **options}
        return FsspecArtifactStore.from_config("test", config)

    return open_store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were read from the other side."""
    keys: list[str] = []
    for name in ("read", "download"):
        real = getattr(SharedFolder, name)

        def noted(self: SharedFolder, key: str, *args: object, real: Callable[..., object] = real) -> object:
            keys.append(key)
            return real(self, key, *args)

        monkeypatch.setattr(SharedFolder, name, noted)
    return keys


@BOTH
def test_the_second_read_is_local(
    opener: Callable[..., FsspecArtifactStore], asked: list[str], tmp_path: Path, content: bytes
) -> None:
    digest = opener().put([content])
    assert bytes(opener().get(digest)) == content
    assert asked == []  # what was written here need not be fetched
    shutil.rmtree(tmp_path / "copies")
    assert bytes(opener().get(digest)) == content
    assert asked
    asked.clear()
    assert bytes(opener().get(digest)) == content
    assert asked == []


@BOTH
@pytest.mark.parametrize("damage", [b"", b"other", b"longer than it was" * 10])
def test_a_damaged_copy_is_fetched_again(
    opener: Callable[..., FsspecArtifactStore],
    asked: list[str],
    tmp_path: Path,
    content: bytes,
    damage: bytes,
) -> None:
    digest = opener().put([content])
    copy = tmp_path / "copies" / "blobs" / digest[:2] / digest
    copy.chmod(0o600)
    copy.write_bytes(damage)
    store = opener()
    assert store.has(digest)
    assert bytes(store.get(digest)) == content
    assert asked
    assert copy.read_bytes() == content


def test_the_longest_unused_copies_make_room(
    opener: Callable[..., FsspecArtifactStore], tmp_path: Path
) -> None:
    store = opener(cache_size="10kB")
    digests = []
    for number in range(12):
        digests.append(store.put([bytes([number]) * 1000]))
        copy = tmp_path / "copies" / "blobs" / digests[-1][:2] / digests[-1]
        used = 10**18 + number * 10**9 + (10**12 if number == 0 else 0)  # the first one was read again since
        os.utime(copy, ns=(used, copy.stat().st_mtime_ns))
    left = {path.name for path in (tmp_path / "copies" / "blobs").rglob("*") if path.is_file()}
    assert sum(1000 for _ in left) <= 10_000
    assert digests[0] in left
    assert digests[1] not in left
    assert all(bytes(store.get(digest))[:1] == bytes([number]) for number, digest in enumerate(digests))


def test_a_blob_larger_than_all_copies_together_is_not_kept(
    opener: Callable[..., FsspecArtifactStore], tmp_path: Path
) -> None:
    store = opener(cache_size="1MB")
    view = store.get(store.put([LARGE]))
    assert bytes(view) == LARGE
    assert [
        path for path in (tmp_path / "copies").rglob("*") if path.is_file() and path.stat().st_size > 1000
    ] == []


def test_the_folder_may_be_deleted_at_any_time(
    opener: Callable[..., FsspecArtifactStore], tmp_path: Path
) -> None:
    store = opener()
    digest = store.put([LARGE])
    view = store.get(digest)
    shutil.rmtree(tmp_path / "copies")
    assert bytes(view) == LARGE
    assert bytes(store.get(digest)) == LARGE
    shutil.rmtree(tmp_path / "copies")
    assert store.put([LARGE[1:]]) == name_of(LARGE[1:])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_a_writable_folder_reading_goes_on(
    opener: Callable[..., FsspecArtifactStore], tmp_path: Path
) -> None:
    digest = opener().put([LARGE])
    (tmp_path / "barred").mkdir(mode=0o500)
    assert bytes(opener(cache=str(tmp_path / "barred" / "x")).get(digest)) == LARGE


def test_a_folder_that_cannot_be_made_is_named(
    opener: Callable[..., FsspecArtifactStore], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    store = opener(cache=str(tmp_path / "file" / "x"))
    assert store.put([SMALL]) == name_of(SMALL)
    assert store.get(name_of(SMALL)) == SMALL
    with pytest.raises(StoreError, match="--cache=DIRECTORY"):
        store.put([LARGE])


def test_copies_say_to_backups_that_they_are_copies(tmp_path: Path) -> None:
    copies = LocalCopies(tmp_path / "copies", 10**6)
    copies.keep_small(name_of(SMALL), SMALL)
    assert (
        (tmp_path / "copies" / "CACHEDIR.TAG")
        .read_bytes()
        .startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_copies_are_in_the_users_folder_for_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "zennb" / "artifacts"
