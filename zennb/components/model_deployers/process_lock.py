"""Owns the lock that says that the process of a deployment is alive: the system releases it when the process ends."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["hold", "is_held"]

# Locks of `fcntl.lockf` belong to the process alone: what it forks has no part in them. With `flock`, a worker that
# outlives the server would make it look alive.


def hold(path: Path, *, seconds: float = 5.0) -> BinaryIO:
    """Take the lock for as long as the returned file is open.

    Raises:
        OSError: another process has it.
    """
    file = path.open("ab")
    until = time.monotonic() + seconds
    while not _take(file):  # others take it for a moment to see whether it is held
        if time.monotonic() > until:
            file.close()
            raise OSError(f"{path} is locked by another process")
        time.sleep(0.01)
    return file


def is_held(path: Path) -> bool:
    """Whether another process has the lock."""
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return False
    with file:
        return not _take(file)


def _take(file: BinaryIO) -> bool:
    """Take the lock if nobody has it; closing the file releases it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
