"""The local store frees space: by age, for rows and files, with leftovers, and it gives the bytes back to the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.blob_files import BlobFiles
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.components.artifact_stores.store_directory import publish
from zennb.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Opener = Callable[..., LocalArtifactStore]

DAY = 24 * 3600.0
SMALL, LARGE = b"small", os.urandom(100_000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def age(root: Path, seconds: float) -> None:
    """Let everything in a store look as if it had been stored so long ago."""
    with closing(sqlite3.connect(root / "cache.db", isolation_level=None)) as connection:
        connection.execute("UPDATE Cache SET store_time = store_time - ?", (seconds,))
    for file in (root / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, (time.time() - seconds,) * 2)


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("renew", ["put", "touch"])
def test_what_is_stored_or_touched_again_is_young(
    root: Path, opener: Opener, content: bytes, renew: str
) -> None:
    store = opener()
    digest = store.put([content])
    age(root, DAY)
    assert opener().put([content]) == digest if renew == "put" else opener().touch(digest)
    assert store.free([digest], before=time.time() - 600) == frozenset()
    assert bytes(store.get(digest)) == content
    age(root, DAY)
    assert store.free([digest], before=time.time() - 600) == {digest}


def test_a_file_that_a_killed_process_left_without_a_row_is_listed_and_freed(
    root: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opener()
    row = store.put([SMALL])
    with monkeypatch.context() as patch:
        patch.setattr("zennb.components.artifact_stores.open_rows.Rows.add_all", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.put([LARGE])
    (left,) = (each for each in store.stored() if each.digest != row)
    assert left.size == len(LARGE)
    assert not store.has(left.digest)
    assert store.free([left.digest], before=time.time() - 600) == frozenset()
    age(root, DAY)
    assert store.free([left.digest], before=time.time() - 600) == {left.digest}
    assert [each.digest for each in store.stored()] == [row]


def _killed(*_args: object) -> None:
    raise KeyboardInterrupt


def test_the_bytes_are_given_back_to_the_disk(root: Path, opener: Opener) -> None:
    store = opener()
    rows = store.put_all([[os.urandom(20_000)] for _ in range(200)])
    files = store.put_all([[os.urandom(1_000_000)] for _ in range(3)])
    before = _on_disk(root)
    assert before > 7_000_000
    assert store.free([*rows, *files], before=time.time() + 1) == {*rows, *files}
    assert _on_disk(root) < 200_000


def _on_disk(root: Path) -> int:
    return sum(file.stat().st_size for file in root.rglob("*") if file.is_file())


@pytest.mark.parametrize("when", ["before the file goes", "after it"])
def test_a_free_that_is_cut_short_leaves_nothing_half_there_and_the_next_one_ends_it(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    store = opener()
    digest, kept = store.put_all([[LARGE], [SMALL]])
    remove = BlobFiles.remove

    def removed(self: BlobFiles, name: str) -> bool:
        if when == "after it":
            remove(self, name)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BlobFiles, "remove", removed)
        with pytest.raises(KeyboardInterrupt):
            store.free([digest], before=time.time() + 1)
    other = opener()
    assert not other.has(digest)
    assert other.verify() == []
    assert other.free([digest], before=time.time() + 1) == (
        {digest} if when.startswith("before") else frozenset()
    )
    assert [each.digest for each in other.stored()] == [kept]
    assert bytes(other.get(other.put([LARGE]))) == LARGE


def test_a_soft_limit_warns_once_at_four_fifths(opener: Opener) -> None:
    store = opener(max_size="1MB")
    store.put([os.urandom(700_000)])
    assert store.space_warning() == ""
    store.put([os.urandom(150_000)])
    assert store.space_warning().startswith(
        "artifact store 'test' holds 85% of its limit of 1MB: `%artifacts usage`"
    )
    store.put([os.urandom(900_000)])
    assert store.space_warning() == ""
    assert opener().space_warning() == ""


def test_storing_the_same_again_does_not_bring_the_limit_nearer(opener: Opener) -> None:
    store = opener(max_size="1MB")
    content = os.urandom(300_000)
    for _ in range(9):
        store.put([content])
        assert store.space_warning() == ""


@pytest.mark.parametrize("text", ["five", "5 apples", "-1", "5GBB", "1e400"])
def test_a_limit_that_is_no_size_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        InvalidConfiguration, match="is no size; write a number with kB, MB, GB or TB behind it"
    ):
        LocalArtifactStore.from_config("test", {"path": str(tmp_path), "max_size": text})


@pytest.mark.parametrize("verified", [True, False], ids=["known here", "not known here"])
def test_content_that_another_kernel_deletes_while_it_is_stored_again_is_there_afterwards(
    opener: Opener, monkeypatch: pytest.MonkeyPatch, verified: bool
) -> None:
    store, other = opener(), opener()
    digest = (store if verified else other).put([LARGE])

    def published(part: Path, target: Path) -> bool:
        is_new = publish(part, target)
        if not is_new:
            other.delete(digest)
        return is_new

    monkeypatch.setattr("zennb.components.artifact_stores.blob_files.publish", published)
    assert store.put([LARGE]) == digest
    assert bytes(store.get(digest)) == bytes(opener().get(digest)) == LARGE


def test_links_and_foreign_files_among_the_blobs_are_neither_listed_nor_deleted(
    root: Path, opener: Opener, tmp_path: Path
) -> None:
    store = opener()
    store.put([LARGE])
    other: Any = tmp_path / "other"
    other.mkdir()
    (other / ("0" * 64)).write_bytes(b"mine")
    (root / "blobs" / "00").symlink_to(other)
    (root / "blobs" / "notes.txt").write_text("mine")
    assert len(list(store.stored())) == 1
    assert store.free(["0" * 64], before=time.time() + 1) == frozenset()
    assert (other / ("0" * 64)).read_bytes() == b"mine"
