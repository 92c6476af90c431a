"""Damages what is stored: it is noticed, named, kept aside, never returned; and storing it again heals."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import diskcache
import pytest

from zennb.errors import DamagedArtifact, ForeignStore, InvalidConfiguration, MissingArtifact, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.artifact_stores.local import LocalArtifactStore

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SMALL = b"a small value"
SMALL_DIGEST = hashlib.sha256(SMALL).hexdigest()


@pytest.fixture
def root(tmp_path: Path, opener: Callable[..., LocalArtifactStore]) -> Path:
    """A store with one large and one small blob, written by another opener."""
    store = opener()
    store.put_all([[CONTENT], [SMALL]])
    store.close()
    return tmp_path / "store"


@pytest.fixture
def blob(root: Path) -> Path:
    return root / "blobs" / DIGEST[:2] / DIGEST


def writable(blob: Path) -> Path:
    blob.chmod(0o644)
    return blob


def truncate(blob: Path) -> None:
    os.truncate(writable(blob), 1000)


def grow(blob: Path) -> None:
    with writable(blob).open("ab") as file:
        file.write(b"x")


def flip(blob: Path) -> None:
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    writable(blob).write_bytes(content)


def empty(blob: Path) -> None:
    writable(blob).write_bytes(b"")


def link(blob: Path) -> None:
    outside = blob.parents[3] / "outside"
    outside.write_bytes(CONTENT)
    blob.unlink()
    blob.symlink_to(outside)


def link_the_folder(blob: Path) -> None:
    outside = blob.parents[3] / "outside"
    blob.parent.rename(outside)
    blob.parent.symlink_to(outside)


def directory(blob: Path) -> None:
    blob.unlink()
    blob.mkdir()


def pipe(blob: Path) -> None:
    blob.unlink()
    os.mkfifo(blob)


SIZED = [truncate, grow, empty, link, link_the_folder, directory, pipe]


@pytest.mark.parametrize("damage", [*SIZED, flip])
def test_a_damaged_file_is_never_returned_and_is_kept_aside(
    blob: Path, damage: Callable[[Path], None], opener: Callable[..., LocalArtifactStore]
) -> None:
    damage(blob)
    store = opener()
    with pytest.raises(DamagedArtifact) as caught:
        store.get(DIGEST)
    assert caught.value.digest == DIGEST
    assert DIGEST[:12] in str(caught.value)
    assert len(list((blob.parents[2] / "quarantine").iterdir())) == 1
    assert not store.has(DIGEST)
    with pytest.raises(MissingArtifact):
        store.get(DIGEST)


@pytest.mark.parametrize("damage", SIZED)
def test_a_file_of_another_size_or_kind_is_not_there(
    blob: Path, damage: Callable[[Path], None], opener: Callable[..., LocalArtifactStore]
) -> None:
    damage(blob)
    assert not opener().has(DIGEST)


@pytest.mark.parametrize("damage", [*SIZED, flip])
def test_verify_names_what_is_damaged(
    blob: Path, damage: Callable[[Path], None], opener: Callable[..., LocalArtifactStore]
) -> None:
    damage(blob)
    store = opener()
    assert store.verify() == [DIGEST]
    assert store.verify() == []
    assert bytes(store.get(SMALL_DIGEST)) == SMALL


@pytest.mark.parametrize("damage", [truncate, grow, empty, link, flip])
def test_storing_it_again_heals(
    blob: Path, damage: Callable[[Path], None], opener: Callable[..., LocalArtifactStore]
) -> None:
    damage(blob)
    store = opener()
    assert store.put([CONTENT]) == DIGEST
    assert bytes(store.get(DIGEST)) == CONTENT
    assert opener().verify() == []


def test_what_lies_outside_is_not_touched_by_any_of_this(
    blob: Path, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    link(blob)
    store = opener()
    store.verify()
    store.put([CONTENT])
    store.delete(DIGEST)
    assert (tmp_path / "outside").read_bytes() == CONTENT


def test_a_missing_file_is_a_missing_artifact(blob: Path, opener: Callable[..., LocalArtifactStore]) -> None:
    blob.unlink()
    store = opener()
    assert not store.has(DIGEST)
    with pytest.raises(MissingArtifact):
        store.get(DIGEST)
    assert store.verify() == [DIGEST]
    assert bytes(store.get(store.put([CONTENT]))) == CONTENT


def test_a_change_behind_the_back_of_a_running_kernel_is_noticed(
    blob: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    store = opener()
    assert bytes(store.get(DIGEST)) == CONTENT
    flip(blob)
    with pytest.raises(DamagedArtifact):
        store.get(DIGEST)


def test_verify_reads_what_was_read_before(blob: Path, opener: Callable[..., LocalArtifactStore]) -> None:
    store = opener()
    store.get(DIGEST)
    seen = blob.stat()
    flip(blob)
    os.utime(blob, ns=(seen.st_atime_ns, seen.st_mtime_ns))  # as a failing disk would: no trace of a change
    assert store.verify() == [DIGEST]


def change_row(root: Path, value: bytes) -> None:
    with closing(sqlite3.connect(root / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET value = ? WHERE key = ?", (value, SMALL_DIGEST))


@pytest.mark.parametrize("value", [b"", SMALL[:-1], SMALL + b"x", SMALL.upper()])
def test_a_damaged_row_is_never_returned_and_is_kept_aside(
    root: Path, value: bytes, opener: Callable[..., LocalArtifactStore]
) -> None:
    change_row(root, value)
    store = opener()
    with pytest.raises(DamagedArtifact):
        store.get(SMALL_DIGEST)
    assert [file.read_bytes() for file in (root / "quarantine").iterdir()] == [value]
    assert not store.has(SMALL_DIGEST)


@pytest.mark.parametrize("value", [b"", SMALL[:-1], SMALL + b"x"])
def test_a_cut_row_is_not_there(root: Path, value: bytes, opener: Callable[..., LocalArtifactStore]) -> None:
    change_row(root, value)
    assert not opener().has(SMALL_DIGEST)


@pytest.mark.parametrize("value", [b"", SMALL[:-1], SMALL.upper()])
def test_storing_a_damaged_row_again_heals(
    root: Path, value: bytes, opener: Callable[..., LocalArtifactStore]
) -> None:
    change_row(root, value)
    store = opener()
    store.put([SMALL])
    assert bytes(store.get(SMALL_DIGEST)) == SMALL


def test_blob_files_are_read_only_and_named_by_their_content(blob: Path) -> None:
    assert blob.stat().st_mode & 0o222 == 0
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


@pytest.mark.parametrize("state", ["empty", "missing", "a link"])
def test_a_lost_database_is_said_and_not_taken_for_an_empty_store(
    root: Path, tmp_path: Path, state: str, opener: Callable[..., LocalArtifactStore]
) -> None:
    database = root / "cache.db"
    database.unlink()
    if state == "empty":
        database.touch()
    if state == "a link":
        (tmp_path / "other.db").write_bytes(b"x")
        database.symlink_to(tmp_path / "other.db")
    with pytest.raises(ForeignStore, match=f"cache.db is {state}"):
        opener().has(DIGEST)


def test_a_new_directory_with_an_empty_database_is_not_taken_either(
    tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "cache.db").touch()
    with pytest.raises(ForeignStore, match=r"cache\.db is empty"):
        opener().has(DIGEST)


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_database_is_said(
    root: Path, content: bytes, opener: Callable[..., LocalArtifactStore]
) -> None:
    (root / "cache.db").write_bytes(content)
    with pytest.raises(ForeignStore, match="is damaged"):
        opener().has(DIGEST)
    assert (root / "cache.db").read_bytes() == content


def test_a_database_damaged_in_the_middle_is_said(
    root: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    with (root / "cache.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20000)
    with pytest.raises(StoreError):
        opener().get(SMALL_DIGEST)


def test_a_directory_of_something_else_is_refused_untouched(
    tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    (tmp_path / "thesis.tex").write_text("work of years")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ForeignStore, match=r"thesis\.tex"):
        opener(tmp_path).put([SMALL])
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_diskcache_of_something_else_is_refused_untouched(
    tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    with diskcache.Cache(str(tmp_path / "store")) as cache:
        cache.set("key", "value")
    with pytest.raises(ForeignStore, match="diskcache of something else"):
        opener().put([SMALL])
    with diskcache.Cache(str(tmp_path / "store")) as cache:
        assert cache.get("key") == "value"
        assert cache.reset("eviction_policy") == "least-recently-stored"


def test_a_file_in_place_of_the_directory_is_refused(
    tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    (tmp_path / "store").write_text("x")
    with pytest.raises(ForeignStore, match="is a file"):
        opener().put([SMALL])


@pytest.mark.parametrize("card", ["", "{", "[]", '{"kind": "other"}', '{"kind": "zennb artifact store"}'])
def test_a_card_that_is_not_ours_is_refused(
    root: Path, card: str, opener: Callable[..., LocalArtifactStore]
) -> None:
    (root / "STORE.json").write_text(card)
    with pytest.raises(ForeignStore, match=r"STORE\.json"):
        opener().has(DIGEST)


def test_a_newer_format_is_refused_with_the_way_out(
    root: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    card = json.loads((root / "STORE.json").read_text())
    (root / "STORE.json").write_text(json.dumps({**card, "format": 2}))
    with pytest.raises(ForeignStore, match="pip install -U zennb"):
        opener().has(DIGEST)


@pytest.mark.parametrize("room", ["blobs", "tmp", "quarantine"])
def test_a_room_that_is_a_link_is_refused(
    root: Path, tmp_path: Path, room: str, opener: Callable[..., LocalArtifactStore]
) -> None:
    shutil.rmtree(root / room)
    (tmp_path / "elsewhere").mkdir()
    (root / room).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignStore, match="symbolic link"):
        opener().put([CONTENT])


def test_a_directory_removed_while_open_is_made_again(
    root: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    store = opener()
    assert store.has(SMALL_DIGEST)
    shutil.rmtree(root)
    assert not store.has(SMALL_DIGEST)
    store.put_all([[SMALL], [CONTENT]])
    other = opener()
    assert bytes(other.get(SMALL_DIGEST)) == SMALL
    assert bytes(other.get(DIGEST)) == CONTENT


def test_without_a_directory_it_says_what_to_type(opener: Callable[..., LocalArtifactStore]) -> None:
    with pytest.raises(InvalidConfiguration, match="--path"):
        opener(path="").put([SMALL])


def test_a_path_is_made_absolute_when_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: Callable[..., LocalArtifactStore]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert opener(Path("here")).path == str(tmp_path / "here")
    assert opener(Path("~/there")).path == str(tmp_path / "home" / "there")


def test_leftovers_of_dead_writers_go_after_a_day(
    root: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    dead, alive, name = 2**22 + 1, os.getpid(), "0" * 32
    old, young, ours = (
        root / "tmp" / f"{pid}-{name[:-1]}{end}.part" for pid, end in [(dead, 1), (dead, 2), (alive, 3)]
    )
    stage, foreign = root / "tmp" / f"{dead}-{name}.new", root / "tmp" / "notes.txt"
    stage.mkdir()
    (stage / "cache.db").touch()
    for path in (old, young, ours, foreign):
        path.touch()
    for path in (old, ours, stage, foreign):
        os.utime(path, (1, 1))
    opener().has(DIGEST)
    assert set((root / "tmp").iterdir()) == {young, ours, foreign}
