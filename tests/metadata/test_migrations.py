from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Status
from zennb.errors import ForeignStore
from zennb.metadata import migrations
from zennb.metadata.migrations import MIGRATIONS, VERSION, Migration, migrate, needs_work
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).with_name("golden") / "metadata-1.db"


@pytest.fixture
def golden(path: Path) -> Path:
    """A copy of a database as version 1 wrote it."""
    shutil.copy(GOLDEN, path)
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(path, isolation_level=None)
    yield opened
    opened.close()


def shape(path: Path) -> set[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {(name, " ".join(sql.split())) for name, sql in found}


def test_a_database_of_version_1_opens_with_all_that_was_in_it(golden: Path) -> None:
    store = MetadataStore(golden)
    assert [stack.name for stack in store.stacks()] == ["default", "mine"]
    mine = store.stack("mine")
    assert mine is not None
    assert mine.orchestrator.config == {"workers": "4"}
    assert store.setting("default_stack") == "mine"
    [run] = store.runs()
    assert (run.stack, run.status, run.steps) == (
        mine,
        Status.COMPLETED,
        {"completed": 2, "cached": 1, "failed": 1},
    )
    load, train, failed, cached = store.steps(run.id or 0)
    assert train.inputs["data"] == load.outputs["data"]
    assert train.parts is not None
    assert train.parts.reached == {"clean": "ab" * 16}
    assert failed.failure is not None
    assert failed.failure.message == "no such column"
    assert (cached.reused, cached.outputs) == (load.id, load.outputs)
    assert [artifact.label for artifact in store.artifacts()] == ["model v1", "rate v1", "data v1"]
    assert store.find(train.cache_key) == [train]
    store.close()


def test_runs_of_an_old_database_are_listed_with_the_names_of_their_steps(golden: Path) -> None:
    store = MetadataStore(golden)
    [run] = store.runs()
    assert list(run.names) == list(dict.fromkeys(step.name for step in store.steps(run.id or 0)))
    assert set(run.names.values()) <= {"completed", "failed", "cached"}
    assert (run.computed, run.saved, run.commit, run.parent) == (0.0, 0.0, "", None)
    assert store.children(run.id or 0) == []
    store.close()


def test_an_old_database_ends_up_in_the_shape_of_a_new_one(golden: Path, tmp_path: Path) -> None:
    for path in (golden, tmp_path / "new.db"):
        MetadataStore(path).close()
    assert shape(golden) == shape(tmp_path / "new.db")


def test_migrations_are_numbered_without_gaps_up_to_the_current_version() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(2, VERSION + 1))


def test_a_newer_database_is_refused_and_left_alone(golden: Path) -> None:
    connection = sqlite3.connect(golden)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = golden.read_bytes()
    with pytest.raises(
        ForeignStore, match=rf"format {VERSION + 1}, written by a newer zennb; .*pip install --upgrade"
    ):
        MetadataStore(golden)
    assert golden.read_bytes() == before


def test_missing_migrations_run_in_order_and_once(
    golden: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (
        Migration(version=2, script="CREATE TABLE notes (text TEXT);\nINSERT INTO notes VALUES ('a;b');\n"),
        Migration(version=3, script="ALTER TABLE notes ADD COLUMN\n  author TEXT;\n"),
    )
    assert needs_work(connection, golden, version=3)
    for _ in range(2):
        connection.execute("BEGIN IMMEDIATE")
        migrate(connection, golden, version=3, migrations=steps)
        connection.execute("COMMIT")
    assert connection.execute("SELECT text, author FROM notes").fetchall() == [("a;b", None)]
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert not needs_work(connection, golden, version=3)


def test_a_migration_that_fails_leaves_the_old_database(golden: Path, connection: sqlite3.Connection) -> None:
    bad = Migration(version=2, script="CREATE TABLE notes (text TEXT);\nINSERT INTO nowhere VALUES (1);\n")
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, golden, version=2, migrations=(bad,))
    connection.execute("ROLLBACK")
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notes'").fetchone() == (0,)


def test_the_schema_is_one_file_of_whole_statements() -> None:
    assert sqlite3.complete_statement(migrations.schema())


def test_a_database_that_another_process_makes_at_this_moment_is_not_taken_for_a_foreign_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = migrations._has_tables
    others = [threading.Thread(target=lambda: MetadataStore(path).close())]

    def look_late(connection: sqlite3.Connection) -> bool:
        if others and others[0].ident is None:
            others[0].start()
            others[0].join(0.2)
        return look(connection)

    monkeypatch.setattr(migrations, "_has_tables", look_late)
    MetadataStore(path).close()
    others[0].join()
    assert shape(path)


def test_what_an_older_version_recorded_is_not_rewritten(golden: Path) -> None:
    """Also where it holds what is masked today."""
    text = "password = 'hunter2-of-then'"
    with closing(sqlite3.connect(golden)) as connection, connection:
        connection.execute("UPDATE texts SET text = ? WHERE id = (SELECT max(source) FROM steps)", (text,))
    store = MetadataStore(golden)
    assert text in {step.source for step in store.steps(1)}
    store.close()
