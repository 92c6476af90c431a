"""Files that are read while a library may have them open: databases stay open, others do not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zennb.compat.locked_files import reading

DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs a list of open files")


def opened(path: Path) -> int:
    """Return how often a file is open in this process."""
    found = [each.readlink() for each in DESCRIPTORS.iterdir() if each.is_symlink()]
    return len([each for each in found if str(each).startswith(str(path))])


def database(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table t (x)")
    return path.read_bytes()


def read(path: Path) -> bytes:
    with reading(path) as file:
        return file.read()


def test_a_database_is_open_once_however_often_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    content = database(path)
    assert [read(path) for _ in range(5)] == [content] * 5
    assert opened(path) == 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table u (x)")
    assert read(path) == path.read_bytes() != content


def test_a_database_that_was_removed_is_let_go(tmp_path: Path) -> None:
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    database(first)
    database(second)
    read(first)
    first.unlink()
    read(second)
    assert (opened(first), opened(second)) == (0, 1)


def test_others_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"text")
    assert read(path) == b"text"
    with pytest.raises(IsADirectoryError):
        read(tmp_path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing")
    assert opened(path) == 0
