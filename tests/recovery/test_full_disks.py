"""A full disk is no damage: a repair on one moves nothing aside, and loses nothing."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.components.artifact_stores.repair import repair_store
from zennb.components.content import name_of
from zennb.errors import StoreFull
from zennb.metadata.store import MetadataStore
from zennb.recovery.examination import database_fault
from zennb.recovery.salvage import salvage
from zennb.sqlite_files import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.recovery.conftest import Home


@pytest.fixture
def full() -> Iterator[Callable[[int], None]]:
    """Return a function after which no file grows beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def opened(root: Path) -> LocalArtifactStore:
    return LocalArtifactStore.from_config("mine", {"path": str(root)})


def never(path: Path) -> Path:
    return pytest.fail(f"{path} was moved aside")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    store = opened(root)
    store.put([b"small"])
    store.close()
    return root


@pytest.mark.parametrize("is_damaged", [False, True])
def test_an_index_is_not_moved_aside_where_there_is_no_room_for_another(
    root: Path, full: Callable[[int], None], *, is_damaged: bool
) -> None:
    if is_damaged:
        with closing(sqlite3.connect(root / "cache.db")) as connection:
            connection.execute("CREATE TABLE foreign_one (a)")
    full(20_000)
    with pytest.raises(UNREADABLE):
        repair_store(root, never)
    full(resource.RLIM_INFINITY)
    repair_store(root, lambda path: path.rename(root.parent / path.name))
    with closing(opened(root)) as store:
        assert bytes(store.get(name_of(b"small"))) == b"small"


def test_records_are_not_called_damaged_on_a_full_disk(tmp_path: Path, full: Callable[[int], None]) -> None:
    path = tmp_path / "metadata.db"
    MetadataStore(path).close()
    full(0)
    fault = database_fault(path)
    full(resource.RLIM_INFINITY)
    assert fault == ""


def damage(database: Path) -> None:
    for path in database.parent.glob("metadata.db-*"):
        path.unlink()
    database.write_bytes(b"no database at all" * 1000)


@pytest.mark.parametrize("with_backup", [True, False])
def test_a_damaged_database_keeps_its_place_until_another_one_is_complete(
    home: Home, full: Callable[[int], None], *, with_backup: bool
) -> None:
    database = home.path / "metadata.db"
    if not with_backup:
        (next((home.path / "backups").iterdir())).unlink()
    damage(database)
    full(120_000)
    with pytest.raises(StoreFull, match="there is no room"):
        home.repair()
    full(resource.RLIM_INFINITY)
    assert database.read_bytes().startswith(b"no database at all")
    assert not (home.path / "damaged").exists()
    assert [path.name for path in home.path.glob("metadata.db?*")] == []
    done = home.repair()
    assert done.is_well
    assert home.values().keys() >= {"a", "c", "t", "d", "b"}


def test_records_are_salvaged_as_soon_as_there_is_room_and_no_backup_takes_their_place(
    home: Home, full: Callable[[int], None]
) -> None:
    database, draft = home.path / "metadata.db", home.path / "draft"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP INDEX steps_by_key")
    full(100_000)
    with pytest.raises(UNREADABLE):
        salvage(database, draft)
    assert not draft.exists()
    full(resource.RLIM_INFINITY)
    assert salvage(database, draft) == frozenset()
