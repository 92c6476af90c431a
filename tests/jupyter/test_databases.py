"""Connections of sqlite3 across cells: what is in the database is content, and writing to a file is no result."""

from __future__ import annotations

import sqlite3
import time
from contextlib import chdir, closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.compat import databases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)

FILE = "import sqlite3\ndb = sqlite3.connect('e.db')"
NEW = "import sqlite3, os\nif os.path.exists('n.db'): os.remove('n.db')\ndb = sqlite3.connect('n.db')"
MEMORY = "import sqlite3\ndb = sqlite3.connect(':memory:')"
FILL = "db.execute('create table t (a)')\ndb.execute('insert into t values (1), (2)')\ndb.commit()"
READ = "%%step read\nx = db.execute('select a from t').fetchall()"
CLASS = """
import sqlite3
class Library:
    def __init__(self):
        self.db = sqlite3.connect(':memory:')
        self.db.execute('create table t (a)')
    def add(self, a):
        with self.db:
            self.db.execute('insert into t values (?)', (a,))
    def all(self):
        return self.db.execute('select a from t').fetchall()
"""

REUSED: dict[str, Sequence[str]] = {
    "a file that a plain cell opens": (FILE, READ),
    "a file that a step opens": (f"%%step opened\n{FILE}", READ),
    "a new file": (NEW, FILL, READ),
    "only for reading": ("%%step opened\n" + FILE.replace("'e.db'", "'file:e.db?mode=ro', uri=True"), READ),
    "memory": (MEMORY, FILL, READ),
    "memory filled by steps": (
        f"%%step opened\n{MEMORY}",
        f"%%step filled\n{FILL}",
        READ,
        "%%step more\nwith db:\n    db.executemany('insert into t values (?)', [(3,), (4,)])",
        "%%step counted\nx = db.total_changes, db.execute('select last_insert_rowid(), changes()').fetchone()",
        "db.execute('insert into t values (9)')\ny = db.execute('select rowid, a from t').fetchall()",
        "db.rollback()\nz = db.execute('select count(*) from t').fetchone(), db.total_changes",
    ),
    "memory in an object": (
        CLASS,
        "%%step library\nlibrary = Library()",
        "%%step added\nlibrary.add(3)",
        "%%step told\nx = library.all()",
        "library.add(4)\ny = library.all()",
    ),
    "cursors": (
        f"%%step opened\n{MEMORY}\n{FILL}\ncursor = db.cursor()",
        '%%step chosen\ncursor.execute(\'select a, a as "b ""c" from t\')\nx = cursor.fetchall()',
        "%%step named\ny = [each[0] for each in cursor.description], cursor.rowcount",
        "z = cursor.connection is db, cursor.execute('select 5').fetchone()",
    ),
    "a cursor that a plain cell makes": (
        f"{MEMORY}\n{FILL}\ncursor = db.cursor()",
        "%%step chosen\nx = [a for (a,) in cursor.execute('select a from t')]",
        "%%step named\ny = [each[0] for each in cursor.description]",
        "z = cursor.connection is db, db.execute('select count(*) from t').fetchone()",
    ),
    "settings": (
        f"%%step opened\n{MEMORY}\n{FILL}\ndb.row_factory = sqlite3.Row\ndb.isolation_level = None",
        "%%step kept\ndb.execute('pragma foreign_keys = on')",
        "%%step read\nx = [row['a'] for row in db.execute('select a from t')]",
        "y = db.execute('pragma foreign_keys').fetchone()[0], db.isolation_level, db.row_factory is sqlite3.Row",
    ),
    "other names of a connection": (
        f"{MEMORY}\nheld = [db]\ncursor = db.cursor()",
        "%%step kept\ndb.execute('pragma foreign_keys = on')",
        "x = held[0] is db, cursor.connection is db, cursor.execute('pragma foreign_keys').fetchone()",
    ),
    "texts as bytes": (
        f"{FILE}\ndb.text_factory = bytes",
        "%%step read\nx = db.execute(\"select 'é'\").fetchone()",
    ),
    "what is rolled back": (
        MEMORY,
        FILL,
        "%%step tried\ndb.execute('delete from t')\ndb.rollback()\nn = 1",
        "%%step read\nx = db.execute('select count(*), changes(), total_changes() from t').fetchone()",
    ),
    "pandas": (
        f"{NEW}\nimport pandas as pd\n_ = pd.DataFrame({{'a': [1, 2]}}).to_sql('t', db)",
        "%%step frame\nx = pd.read_sql('select a from t', db).a.tolist()",
    ),
}

NOT_REUSED: dict[str, tuple[Sequence[str], str]] = {
    "writing to a file": (
        (NEW, FILL, "%%step more\nwith db:\n    db.execute('insert into t values (3)')"),
        "it changes `db` or its database",
    ),
    "through a function": (
        (
            NEW,
            FILL,
            "def add():\n    with db:\n        db.execute('insert into t values (3)')",
            "%%step more\nadd()",
        ),
        "it changes `db` or its database",
    ),
    "a cursor of a file": (
        (f"{FILE}\ncursor = db.cursor()", "%%step chosen\nx = cursor.execute('select a from t').fetchall()"),
        "it changes `cursor` or its database",
    ),
    "a step that opens and writes": (
        (f"%%step opened\n{NEW}\n{FILL}",),
        "`db` is connected to a file",
    ),
    "settings of a connection to a file": (
        (FILE, "%%step kept\ndb.execute('pragma foreign_keys = on')"),
        "it changes `db` or its database",
    ),
    "not committed": ((NEW, FILL, "%%step more\ndb.execute('insert into t values (3)')"), "not committed"),
    "reads what is not committed": ((NEW, FILL, "_ = db.execute('delete from t')", READ), "not committed"),
    "functions": (
        (NEW, FILL, "db.create_function('f', 1, lambda a: a + 1)", READ.replace("select a", "select f(a)")),
        "a database connection",
    ),
    "a function instead of a known one": (
        (
            MEMORY,
            "db.create_function('upper', 1, lambda a: 'U')",
            "%%step more\nx = db.execute('select upper(1)').fetchall()",
        ),
        "a database connection",
    ),
    "an order of texts": (
        (MEMORY, FILL, "db.create_collation('o', lambda a, b: 0)", READ),
        "a database connection",
    ),
    "a trace": ((NEW, FILL, "said = []\ndb.set_trace_callback(said.append)", READ), "a database connection"),
    "converters": (
        (MEMORY.replace("':memory:'", "':memory:', detect_types=sqlite3.PARSE_COLNAMES"), FILL, READ),
        "a database connection",
    ),
    "temporary tables": ((FILE, "_ = db.execute('create temp table q (a)')", READ), "a database connection"),
    "another database": ((FILE, "_ = db.execute(\"attach ':memory:' as o\")", READ), "a database connection"),
    "rows left": (
        (
            FILE,
            "cursor = db.execute('select a from t')\n_ = cursor.fetchone()",
            "%%step more\nx = cursor.fetchall()",
        ),
        "a database cursor",
    ),
}


def make(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "e.db")) as made, made:
        made.execute("create table t (a)")
        made.execute("insert into t values (1), (2)")
    return folder


@pytest.fixture(autouse=True)
def _databases(notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    monkeypatch.setattr(databases, "_shared", set())  # as in a new process


def known(namespace: dict[str, Any]) -> list[Any]:
    return [namespace.get(name) for name in "xyz"]


def expected(cells: Sequence[str], tmp_path: Path, *, times: int = 2) -> list[list[Any]]:
    """Return what a plain kernel has after these cells, and a new one after them again, and so on."""
    found = []
    with chdir(make(tmp_path / "plain")):
        for _ in range(times):
            plain: dict[str, Any] = {}
            for cell in cells:
                exec(cell.partition("\n")[2] if cell.startswith("%%step") else cell, plain)
            found.append(known(plain))
    return found


def steps(ran: Sequence[Ran], cells: Sequence[str]) -> list[Ran]:
    return [each for each, cell in zip(ran, cells, strict=True) if cell.startswith("%%step")]


@pytest.mark.parametrize("kind", REUSED)
def test_steps_that_read_a_connection_are_reused(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells = REUSED[kind]
    cold, again = expected(cells, tmp_path)
    notebook.run(*cells)
    assert known(notebook.ns) == cold
    notebook.restart()
    ran = notebook.run(*cells)
    assert [each.reason for each in steps(ran, cells) if each.status != "cached"] == []
    assert known(notebook.ns) == again


@pytest.mark.parametrize("kind", NOT_REUSED)
def test_what_is_written_or_not_known_is_done_again(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells, why = NOT_REUSED[kind]
    looked = (*cells, "db.commit()\nz = db.execute('select 1').fetchall(), db.total_changes")
    cold, again = expected(looked, tmp_path)
    notebook.run(*looked)
    assert known(notebook.ns) == cold
    notebook.restart()
    last = notebook.run(*looked)[-2]
    assert (last.status, why in last.reason) == ("completed", True), last.reason
    assert known(notebook.ns) == again


def test_a_change_by_somebody_else_counts_though_nothing_ran_here(notebook: Notebook, tmp_path: Path) -> None:
    cells = (FILE, "%%step first\ny = db.execute('select 1 from t').fetchall()", READ)
    notebook.run(*cells)
    with closing(sqlite3.connect("e.db")) as other, other:
        other.execute("insert into t values (3)")
    (ran,) = notebook.run(READ)
    assert (ran.status, notebook.ns["x"]) == ("completed", [(1,), (2,), (3,)])
    notebook.restart()
    assert [each.status for each in steps(notebook.run(*cells), cells)] == ["completed", "cached"]
    with closing(sqlite3.connect("e.db")) as other, other:
        other.execute("pragma journal_mode = wal")
        other.execute("delete from t")
        other.commit()
        (ran,) = notebook.run(READ)
    assert (ran.status, notebook.ns["x"]) == ("completed", [])


RUN = ("%%step more\nwith db:\n    db.execute('insert into t values (3)')\nn = 1", READ + "\nx = x[n:]")


@pytest.mark.parametrize(
    "first", [FILE, f"%%step opened\n{FILE}", f"{MEMORY}\n{FILL}", f"%%step opened\n{MEMORY}\n{FILL}"]
)
def test_a_run_writes_to_the_database_itself(notebook: Notebook, first: str) -> None:
    notebook.run(first, *RUN)
    assert notebook.ns["x"] == [(2,), (3,)]
    notebook.restart()
    is_file = "e.db" in first
    notebook.run(first, *RUN, "%pipeline run", "%pipeline run --rerun")
    assert notebook.ns["x"] == ([(2,), *[(3,)] * 4] if is_file else [(2,), (3,)])
    notebook.run("found = db.execute('select count(*) from t').fetchone()")
    assert notebook.ns["found"] == ((6,) if is_file else (3,))


def test_a_locked_file_is_not_waited_for(notebook: Notebook) -> None:
    notebook.run(FILE)
    with closing(sqlite3.connect("e.db", isolation_level=None)) as other:
        other.execute("begin exclusive")
        began = time.monotonic()
        (ran,) = notebook.run("%%step look\nx = db.isolation_level")
        assert (ran.status, time.monotonic() - began < 4) == ("completed", True)
    notebook.run("y = db.execute('pragma busy_timeout').fetchone()")
    assert notebook.ns["y"] == (5000,)


def test_a_database_in_memory_that_two_connections_share_is_not_taken_apart(notebook: Notebook) -> None:
    shared = "sqlite3.connect('file::memory:?cache=shared', uri=True)"
    cells = (
        f"%%step opened\nimport sqlite3\ndb = {shared}\nother = {shared}\n{FILL}",
        "with db:\n    db.execute('insert into t values (3)')",
        "x = other.execute('select a from t').fetchall()\ndb.close()\nother.close()",
    )
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[0].status == "completed"
    assert notebook.ns["x"] == [(1,), (2,), (3,)]


def test_looking_at_a_connection_changes_nothing(notebook: Notebook) -> None:
    notebook.run(
        MEMORY,
        FILL,
        "half = db.execute('select a from t')\nnext(half)",
        "%%step look\nx = db.total_changes",
        "y = list(half), db.in_transaction, db.execute('select changes(), total_changes()').fetchone()",
    )
    assert known(notebook.ns)[:2] == [2, ([(2,)], False, (2, 2))]
