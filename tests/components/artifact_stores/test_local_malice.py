"""Plants what an attacker would: nothing may run, and nothing outside the store may be touched."""

from __future__ import annotations

import hashlib
import inspect
import os
import pickle
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import diskcache
import pytest

from zennb.components.artifact_stores import strict_cache
from zennb.errors import DamagedArtifact, ForeignStore, MissingArtifact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.artifact_stores.local import LocalArtifactStore

DIGEST = hashlib.sha256(b"content").hexdigest()

COUNTING = "CREATE TRIGGER Settings_count_insert AFTER INSERT ON Cache FOR EACH ROW"
COUNT = 'UPDATE Settings SET value = value + 1 WHERE key = "count"'


class Touch:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def plant(root: Path, **row: Any) -> None:
    columns = {"key": DIGEST, "raw": 1, "mode": 1, "filename": None, "value": b"", "tag": "row:0", **row}
    with closing(sqlite3.connect(root / "cache.db")) as connection, connection:
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO Cache ({names}) VALUES ({marks})", tuple(columns.values()))


@pytest.fixture
def root(tmp_path: Path, opener: Callable[..., LocalArtifactStore]) -> Path:
    opener().put([b"something"])
    return tmp_path / "store"


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return tmp_path / "code-ran"


def use_everything(store: LocalArtifactStore) -> None:
    """Call every method that could meet the planted row."""
    list(store.digests())
    store.has(DIGEST)
    with pytest.raises((DamagedArtifact, MissingArtifact)):
        store.get(DIGEST)
    store.verify()
    assert store.put([b"content"]) == DIGEST
    assert bytes(store.get(DIGEST)) == b"content"
    store.delete(DIGEST)


def test_a_pickled_value_is_never_loaded(
    root: Path, trap: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, mode=4, value=pickle.dumps(Touch(trap)))
    use_everything(opener())
    assert not trap.exists()


def test_the_trap_works_on_a_plain_diskcache(root: Path, trap: Path) -> None:
    """Shows that the tests here can fail."""
    plant(root, mode=4, value=pickle.dumps(Touch(trap)))
    with diskcache.Cache(str(root)) as cache:
        cache.get(DIGEST)
    assert trap.exists()


def test_every_method_of_diskcache_that_pickles_or_touches_files_is_replaced() -> None:
    """Also in a later release: then this fails."""
    disk = diskcache.Disk
    ours = vars(strict_cache._StrictDisk)
    words = ("pickle", "open(", "remove(", "makedirs(", "_write(")
    theirs = {
        name: inspect.getsource(method)
        for name, method in inspect.getmembers(disk, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {"put", "get", "store", "fetch"} <= theirs.keys()
    touching = {name for name, text in theirs.items() if any(word in text for word in words)}
    # What the others call is out of reach: `hash` is of values as keys, which are digests here.
    assert touching - ours.keys() <= {"hash"}


def test_a_pickled_file_outside_is_never_loaded_nor_removed(
    root: Path, trap: Path, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    outside = tmp_path / "outside.val"
    outside.write_bytes(pickle.dumps(Touch(trap)))
    plant(root, mode=4, filename="../outside.val", value=None)
    use_everything(opener())
    assert not trap.exists()
    assert outside.exists()


@pytest.mark.parametrize("mode", [1, 2, 3, 4, None, 99, "x"])
def test_a_file_name_in_a_row_is_never_read_nor_removed(
    root: Path, tmp_path: Path, mode: object, opener: Callable[..., LocalArtifactStore]
) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_bytes(b"content")
    plant(root, mode=mode, filename=str(outside), value=None, tag="row:7")
    store = opener()
    with pytest.raises((DamagedArtifact, MissingArtifact)):
        store.get(DIGEST)
    plant_again = store.put([b"content"])
    store.delete(plant_again)
    assert outside.read_bytes() == b"content"


def test_replacing_a_planted_row_does_not_remove_the_file_it_names(
    root: Path, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_bytes(b"secret")
    plant(root, mode=2, filename=str(outside), value=None)
    opener().put([b"content"])
    assert outside.read_bytes() == b"secret"


def test_a_pickled_key_is_never_loaded(
    root: Path, trap: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, key=pickle.dumps(Touch(trap)), raw=0)
    store = opener()
    assert len(list(store.digests())) == 1
    assert store.verify() == []
    assert not trap.exists()


@pytest.mark.parametrize("key", [b"bytes", 17, 1.5, "name", "../../x", None, DIGEST.upper()])
@pytest.mark.parametrize("raw", [0, 1, None, "x"])
def test_keys_that_are_no_digests_are_passed_over(
    root: Path, key: object, raw: object, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, key=key, raw=raw)
    store = opener()
    assert list(store.digests()) == [hashlib.sha256(b"something").hexdigest()]
    assert store.verify() == []


@pytest.mark.parametrize(
    "tag", [None, 7, b"row:7", "row:-1", "row:99999999999999999999", "pickle:7", "row:7\n", "file:../x"]
)
def test_a_row_with_a_strange_tag_is_damaged_and_kept_aside(
    root: Path, tag: object, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, value=b"content", tag=tag)
    store = opener()
    assert not store.has(DIGEST)
    with pytest.raises(DamagedArtifact, match="quarantine") as caught:
        store.get(DIGEST)
    assert caught.value.digest == DIGEST
    assert [file.read_bytes() for file in (root / "quarantine").iterdir()] == [b"content"]


@pytest.mark.parametrize("column", ["store_time", "expire_time", "access_time", "access_count", "size"])
@pytest.mark.parametrize("odd", ["x", b"\xff", None, 1e300, -1e300])
def test_a_row_with_a_strange_time_can_be_listed_read_and_stored_again(
    root: Path, column: str, odd: object, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, value=b"content", tag="row:7", **{column: odd})
    store = opener()
    assert len(list(store.stored())) in {1, 2}
    assert store.put([b"content"]) == DIGEST
    assert bytes(store.get(DIGEST)) == b"content"
    assert store.verify() == []
    store.delete(DIGEST)
    assert not store.has(DIGEST)


def test_a_row_that_claims_a_size_for_a_file_outside_gets_nothing(
    root: Path, tmp_path: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_bytes(b"x" * 40000)
    repository = root / "blobs" / DIGEST[:2]
    repository.mkdir(parents=True)
    (repository / DIGEST).symlink_to(outside)
    plant(root, tag="file:40000")
    store = opener()
    assert not store.has(DIGEST)
    with pytest.raises(DamagedArtifact):
        store.get(DIGEST)
    assert outside.read_bytes() == b"x" * 40000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sqlite_journal_mode", "delete"),
        ("sqlite_temp_store_directory", "'/tmp'"),
        ("disk_no_such_option", 1),
        ("get", "overwritten"),
        ("_disk", "overwritten"),
        ("statistics", 1),
        (b"bytes", b"bytes"),
        (17, 17),
    ],
)
def test_planted_settings_are_put_right_and_reported(
    root: Path, key: object, value: object, opener: Callable[..., LocalArtifactStore]
) -> None:
    with closing(sqlite3.connect(root / "cache.db")) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (key, value))
    store = opener()
    assert bytes(store.get(store.put([b"content"]))) == b"content"
    assert len(store.notices) == 1
    assert str(key) in store.notices[0]
    again = opener()
    again.put([b"other"])
    assert again.notices == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER forget AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END",
        "CREATE VIEW extra AS SELECT * FROM Cache",
        "CREATE TABLE extra (x)",
        "CREATE INDEX extra ON Cache (value)",
        f"DROP TRIGGER Settings_count_insert; {COUNTING} BEGIN DELETE FROM Cache; END",
        f"DROP TRIGGER Settings_count_insert; {COUNTING} BEGIN {COUNT}; DELETE FROM Cache; END",
        "DROP TABLE Settings",
    ],
)
def test_a_database_of_another_shape_is_refused(
    root: Path, statement: str, opener: Callable[..., LocalArtifactStore]
) -> None:
    with closing(sqlite3.connect(root / "cache.db")) as connection:
        connection.executescript(statement)
    with pytest.raises(ForeignStore, match="Nothing was read"):
        opener().put([b"content"])


def test_a_row_that_has_expired_is_not_there_and_can_be_stored_again(
    root: Path, opener: Callable[..., LocalArtifactStore]
) -> None:
    plant(root, value=b"content", tag="row:7", expire_time=1.0)
    store = opener()
    assert not store.has(DIGEST)
    assert store.has(store.put([b"content"]))
