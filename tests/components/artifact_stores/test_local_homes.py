"""A local store in odd places: read-only, without its marker, with folders in place of files."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.health import examine_store
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.components.content import name_of
from zennb.errors import DamagedArtifact, ForeignStore, MissingArtifact, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BIG = os.urandom(100_000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def opened(root: Path) -> Iterator[Callable[[], LocalArtifactStore]]:
    stores: list[LocalArtifactStore] = []

    def opener() -> LocalArtifactStore:
        stores.append(LocalArtifactStore.from_config("mine", {"path": str(root)}))
        return stores[-1]

    yield opener
    for each in stores:
        each.close()


@pytest.fixture
def read_only(
    root: Path, opened: Callable[[], LocalArtifactStore], monkeypatch: pytest.MonkeyPatch
) -> LocalArtifactStore:
    store = opened()
    store.put_all([[b"small"], [BIG]])
    store.close()
    monkeypatch.setattr("zennb.components.artifact_stores.read_only_cache.is_writable", lambda _path: False)
    return opened()


def test_a_read_only_store_is_read(read_only: LocalArtifactStore) -> None:
    assert bytes(read_only.get(name_of(b"small"))) == b"small"
    assert bytes(read_only.get(name_of(BIG))) == BIG
    assert set(read_only.digests()) == {name_of(b"small"), name_of(BIG)}
    assert read_only.verify() == []
    assert not read_only.has(name_of(b"other"))
    with pytest.raises(MissingArtifact):
        read_only.get(name_of(b"other"))


def test_a_read_only_store_says_what_takes_space(read_only: LocalArtifactStore) -> None:
    sizes = {each.digest: each.size for each in read_only.stored()}
    assert sizes == {name_of(b"small"): 5, name_of(BIG): len(BIG)}
    assert not read_only.touch(name_of(b"other"))


def test_in_a_read_only_store_nothing_counts_as_stored_now(
    read_only: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_only.touch(name_of(BIG))  # it was stored a moment ago
    later = time.time() + 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert not read_only.touch(name_of(BIG))


def test_a_read_only_store_refuses_changes_in_one_sentence(read_only: LocalArtifactStore) -> None:
    for change in (
        lambda: read_only.put([b"new"]),
        lambda: read_only.delete(name_of(BIG)),
        lambda: read_only.free([name_of(BIG)], before=time.time() + 60),
    ):
        with pytest.raises(StoreReadOnly, match="cannot be written to") as caught:
            change()
        assert caught.value.brief == "the artifact store is read-only"


def test_in_a_read_only_store_a_damaged_blob_is_told_and_stays(
    read_only: LocalArtifactStore, root: Path
) -> None:
    path = root / "blobs" / name_of(BIG)[:2] / name_of(BIG)
    path.chmod(0o644)
    path.write_bytes(b"x" * len(BIG))
    with pytest.raises(DamagedArtifact, match="left as it is"):
        read_only.get(name_of(BIG))
    assert path.exists()


def test_a_store_that_has_lost_its_marker_is_known_by_its_rows(
    root: Path, opened: Callable[[], LocalArtifactStore]
) -> None:
    store = opened()
    store.put_all([[b"small"], [BIG]])
    store.close()
    (root / "STORE.json").unlink()
    again = opened()
    assert bytes(again.get(name_of(b"small"))) == b"small"
    assert again.notices == [f"{root} had lost its STORE.json; it was written again."]
    assert (root / "STORE.json").exists()


def test_a_cache_of_another_program_is_not_taken_for_a_store_without_marker(
    root: Path, opened: Callable[[], LocalArtifactStore]
) -> None:
    import diskcache

    with diskcache.Cache(str(root)) as cache:
        cache["a"] = b"1"
    with pytest.raises(ForeignStore, match="is a diskcache of something else"):
        opened().put([b"x"])


@pytest.mark.parametrize("what", ["folder", "file in the folder's place"])
def test_something_else_in_a_blobs_place_is_moved_aside_when_it_is_stored_again(
    root: Path, opened: Callable[[], LocalArtifactStore], what: str
) -> None:
    store = opened()
    store.put([BIG])
    path = root / "blobs" / name_of(BIG)[:2] / name_of(BIG)
    if what == "folder":
        path.unlink()
        path.mkdir()
        (path / "note").write_text("mine")
    else:
        shutil.rmtree(path.parent)
        path.parent.write_text("mine")
    assert not store.has(name_of(BIG))
    store.put([BIG])
    assert bytes(store.get(name_of(BIG))) == BIG
    kept = [each for each in (root / "quarantine").rglob("*") if each.is_file()]
    assert [each.read_text() for each in kept] == ["mine"]


def test_a_full_disk_says_how_much_is_missing(
    opened: Callable[[], LocalArtifactStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    store.put([b"opened"])
    really = os.write

    def write(descriptor: int, block: memoryview) -> int:
        if len(block) > 1000:
            really(descriptor, block[: 4 << 20])
            raise OSError(28, "No space left on device")
        return really(descriptor, block)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StoreFull) as caught:
        store.put([bytes(10_000_000)])
    assert caught.value.brief == "disk full, 8 MB short"


def test_examining_a_store_changes_nothing(root: Path, opened: Callable[[], LocalArtifactStore]) -> None:
    store = opened()
    store.put_all([[b"small"], [BIG]])
    store.close()

    def seen() -> dict[Path, int]:
        """When each file was changed, without those that SQLite makes while it reads."""
        files = [path for path in root.rglob("*") if path.is_file() and "cache.db-" not in path.name]
        return {path: path.stat().st_mtime_ns for path in files}

    before = seen()
    health = examine_store(root)
    assert health.findings == []
    assert health.sizes == {name_of(b"small"): 5, name_of(BIG): 100_000}
    assert before == seen()
