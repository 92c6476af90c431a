"""Connections to SQLite files: one that has changed nothing is its file, and how it was opened."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

IMPORT = "import sqlite3\nimport pandas as pd"
OPENED = "%%step opened\ncon = sqlite3.connect('a.db')"
READ = "%%step read\nrest = con.execute('select * from t').fetchall()"


@pytest.fixture(autouse=True)
def _database(notebook: Notebook) -> None:
    fill("a.db", 1, 2)
    notebook.run(IMPORT)


def fill(name: str, *numbers: int) -> None:
    with closing(sqlite3.connect(name)) as connection, connection:
        connection.execute("drop table if exists t")
        connection.execute("create table t (x)")
        connection.executemany("insert into t values (?)", [(each,) for each in numbers])


def again(notebook: Notebook, *cells: str) -> list[str]:
    """Run cells in a new kernel; return what became of the steps among them."""
    notebook.restart()
    notebook.run(IMPORT)
    return [ran.status for ran in notebook.run(*cells) if ran.displays]


READERS = {
    "rows": READ,
    "a frame": "%%step read\nrest = pd.read_sql('select * from t', con).x.tolist()",
    "a function": "%%step read\ndef all_of(c):\n    return [*c.execute('select x from t')]\nrest = all_of(con)",
    "a block": "%%step read\nwith con:\n    rest = con.execute('select sum(x) from t').fetchone()",
}
OPENERS = {
    "as it is": OPENED,
    "a path": "%%step opened\nfrom pathlib import Path\ncon = sqlite3.connect(Path('a.db'))",
    "options": "%%step opened\ncon = sqlite3.connect('a.db', timeout=2, isolation_level=None)",
    "rows by name": "%%step opened\ncon = sqlite3.connect('a.db')\ncon.row_factory = sqlite3.Row",
    "over several lines": "%%step opened\ncon = sqlite3.connect(\n    'a.db',\n    timeout=3,\n)",
    "imported by name": "%%step opened\nfrom sqlite3 import connect\ncon = connect('a.db')",
    "in a function": "%%step opened\ndef opened(p):\n    return sqlite3.connect(p)\ncon = opened('a.db')",
    "in a plain cell": "con = sqlite3.connect('a.db')",
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_reads_a_connection_is_reused(notebook: Notebook, read: str) -> None:
    notebook.run(OPENED, read)
    rest = notebook.ns["rest"]
    assert again(notebook, OPENED, read) == ["cached", "cached"]
    assert notebook.ns["rest"] == rest
    fill("a.db", 8)
    assert again(notebook, OPENED, read) == ["completed", "completed"]
    assert notebook.ns["rest"] != rest


@pytest.mark.parametrize("opened", OPENERS.values(), ids=OPENERS)
def test_a_connection_comes_back_as_it_was_opened(notebook: Notebook, opened: str) -> None:
    kept = "settings = con.isolation_level, con.row_factory, con.execute('pragma busy_timeout').fetchone()[0]"
    notebook.run(opened, READ, kept)
    before = notebook.ns["settings"]
    assert set(again(notebook, opened, READ)) == {"cached"}
    notebook.run(kept, "con.execute('insert into t values (9)')\ncon.commit()")
    assert notebook.ns["settings"] == before
    with closing(sqlite3.connect("a.db")) as connection:
        assert connection.execute("select count(*) from t").fetchone() == (3,)


UNKNOWN = {
    "options that are no constants": "con = sqlite3.connect('a.db', **options)",
    "an option that is computed": "con = sqlite3.connect('a.db', detect_types=sqlite3.PARSE_COLNAMES)",
    "another function": "con = (lambda p: opener(p))('a.db')",
    "in memory": "con = sqlite3.connect(':memory:')",
    "a function of its own": "con = sqlite3.connect('a.db')\ncon.create_function('one', 0, lambda: 1)",
    "a setting": "con = sqlite3.connect('a.db')\nset_to = con.execute('pragma foreign_keys = on').fetchall()",
    "a journal": "con = sqlite3.connect('a.db')\nset_to = con.execute('pragma journal_mode = memory').fetchall()",
    "an address": "con = sqlite3.connect('file:a.db?mode=ro')  # on some systems, without `uri`",
    "another case": "con = sqlite3.connect('a.db')\nset_to = con.execute('pragma case_sensitive_like = on').fetchall()",
    "a table of its own": "con = sqlite3.connect('a.db')\nset_to = con.execute('create temp table u (x)').fetchall()",
    "a second file": "con = sqlite3.connect('a.db')\nset_to = con.execute(\"attach 'b.db' as b\").fetchall()",
    "a collation": "con = sqlite3.connect('a.db')\ncon.create_collation('c', lambda a, b: 0)",
    "a trace": "con = sqlite3.connect('a.db')\ncon.set_trace_callback(seen.append)",
    "an authorizer": "con = sqlite3.connect('a.db')\ncon.set_authorizer(lambda *a: 0)",
    "an open change": "con = sqlite3.connect('a.db')\nset_to = con.execute('insert into t values (5)').lastrowid",
    "a cursor": "con = sqlite3.connect('a.db')\ncursor = con.cursor()",
    "a factory": "con = sqlite3.connect('a.db')\ncon.text_factory = lambda b: b.decode()",
    "a class derived from it": "class C(sqlite3.Connection): pass\ncon = sqlite3.connect('a.db', factory=C)",
}


@pytest.mark.parametrize("opened", UNKNOWN.values(), ids=UNKNOWN)
def test_what_a_connection_does_not_tell_is_not_guessed(notebook: Notebook, opened: str) -> None:
    notebook.run("from functools import partial\noptions, seen = {'timeout': 3}, []")
    notebook.run("opener = partial(sqlite3.connect, timeout=7)", opened)
    (ran,) = notebook.run("%%step read\nrest = con.total_changes")
    assert "a database connection" in ran.reason
    assert notebook.ns["seen"] == []


def test_what_changes_the_file_runs_each_time(notebook: Notebook) -> None:
    change = "%%step change\ncon.execute('insert into t values (9)')\ncon.commit()"
    notebook.run(OPENED, change)
    fill("a.db", 1, 2)
    assert again(notebook, OPENED, change, READ)[1:] == ["completed", "completed"]
    assert notebook.ns["rest"] == [(1,), (2,), (9,)]


def test_two_names_of_a_connection_stay_one(notebook: Notebook) -> None:
    cells = (OPENED, "%%step both\nother = con")
    notebook.run(*cells)
    again(notebook, *cells)
    notebook.run("other.execute('insert into t values (9)')\nsame = other is con\ncon.rollback()")
    assert notebook.ns["same"] is True


def test_a_connection_at_the_place_of_another_one_is_not_taken_for_it(notebook: Notebook) -> None:
    notebook.run("for _ in range(50):\n    con = sqlite3.connect('a.db')\n    con.close()\n    del con")
    notebook.run("con = sqlite3.connect('a.db', **{'detect_types': 3})")
    assert "a database connection" in notebook.run(READ)[0].reason


def test_a_change_by_somebody_else_counts_though_nothing_ran(notebook: Notebook) -> None:
    before = Path("a.db").read_bytes()
    notebook.run(OPENED)
    fill("a.db", 7)
    notebook.run(READ)
    Path("a.db").write_bytes(before)
    assert again(notebook, OPENED, READ) == ["cached", "completed"]
    assert notebook.ns["rest"] == [(1,), (2,)]


def elsewhere(code: str) -> str:
    """Run code in another process; return what it prints."""
    lines = ("import sqlite3", "con = sqlite3.connect('a.db', timeout=0.1)", code, "con.close()")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    return (done.stdout + done.stderr.rpartition(": ")[2]).strip()


@contextmanager
def locked() -> Iterator[None]:
    """Let another process have the database for itself."""
    code = "import sqlite3\nc = sqlite3.connect('a.db')\nc.execute('begin exclusive')\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.stdin.close()


def test_a_connection_to_a_file_that_was_replaced_is_the_old_file(notebook: Notebook) -> None:
    notebook.run(OPENED)
    fill("new.db", 7)
    Path("new.db").replace("a.db")
    notebook.run(READ)
    assert notebook.ns["rest"] == [(1,), (2,)]
    assert again(notebook, OPENED, READ) == ["completed", "completed"]
    assert notebook.ns["rest"] == [(7,)]


def test_a_link_is_followed_again(notebook: Notebook) -> None:
    fill("b.db", 1)
    Path("c.db").write_bytes(Path("b.db").read_bytes())
    opened, link = "%%step opened\ncon = sqlite3.connect('link.db')", Path("link.db")
    link.symlink_to("b.db")
    notebook.run(opened, READ)
    link.unlink()
    link.symlink_to("c.db")
    assert again(notebook, opened, READ) == ["cached", "cached"]
    notebook.run("where = con.execute('pragma database_list').fetchone()[2]")
    assert Path(notebook.ns["where"]).name == "c.db"


def test_a_lock_of_another_process_keeps_no_cell_waiting(notebook: Notebook) -> None:
    step = "%%step other\nisolation = con.isolation_level"
    notebook.run(OPENED, step)
    start = time.monotonic()
    with locked():
        notebook.run("%%step third\nrow_factory = con.row_factory")
        again(notebook, OPENED, step)
    assert time.monotonic() - start < 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs the locks of POSIX")
@pytest.mark.parametrize(
    "look", [READ, "%%step named\nname = 'a.db'", "%%step opens\nsqlite3.connect('a.db').close()"]
)
def test_locks_of_the_user_are_kept(notebook: Notebook, look: str) -> None:
    notebook.run(
        "writing = sqlite3.connect('a.db', isolation_level=None)",
        "none = writing.execute('begin immediate').fetchall()",
    )
    notebook.run("con = sqlite3.connect('a.db')", look)
    assert elsewhere("con.execute('begin immediate')") == "database is locked"


@pytest.mark.skipif(sys.platform == "win32", reason="needs the locks of POSIX")
def test_a_log_with_what_is_committed_is_not_removed(notebook: Notebook) -> None:
    elsewhere("con.execute('pragma journal_mode = wal')")
    notebook.run("con = sqlite3.connect('a.db')", READ)
    assert elsewhere("print(*con.execute('select * from t'))") == "(1,) (2,)"
    notebook.run("done = con.execute('insert into t values (3)').rowcount\ncon.commit()")
    assert elsewhere("print(*con.execute('select * from t'))") == "(1,) (2,) (3,)"


ATTACHING = {
    "a parameter": "con.execute('attach ? as b', (other,))",
    "a named parameter": "con.execute('ATTACH DATABASE :p AS b', {'p': other})",
    "a text that is put together": "con.execute(f\"attach '{other}' as b\")",
    "a sum of texts": 'con.execute("attach \'" + other + "\' as b")',
}


@pytest.mark.parametrize("attach", ATTACHING.values(), ids=ATTACHING)
def test_a_file_that_is_attached_by_a_name_nobody_can_see_counts(notebook: Notebook, attach: str) -> None:
    fill("b.db", 5)
    read = f"%%step read\n{attach}\nrest = con.execute('select x from b.t').fetchall()\ncon.execute('detach b')\nNone"
    cells = ("from pathlib import Path\nother = str(Path.cwd() / ('b' + '.db'))", OPENED, read)
    notebook.run(*cells)
    assert notebook.ns["rest"] == [(5,)]
    fill("b.db", 6)
    again(notebook, *cells)
    assert notebook.ns["rest"] == [(6,)]
