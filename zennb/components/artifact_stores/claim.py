"""Owns `claim`: turning a directory into a local artifact store, and checking that it still is one."""

from __future__ import annotations

import os
import stat
import uuid
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.inspection import is_empty, is_evidently_ours
from zennb.components.artifact_stores.reasons import lost_database
from zennb.components.artifact_stores.store_directory import publish
from zennb.errors import ForeignStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.artifact_stores.store_directory import StoreDirectory

__all__ = ["claim", "create"]


def claim(directory: StoreDirectory, *, make: Callable[[Path], None], timeout: float) -> list[str]:
    """Make sure that a prepared directory has our marker file and a database that belongs to it.

    Safe for concurrent processes, even if one is killed: the database gets its name when it is complete, and
    the marker is written last.

    Args:
        directory: the directory, prepared.
        make: makes a new database, called `cache.db`, in the directory it is given.
        timeout: seconds to wait for another process.

    Returns:
        Messages about what was corrected.

    Raises:
        ForeignStore: it belongs to another program, or its database is missing.
    """
    database = directory.database
    notices: list[str] = []
    if directory.read_marker() is None:
        # A database without a marker: another process is about to write the marker, or was killed before. Then nothing
        # has been stored yet. One with content has lost its marker, or is another program's.
        if not os.path.lexists(database):
            create(directory, make)
        elif _size(database) and not is_empty(database, timeout=timeout):
            if is_evidently_ours(database, timeout=timeout):
                notices.append(f"{directory.root} had lost its STORE.json; it was written again.")
            else:
                _refuse_unless_claimed(directory)
        if _size(database):
            directory.write_marker()
    if not _size(database):
        raise lost_database(directory.root)
    return notices


def create(directory: StoreDirectory, make: Callable[[Path], None]) -> None:
    """Make the database elsewhere and rename it when it is complete, so that no process sees a part of it."""
    stage = directory.parts / f"{os.getpid()}-{uuid.uuid4().hex}.new"
    stage.mkdir()
    make(stage)
    publish(stage / "cache.db", directory.database)
    (stage / "cache.db").unlink(missing_ok=True)
    stage.rmdir()


def _refuse_unless_claimed(directory: StoreDirectory) -> None:
    if directory.read_marker() is None:  # otherwise another kernel has just claimed and used it
        raise ForeignStore(
            f"{directory.root} is a diskcache of something else; nothing was changed. Choose an empty "
            "directory or a new one."
        )


def _size(database: Path) -> int:
    """Return the size of a regular file; 0 for anything else."""
    seen = database.lstat() if os.path.lexists(database) else None
    return seen.st_size if seen is not None and stat.S_ISREG(seen.st_mode) else 0
