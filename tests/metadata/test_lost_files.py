"""The files of the open database: noticed when they go, and read where nothing can be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zennb import sqlite_files
from zennb.errors import StoreGone, StoreReadOnly
from zennb.metadata.store import MetadataStore
from zennb.sqlite_files import OpenFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.metadata.conftest import Make


def test_what_is_written_to_a_deleted_file_is_not_told_as_recorded(path: Path, make: Make) -> None:
    store = MetadataStore(path)

    def delete() -> None:
        store.add(make.step("b"))
        path.unlink()

    with pytest.raises(StoreGone, match="was deleted or moved"):
        store.atomically(delete)
    with pytest.raises(StoreGone):
        store.steps(1)
    store.close()


def test_a_file_that_is_put_back_is_used_again(path: Path, make: Make) -> None:
    store = MetadataStore(path)
    store.add(make.step("a"))
    path.rename(path.with_name("away"))
    with pytest.raises(StoreGone):
        store.add(make.step("b"))
    path.with_name("away").rename(path)
    assert store.add(make.step("b")).id == 2
    store.close()


def test_a_deleted_file_leaves_the_log_of_the_next_one_alone_at_exit(path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from zennb.metadata.store import MetadataStore\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "first = MetadataStore(path)\n"
        "[each.unlink() for each in path.parent.glob('metadata.db*')]\n"
        "second = MetadataStore(path)\n"
        "second.set_setting('kept', 'yes')\n"
        "import os; log = pathlib.Path(str(path) + '-wal').stat().st_ino\n"
        "{ending}"
    )
    for ending in ("first.close()\n", "del first\nimport gc; gc.collect()\n"):
        for each in path.parent.glob("metadata.db*"):
            each.unlink()
        check = (
            "assert pathlib.Path(str(path) + '-wal').stat().st_ino == log, 'its log is gone'\nos._exit(0)\n"
        )
        subprocess.run([sys.executable, "-c", code.format(ending=ending + check), str(path)], check=True)
        store = MetadataStore(path)
        assert store.setting("kept") == "yes"
        store.close()


READER = """
import os, sys, pathlib
from zennb.errors import StoreReadOnly
from zennb.metadata.store import MetadataStore
from zennb.sqlite_files import OpenFiles
import zennb.recovery.repair, zennb.components.artifact_stores.local, encodings.idna
path = pathlib.Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
store = MetadataStore(path)
print(store.is_read_only, store.setting("a"))
try:
    store.set_setting("a", "2")
except StoreReadOnly as error:
    print(error.brief)
store.close()
print(sorted(each.name for each in path.parent.iterdir()))
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


def closed(folder: Path) -> None:
    """Leave a database that was closed: there is no log."""
    store = MetadataStore(folder / "metadata.db")
    store.set_setting("a", "1")
    store.close()


def killed(folder: Path) -> None:
    """Leave a database whose content is in its log, and no index of that."""
    code = (
        "import sys, os, pathlib; from zennb.metadata.store import MetadataStore\n"
        "MetadataStore(pathlib.Path(sys.argv[1])).set_setting('a', '1'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder / "metadata.db")], check=True)
    (folder / "metadata.db-shm").unlink()


def in_use(folder: Path) -> None:
    """Leave a database that another process has open, with all its files."""
    killed(folder)
    (folder / "metadata.db-shm").write_bytes(b"")


@pytest.mark.skipif(os.name != "posix", reason="users and their rights are those of POSIX")
@pytest.mark.parametrize("state", [closed, killed, in_use])
def test_a_database_that_cannot_be_written_to_is_read(
    open_to_all: Path, state: Callable[[Path], None]
) -> None:
    state(open_to_all)
    for each in open_to_all.iterdir():
        each.chmod(0o444)
    before = sorted(each.name for each in open_to_all.iterdir())
    open_to_all.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READER, str(open_to_all / "metadata.db")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["True 1", "the home is read-only", str(before)]


def test_a_read_only_database_shows_what_others_have_written_since(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = MetadataStore(path)
    writer.set_setting("a", "1")
    writer.close()
    monkeypatch.setattr("zennb.metadata.connection.is_writable", lambda _path: False)
    monkeypatch.setattr("zennb.sqlite_files._readable", _unless_live)
    reader = MetadataStore(path)
    assert reader.setting("a") == "1"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE settings SET value = '2' WHERE key = 'a'")
    assert reader.setting("a") == "2"
    connection.close()
    assert reader.setting("a") == "2"
    with pytest.raises(StoreReadOnly, match="is read-only here"):
        reader.set_setting("a", "3")
    reader.close()


def _unless_live(address: str) -> sqlite3.Connection:
    """Behave as where SQLite cannot make the files that it needs."""
    if address.endswith("mode=ro"):
        raise sqlite3.OperationalError("unable to open database file")
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def test_where_nothing_can_be_written_an_older_format_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MetadataStore(path)
    store._database.write(lambda connection: connection.execute("PRAGMA user_version = 3"))
    store.close()
    monkeypatch.setattr("zennb.metadata.connection.is_writable", lambda _path: False)
    with pytest.raises(StoreReadOnly, match="has to be brought to the format of this version first"):
        MetadataStore(path)


def filled(path: Path, make: Make) -> MetadataStore:
    """A store with some hundred pages in its database, and a few in its log."""
    store = MetadataStore(path)
    store.add_all(
        [
            make.step(f"s{number}", outputs={"v": make.artifact(f"v{number}", str(number))})
            for number in range(300)
        ]
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.add(make.step("last"))
    return store


def test_what_another_process_gives_back_is_no_cut(path: Path, make: Make) -> None:
    store = filled(path, make)
    before = path.stat().st_size
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in ("current", "outputs", "inputs", "heads", "artifacts"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < before
    assert store.add(make.step("more")).id is not None
    assert store.setting("a") is None
    store.close()


@pytest.mark.parametrize("ending", ["", "-wal"])
@pytest.mark.parametrize("left", [0, 0.5])
def test_a_file_that_is_cut_short_takes_nothing_more(
    path: Path, make: Make, ending: str, left: float
) -> None:
    store = filled(path, make)
    cut = Path(f"{path}{ending}")
    os.truncate(cut, int(cut.stat().st_size * left) // 4096 * 4096)
    for _ in range(2):
        with pytest.raises(StoreGone, match=f"{cut.name} was cut short"):
            store.add(make.step("more"))
        with pytest.raises(StoreGone):
            store.setting("a")
    store.close()


def test_of_a_log_that_was_cut_short_nothing_is_copied_into_the_database(path: Path, make: Make) -> None:
    store = filled(path, make)
    store.add_all([make.step(f"t{number}") for number in range(300)])
    os.truncate(f"{path}-wal", Path(f"{path}-wal").stat().st_size // 2)
    before = path.read_bytes()
    store.close()
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_cut_is_looked_at_again_when_the_database_was_locked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (a)")
        opened = OpenFiles(str(path))
        os.truncate(f"{path}-wal", 100)
        with monkeypatch.context() as patch:
            patch.setattr(sqlite_files, "_is_whole", lambda _path: None)  # another process has it locked
            assert opened.check()[1] == ""
        monkeypatch.setattr(sqlite_files, "_is_whole", lambda _path: False)
        assert opened.check()[1] == f"{path}-wal"


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_a_database_that_was_emptied_is_told_whatever_became_of_its_log(path: Path, ending: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (a)")
        opened = OpenFiles(str(path))
        os.truncate(path, 0)
        if ending:  # as whoever opens the database next does it
            Path(f"{path}{ending}").unlink()
        assert opened.check()[1] == str(path)
