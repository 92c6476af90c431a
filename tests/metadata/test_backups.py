"""Backups of the records: when they are made, what they hold, how many there are, and that nobody waits for them."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb.metadata import backups
from zennb.metadata.backups import DAY, Backups, backups_in
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.metadata.conftest import Make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "STORE.json").write_text("{}")
    return tmp_path


@pytest.fixture
def store(home: Path) -> Iterator[MetadataStore]:
    opened = MetadataStore(home / "metadata.db")
    opened.backups._next = float("inf")  # nothing is made in the background, unless a test says so
    yield opened
    opened.close()


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM steps").fetchone()[0])
    finally:
        connection.close()


def age(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_a_backup_holds_all_that_is_on_record_and_is_one_file(store: MetadataStore, make: Make) -> None:
    store.add_all([make.step(f"step{number}") for number in range(50)])
    made = store.backups.make()
    assert count(made) == 50
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_a_new_home_has_none_until_it_is_a_day_old(store: MetadataStore, home: Path, make: Make) -> None:
    store.add(make.step("a"))
    store.backups._make_if_due()
    assert backups_in(home) == []
    age(home / "STORE.json", DAY + 1)
    store.backups._make_if_due()
    assert [count(path) for path in backups_in(home)] == [1]


def test_one_is_due_when_the_last_is_a_day_old(store: MetadataStore, home: Path, make: Make) -> None:
    first = store.backups.make()
    store.add(make.step("a"))
    store.backups._make_if_due()
    assert backups_in(home) == [first]
    age(first, DAY + 1)
    store.backups._make_if_due()
    assert sorted(count(path) for path in backups_in(home)) == [0, 1]


def test_one_is_due_when_the_records_have_grown_by_a_fifth_and_a_megabyte(
    store: MetadataStore, home: Path, make: Make
) -> None:
    store.backups.make()
    store.add(make.step("a", source="x" * 500_000))
    store.backups._make_if_due()
    assert [count(path) for path in backups_in(home)] == [0]
    store.add(make.step("b", source="y" * 1_000_000))
    store.backups._make_if_due()
    assert sorted(count(path) for path in backups_in(home)) == [0, 2]


def test_recording_a_step_checks_at_most_once_a_minute_whether_one_is_due(
    store: MetadataStore, home: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = threading.Semaphore(0)
    monkeypatch.setattr(Backups, "_make_if_due", lambda _self: checked.release())
    store.backups._next = 0.0
    for name in ("a", "b", "c"):
        store.add(make.step(name))
    assert checked.acquire(timeout=30)
    store.backups.close()  # after what was begun
    assert not checked.acquire(blocking=False)


def test_two_are_kept_and_leftovers_of_killed_processes_go(store: MetadataStore, home: Path) -> None:
    folder = home / "backups"
    folder.mkdir()
    old, new = folder / "metadata-1.db.part", folder / "metadata-2.db.part"
    for path in (old, new):
        path.write_text("half")
    age(old, 2 * 3600)
    made = [store.backups.make() for _ in range(3)]
    assert set(backups_in(home)) <= set(made)
    assert len(backups_in(home)) == 2
    assert not old.exists()
    assert new.exists()


def test_steps_are_recorded_while_a_backup_is_made(
    store: MetadataStore, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_PAGES", 1)
    store.add_all([make.step(f"step{number}", source="x" * 10_000 + str(number)) for number in range(50)])
    begun, go_on = threading.Event(), threading.Event()

    def progress(self: Backups, *_numbers: int) -> None:
        begun.set()
        assert go_on.wait(30)

    monkeypatch.setattr(Backups, "_progress", progress)
    made: list[Path] = []
    thread = threading.Thread(target=lambda: made.append(store.backups.make()))
    thread.start()
    assert begun.wait(30)
    store.add(make.step("meanwhile"))  # it would wait for ever, if it had to wait
    go_on.set()
    thread.join()
    assert [count(path) for path in made] == [50], "it shows one moment, that of its beginning"


def test_a_process_that_ends_stops_a_backup_and_leaves_nothing_of_it(
    store: MetadataStore, home: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_PAGES", 1)
    store.add(make.step("a"))
    age(home / "STORE.json", DAY + 1)
    begun = threading.Event()
    stopped = Backups._progress

    def progress(self: Backups, *numbers: int) -> None:
        begun.set()
        self._stop.wait(30)
        stopped(self, *numbers)

    monkeypatch.setattr(Backups, "_progress", progress)
    store.backups._next = 0.0  # as after a minute
    store.add(make.step("b"))
    assert begun.wait(30)
    store.close()
    assert list((home / "backups").iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), sqlite3.OperationalError("full")])
def test_a_backup_that_cannot_be_made_disturbs_nobody(
    store: MetadataStore, home: Path, make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_args: Any) -> None:
        raise error

    monkeypatch.setattr(Backups, "_copy", full)
    age(home / "STORE.json", DAY + 1)
    store.add(make.step("a"))
    store.backups._make_if_due()
    store.add(make.step("b"))
    assert backups_in(home) == []
