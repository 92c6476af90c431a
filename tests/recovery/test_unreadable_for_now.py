"""What cannot be read because its disk is full, or is locked, is not taken for damaged: it may be intact."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.recovery.test_full_disks import never
from zennb.components.artifact_stores import health
from zennb.components.artifact_stores import repair as store_repair
from zennb.components.artifact_stores.repair import repair_store
from zennb.errors import StoreFull
from zennb.materializers.signer import Signer
from zennb.recovery import examination, lost_records, registered
from zennb.recovery.examination import examine_home
from zennb.recovery.lost_records import find_lost
from zennb.recovery.registered import registered_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.recovery.conftest import Home

NO_ROOM = sqlite3.OperationalError("database or disk is full")
NO_ROOM.sqlite_errorcode = sqlite3.SQLITE_FULL
LOCKED = sqlite3.OperationalError("database is locked")
LOCKED.sqlite_errorcode = sqlite3.SQLITE_BUSY


@pytest.mark.parametrize("error", [NO_ROOM, LOCKED, OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize(
    ("module", "read"),
    [
        (registered, lambda home: registered_in(home / "metadata.db")),
        (lost_records, lambda home: find_lost([], home / "metadata.db", signer=Signer())),
        (health, lambda home: list(health.Values(home / "artifacts").__enter__().starting_with(b""))),
        (store_repair, lambda home: repair_store(home / "artifacts", never)),
        (examination, lambda home: examination._registered_roots(home, home / "metadata.db")),
    ],
)
def test_what_cannot_be_read_for_want_of_room_is_not_taken_for_damage(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: Any, read: Callable[[Path], object], error: Exception
) -> None:
    def fails(_path: Path) -> None:
        raise error

    monkeypatch.setattr(store_repair, "_fault", lambda _database: "it is damaged")
    monkeypatch.setattr(module, "open_snapshot", fails)
    with pytest.raises(type(error)):
        read(home.path)


def test_rows_behind_a_full_disk_are_not_taken_for_damaged_ones(home: Home) -> None:
    class Full(sqlite3.Connection):
        def execute(self, *_args: Any) -> sqlite3.Cursor:
            raise NO_ROOM

    with (
        closing(sqlite3.connect(home.store / "cache.db", factory=Full)) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        list(health.rows_of(connection))


def test_a_home_that_cannot_be_read_for_want_of_room_is_not_called_damaged(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object) -> None:
        raise NO_ROOM

    monkeypatch.setattr(examination, "examine_store", fails)
    with pytest.raises(StoreFull, match="there is no room to read"):
        examine_home(home.path)
