from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.reasons import holder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "cache.db").touch()
    return tmp_path / "cache.db"


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "locks"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_the_process_with_the_write_lock_is_named(file: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        inode = file.stat().st_ino
        locks = table(
            tmp_path,
            f"1: POSIX  ADVISORY  READ {os.getpid()} fd:00:{inode} 0 EOF",
            f"2: POSIX  ADVISORY  WRITE {other.pid} fd:00:{inode} 120 120",
            f"2: -> POSIX  ADVISORY  WRITE {os.getpid()} fd:00:{inode} 120 120",
            "3: FLOCK  ADVISORY  WRITE 1 fd:00:1 0 EOF",
        )
        assert holder([file], locks=locks).startswith(f"process {other.pid} (")
        other.communicate(b"\n")


def test_a_process_that_is_gone_meanwhile_is_named_by_number(file: Path, tmp_path: Path) -> None:
    locks = table(tmp_path, f"1: POSIX ADVISORY WRITE 4194399 fd:00:{file.stat().st_ino} 0 EOF")
    assert holder([file], locks=locks) == "process 4194399"


def test_this_process_is_named_as_such(file: Path, tmp_path: Path) -> None:
    locks = table(tmp_path, f"1: POSIX ADVISORY WRITE {os.getpid()} fd:00:{file.stat().st_ino} 0 EOF")
    assert holder([file], locks=locks) == "another thread of this process"


@pytest.mark.parametrize("lines", [(), ("nonsense",), ("1: POSIX ADVISORY WRITE 0 fd:00:1 0 EOF",)])
def test_where_nobody_can_be_named_it_is_another_process(
    lines: tuple[str, ...], file: Path, tmp_path: Path
) -> None:
    assert holder([file], locks=table(tmp_path, *lines)) == "another process"


def test_without_a_table_of_locks_it_is_another_process(file: Path, tmp_path: Path) -> None:
    assert holder([file, tmp_path / "missing"], locks=tmp_path / "none") == "another process"
