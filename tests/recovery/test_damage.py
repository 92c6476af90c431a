"""Damages every file of a home and its stores in every way, and repairs it with one command."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recovery.conftest import VALUES, Home
from zennb import api
from zennb.cli import main
from zennb.errors import StoreError, ZennbError
from zennb.recovery.examination import examine_home
from zennb.registry.workspace import Workspace

ROUNDS = int(os.environ.get("ZENNB_DAMAGE_ROUNDS", "8"))
"""Homes that are damaged at random; `make soak` damages more."""

FOUND = (398, 639, 699)
"""What long runs have found: damaged indexes of tables that are intact."""

Damage = Callable[[Path], object]
DEEP = "[" * 100_000
ALL = frozenset({*VALUES, "b"})


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_short(path: Path) -> None:
    os.truncate(path, 100)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def garble(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def garble_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = random.Random(2).randbytes(third)
    path.chmod(0o644)
    path.write_bytes(content)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def delete(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    delete(path)
    path.mkdir()
    (path / "something").write_text("else")


def make_file(path: Path) -> None:
    delete(path)
    path.write_text("not a folder")


def make_link(path: Path) -> None:
    delete(path)
    path.symlink_to(path.parent.parent / "nowhere")


def make_pipe(path: Path) -> None:
    """Whoever opens it to read waits for somebody to write."""
    delete(path)
    os.mkfifo(path)


def make_foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE places (url TEXT)")
    connection.close()


def empty_the_indexes(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        pages = connection.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'").fetchall()
    connection.close()
    content = bytearray(path.read_bytes())
    for (page,) in pages:  # each becomes a leaf without entries; the tables are intact
        content[(page - 1) * size : page * size] = bytes([10, 0, 0, 0, 0, *size.to_bytes(2, "big"), 0]).ljust(
            size, b"\0"
        )
    path.write_bytes(content)


def write_diary(path: Path) -> None:
    path.write_text("dear diary\n" * 1000)


def write_deep_json(path: Path) -> None:
    path.write_text(DEEP)


def write_json_of_others(path: Path) -> None:
    path.write_text('{"kind": "something else", "format": 1}')


def forbid(path: Path) -> None:
    path.chmod(0)


DATABASE: tuple[Damage, ...] = (
    *(truncate, cut_short, empty, garble, garble_the_middle, delete),
    *(make_folder, make_link, make_pipe, make_foreign, empty_the_indexes, write_diary, forbid),
)
LOG: tuple[Damage, ...] = (truncate, empty, garble, delete, make_folder, make_pipe)
JOURNAL: tuple[Damage, ...] = (make_folder, make_pipe, make_link)
"""SQLite looks for a journal whenever it opens a database, and waits for a pipe."""
MARKER: tuple[Damage, ...] = (
    empty,
    garble,
    delete,
    make_folder,
    make_pipe,
    write_deep_json,
    write_json_of_others,
    forbid,
)
BLOB: tuple[Damage, ...] = (truncate, empty, garble, flip, delete, make_folder, make_link, make_pipe)
FOLDER: tuple[Damage, ...] = (delete, make_file, make_link)
IN_ROWS = frozenset({"a", "d"})
"""Values in the index of the store of stack `default`, which are gone with it."""

TABLE: list[tuple[str, tuple[Damage, ...], frozenset[str]]] = [
    # path in the home, what is done to it, values that are lost with it
    ("metadata.db", DATABASE, frozenset()),
    ("metadata.db-wal", LOG, frozenset()),
    ("metadata.db-shm", LOG, frozenset()),
    ("metadata.db-journal", JOURNAL, frozenset()),
    ("STORE.json", MARKER, frozenset()),
    ("backups", FOLDER, frozenset()),
    ("artifacts/STORE.json", MARKER, frozenset()),
    ("artifacts/cache.db", DATABASE, IN_ROWS),
    ("artifacts/cache.db-wal", LOG, IN_ROWS),
    ("artifacts/cache.db-shm", LOG, IN_ROWS),
    ("artifacts/cache.db-journal", JOURNAL, frozenset()),
    ("artifacts/tmp", FOLDER, frozenset()),
    ("artifacts/quarantine", FOLDER, frozenset()),
    ("artifacts/blobs", FOLDER, frozenset({"b"})),
    ("artifacts", FOLDER, frozenset({"a", "b", "d"})),
    ("stores", FOLDER, frozenset({"c", "t"})),
]
CASES = [
    pytest.param(path, damage, lost, id=f"{path}-{damage.__name__}")
    for path, damages, lost in TABLE
    for damage in damages
]


def works(home: Home) -> None:
    """Check that a kernel finds one sentence at worst, and `zennb doctor` no traceback."""
    said = None
    try:
        opened = Workspace(home.path)
        try:
            list(opened.open().store.digests())
        finally:
            opened.close()
    except ZennbError as error:
        said = str(error)
    assert said is None or said.strip()
    api.close()
    for words in (["doctor"], ["doctor", "--json"], ["runs"]):
        assert main(words) in {0, 1}
    api.close()


def same(found: Any, wanted: Any) -> bool:
    return bool(np.array_equal(found, wanted)) if isinstance(wanted, np.ndarray) else found == wanted


def contents(home: Home) -> set[str]:
    """Digests of all files but those in which SQLite itself writes when it opens a database."""
    files = [path for path in home.path.rglob("*") if path.is_file() and not path.is_symlink()]
    kept = [path for path in files if not path.name.endswith(("-wal", "-shm", ".db"))]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def expect_repaired(home: Home, lost: frozenset[str]) -> None:
    before = contents(home)
    repair = home.repair()
    assert repair.is_well, repair.after.findings
    assert before <= contents(home), "something was deleted"
    values = home.values()
    assert values.keys() >= ALL - lost, (
        f"{sorted(ALL - lost - values.keys())} cannot be loaded: {repair.done}"
    )
    wanted = {**VALUES, "b": np.arange(50_000.0) + 1}
    for name, value in values.items():
        if name not in lost:
            assert same(value, wanted[name]), name
    assert home.repair().done == [], "a second repair finds nothing to do"


@pytest.mark.parametrize(("path", "damage", "lost"), CASES)
def test_one_command_brings_back_what_is_intact(
    home: Home, path: str, damage: Damage, lost: frozenset[str]
) -> None:
    damage(home.path / path)
    works(home)
    expect_repaired(home, lost)


@pytest.mark.parametrize("damage", BLOB)
def test_a_damaged_blob_takes_only_its_own_value_with_it(home: Home, damage: Damage) -> None:
    damage(home.blob("b"))
    works(home)
    expect_repaired(home, frozenset({"b"}))


@pytest.mark.parametrize("damage", [delete, garble, empty])
def test_without_backups_the_copies_of_records_are_enough(home: Home, damage: Damage) -> None:
    shutil.rmtree(home.path / "backups")
    for path in home.path.glob("metadata.db-*"):
        path.unlink()
    damage(home.path / "metadata.db")
    repair = home.repair()
    assert any("6 records were written again" in each for each in repair.done)
    assert home.values().keys() == ALL
    opened = Workspace(home.path)
    assert {stack.name for stack in opened.registry.stacks()} == {"default", "mine"}
    assert [run.steps for run in opened.metadata.runs()] == [{"completed": 2}, {"completed": 4}]
    assert [each.version for each in opened.metadata.history("a")] == [2, 1]
    consumer = opened.metadata.previous("big", "")
    assert consumer is not None
    assert consumer.inputs["a"].step == getattr(opened.metadata.previous("small", ""), "id", 0)
    opened.close()


def test_damaged_records_and_damaged_backups_at_once(home: Home) -> None:
    garble(home.path / "metadata.db")
    for path in (home.path / "backups").iterdir():
        garble(path)
    expect_repaired(home, frozenset())


def test_records_and_index_lost_at_once_leave_a_home_that_works(home: Home) -> None:
    for path in home.path.rglob("*.db*"):
        if "backups" not in path.parts:
            path.unlink()
    expect_repaired(home, frozenset({"a", "c", "d"}))


@pytest.mark.parametrize("make", [make_file, make_pipe, make_link])
def test_a_home_that_is_no_folder_is_left_alone(home: Home, make: Damage) -> None:
    make(home.path)
    works(home)
    before = home.path.lstat()
    with pytest.raises(StoreError, match="is not a folder, so it is not a home and was left alone"):
        home.repair()
    assert home.path.lstat() == before
    assert not list(home.path.parent.glob("home.*"))


def test_a_file_that_is_registered_as_a_store_is_left_alone(home: Home, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    with closing(Workspace(home.path)) as opened:
        opened.registry.register_component(
            "artifact_store", "far", "local", {"path": str(tmp_path / "precious")}
        )
    make_file(tmp_path / "precious")
    assert not examine_home(home.path).is_well
    home.repair()
    assert (tmp_path / "precious").read_text() == "not a folder"


def test_an_intact_home_is_left_as_it_is(home: Home) -> None:
    repair = home.repair()
    assert (repair.done, repair.aside, repair.is_well) == ([], None, True)
    assert repair.after.findings == []
    assert home.values().keys() == ALL


@pytest.mark.parametrize("seed", sorted({*range(ROUNDS), *FOUND}))
def test_random_damage_leaves_no_wrong_value_and_no_traceback(home: Home, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(path for path in home.path.rglob("*") if path.is_file())
    for path in chance.sample(files, chance.randint(1, 3)):
        path.chmod(0o644)
        content = bytearray(path.read_bytes())
        for _ in range(chance.choice([1, 10, 1000])):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.choice([len(content), len(content) // 2, 0])])
    works(home)
    home.repair()
    works(home)
    wanted: dict[str, list[Any]] = {name: [value] for name, value in VALUES.items()}
    wanted["a"].append([1, 2, 3])  # an older version, if the latest record is gone
    wanted["b"] = [np.arange(50_000.0) + 1]
    for name, value in home.values().items():
        assert any(same(value, each) for each in wanted[name]), name


@pytest.mark.parametrize("name", ["metadata.db", "artifacts/cache.db"])
def test_a_database_that_somebody_holds_is_not_taken_for_a_damaged_one(
    home: Home, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zennb.sqlite_files._PATIENCE", 0.05)
    monkeypatch.setattr("zennb.components.artifact_stores.repair._TIMEOUT", 0.05)
    holder = sqlite3.connect(home.path / name, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    before = (home.path / name).stat().st_ino
    with pytest.raises(StoreError, match=r"locked|holds|held"):
        home.repair()
    assert main(["doctor"]) == 1
    holder.execute("COMMIT")
    holder.close()
    assert (home.path / name).stat().st_ino == before
    expect_repaired(home, frozenset())
