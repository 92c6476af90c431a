"""A database on a disk that is full: it is read, and what there is room for is written."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from zennb.errors import ForeignStore, StoreBusy, StoreFull
from zennb.metadata.store import MetadataStore
from zennb.sqlite_files import exclusively, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INDEX = 32_768
"""Bytes of the index of a database's log."""


@pytest.fixture
def full() -> Iterator[Callable[[int], None]]:
    """Return a function after which no file grows beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def closed(path: Path) -> None:
    with closing(MetadataStore(path)) as store:
        store.set_setting("a", "1")


def killed(path: Path) -> None:
    """Leave a database whose content is in its log, and no index of that."""
    code = (
        "import sys, os, pathlib; from zennb.metadata.store import MetadataStore\n"
        "MetadataStore(pathlib.Path(sys.argv[1])).set_setting('a', '1'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name("metadata.db-wal").stat().st_size
    path.with_name("metadata.db-shm").unlink()


@pytest.mark.parametrize("left", [closed, killed])
@pytest.mark.parametrize("room", [0, 3_000, INDEX - 1])
def test_a_database_without_room_for_the_index_of_its_log_is_read(
    path: Path, full: Callable[[int], None], left: Callable[[Path], None], room: int
) -> None:
    left(path)
    full(room)
    store = MetadataStore(path)
    found = store.setting("a")
    with pytest.raises(StoreFull, match="there is no room left for the metadata store") as caught:
        store.set_setting("text", "x" * 100_000)
    still = store.setting("a")
    full(resource.RLIM_INFINITY)
    assert (found, still) == ("1", "1")
    assert caught.value.brief in {"no room on the disk", "disk full"}
    store.set_setting("a", "2")  # there is room again
    assert (store.setting("a"), store.setting("text"), store.is_read_only) == ("2", None, False)
    store.close()


def test_a_lock_is_waited_for_and_changes_nothing_once_there_is_room(
    path: Path, full: Callable[[int], None]
) -> None:
    closed(path)
    full(INDEX - 1)
    store = MetadataStore(path, deadline=0.2)
    assert store.setting("a") == "1"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.set_setting("a", "2")
    full(resource.RLIM_INFINITY)
    store.set_setting("a", "3")
    assert (store.setting("a"), store.is_read_only) == ("3", False)
    store.close()


def test_what_there_is_room_for_is_written(path: Path, full: Callable[[int], None]) -> None:
    closed(path)
    full(INDEX - 1)
    store = MetadataStore(path)

    def change() -> str | None:
        store.set_setting("a", "2")
        return store.setting("a")  # inside the transaction

    assert store.atomically(change) == "2"
    assert store.setting("a") == "2"
    with closing(MetadataStore(path)) as other:  # nobody is locked out
        other.set_setting("b", "3")
    assert store.setting("b") == "3"
    store.close()
    full(resource.RLIM_INFINITY)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_change_that_fails_half_way_changes_nothing(path: Path, full: Callable[[int], None]) -> None:
    closed(path)
    full(INDEX - 1)
    store = MetadataStore(path)

    def change() -> None:
        store.set_setting("a", "2")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.atomically(change)
    assert store.setting("a") == "1"
    store.set_setting("a", "3")
    assert store.setting("a") == "3"
    store.close()


def test_shrinking_needs_no_room(path: Path, full: Callable[[int], None]) -> None:
    closed(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE filling AS SELECT zeroblob(4000000) AS x")
        connection.execute("DROP TABLE filling")
        connection.commit()
    full(20_000)
    with closing(MetadataStore(path)) as store:
        store.deletions.compact()
    full(100_000)
    with closing(MetadataStore(path)) as store:
        store.deletions.compact()
    full(resource.RLIM_INFINITY)
    with closing(MetadataStore(path)) as store:
        assert store.setting("a") == "1"


def test_a_database_that_another_process_writes_to_is_not_taken_for_full(path: Path) -> None:
    closed(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"), exclusively(path, timeout=0):
            pytest.fail("two write at once")
        with closing(MetadataStore(path, deadline=0.1)) as store, pytest.raises(StoreBusy):
            store.set_setting("a", "2")


@pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
def test_a_log_is_read_without_a_copy_where_no_disk_has_room(path: Path, full: Callable[[int], None]) -> None:
    killed(path)
    full(0)
    snapshot = open_snapshot(path)
    (found,) = snapshot.connection.execute("SELECT value FROM settings WHERE key = 'a'").fetchall()
    full(resource.RLIM_INFINITY)
    assert found == ("1",)
    assert snapshot.is_current()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        snapshot.connection.execute("DELETE FROM settings")
    snapshot.close()


@pytest.mark.parametrize("room", [0, INDEX + 1_000])
def test_a_trigger_is_refused_on_a_full_disk_as_well(
    path: Path, full: Callable[[int], None], room: int
) -> None:
    closed(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON settings BEGIN DELETE FROM settings; END")
    full(room)
    with pytest.raises(ForeignStore, match="contains the trigger 'evil', which zennb did not make"):
        MetadataStore(path)
    full(resource.RLIM_INFINITY)
