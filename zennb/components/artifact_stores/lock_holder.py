"""Owns the answer to "who holds this file?": the process behind a lock, as far as the system tells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["holder"]

_LOCKS = Path("/proc/locks")


def holder(files: Iterable[Path], *, locks: Path = _LOCKS) -> str:
    """Name who holds a write lock on one of `files`: "process 4711 (python3)", or "another process".

    Args:
        files: the files of a database.
        locks: the kernel's table of file locks; Linux has one, elsewhere nobody can be named.
    """
    pids = _writers({str(inode) for file in files if (inode := _inode(file))}, locks)
    others = pids - {os.getpid()}
    if others:
        pid = min(others)
        return f"process {pid}{_command(pid)}"
    return "another thread of this process" if pids else "another process"


def _writers(inodes: set[str], locks: Path) -> set[int]:
    try:
        lines = locks.read_text().splitlines()
    except OSError:
        return set()
    # e.g. "7: POSIX  ADVISORY  WRITE 4711 fd:00:1441797 120 120"; "->" marks one that waits.
    rows = [line.split() for line in lines if "->" not in line]
    return {
        int(row[4])
        for row in rows
        if len(row) >= 8 and row[3] == "WRITE" and row[5].rpartition(":")[2] in inodes and int(row[4]) > 0
    }


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except OSError:
        return None


def _command(pid: int) -> str:
    """Return the program's name; not its arguments, which may hold secrets."""
    try:
        return f" ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return ""
