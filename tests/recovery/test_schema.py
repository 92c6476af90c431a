"""Changes tables, indexes and triggers of `metadata.db`, and puts them right with one command."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.recovery.test_damage import expect_repaired, works
from zennb.errors import ForeignStore
from zennb.metadata.migrations import schema
from zennb.recovery.examination import database_fault, examine_home
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from tests.recovery.conftest import Home
    from tests.recovery.test_damage import Damage


def run_sql(statement: str) -> Damage:
    """Damage that another program does to a database through SQLite itself."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(statement)

    damage.__name__ = statement.lower().replace(" ", "-")[:40]
    return damage


TABLES = sorted(re.findall(r"CREATE TABLE (\w+)", schema()))
SCHEMA: tuple[Damage, ...] = (
    *(run_sql(f"DROP TABLE {table}") for table in TABLES),
    run_sql("PRAGMA user_version = 0"),
    run_sql("PRAGMA user_version = 5"),
    run_sql("DROP INDEX steps_by_key"),
    run_sql("CREATE TRIGGER evil AFTER INSERT ON steps BEGIN DELETE FROM steps WHERE id = NEW.id; END"),
    run_sql("CREATE UNIQUE INDEX narrow ON steps (name)"),
    run_sql("CREATE VIEW extra AS SELECT * FROM steps"),
    run_sql("ALTER TABLE settings ADD COLUMN more"),
    run_sql("ALTER TABLE steps RENAME COLUMN reason TO why"),
)


def records_again(home: Home) -> bool:
    """Whether a step can be recorded."""
    with closing(Workspace(home.path)) as opened:
        step = opened.metadata.previous("small", "")
        assert step is not None
        return opened.metadata.add(replace(step, id=None, started=step.started + 1)).id is not None


@pytest.mark.parametrize("damage", SCHEMA)
def test_a_changed_schema_is_found_and_put_right(home: Home, damage: Damage) -> None:
    damage(home.path / "metadata.db")
    assert not examine_home(home.path).is_well
    works(home)
    expect_repaired(home, frozenset())
    assert examine_home(home.path).findings == []
    assert records_again(home)


def test_a_trigger_that_drops_records_is_refused(home: Home) -> None:
    database = home.path / "metadata.db"
    run_sql("CREATE TRIGGER evil AFTER INSERT ON settings BEGIN DELETE FROM settings; END")(database)
    with pytest.raises(ForeignStore, match="contains the trigger 'evil', which zennb did not make"):
        Workspace(home.path)


def test_a_new_schema_keeps_what_only_the_database_knows(home: Home) -> None:
    with closing(Workspace(home.path)) as opened:
        [run, _] = opened.metadata.runs()
        opened.metadata.begin_run(replace(run, id=None, notebook="never backed up"))
    run_sql("DROP TABLE tags")(home.path / "metadata.db")
    repair = home.repair()
    assert any("it lacks the table 'tags'" in each for each in repair.done), repair.done
    with closing(Workspace(home.path)) as opened:
        assert "never backed up" in {run.notebook for run in opened.metadata.runs()}


def test_an_older_format_is_no_damage(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "metadata" / "golden" / "metadata-1.db"
    shutil.copy(golden, tmp_path / "metadata.db")
    assert database_fault(tmp_path / "metadata.db") == ""
    run_sql("DROP TABLE inputs")(tmp_path / "metadata.db")
    assert "lacks the table 'inputs'" in database_fault(tmp_path / "metadata.db")
