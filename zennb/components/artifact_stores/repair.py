"""Owns the repair of a local artifact store: its index from what is intact. All else is moved aside, not deleted."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.claim import create
from zennb.components.artifact_stores.health import blob_files, hashes_of, is_regular, rows_of
from zennb.components.artifact_stores.inspection import inspect, unknown_items
from zennb.components.artifact_stores.row import Entry
from zennb.components.artifact_stores.store_directory import StoreDirectory
from zennb.components.artifact_stores.strict_cache import StrictCache
from zennb.errors import ForeignStore, StoreError
from zennb.sqlite_files import allow, files_of_others, is_passing, open_snapshot, skipping_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["StoreRepair", "repair_store"]

_TIMEOUT = 10.0


@dataclass(slots=True, kw_only=True)
class StoreRepair:
    """What was done to a store.

    Attributes:
        root: its directory.
        done: what was done, one sentence each.
    """

    root: Path
    done: list[str] = field(default_factory=list)


def repair_store(root: Path, aside: Callable[[Path], Path]) -> StoreRepair:
    """Repair the directory of a store; an intact one is left as it is.

    Args:
        root: the directory; made if it is missing.
        aside: moves a file or folder to where what cannot be repaired is kept, and returns its new path.

    Raises:
        ForeignStore: it is of a newer format, or holds another program's files.
        OSError, sqlite3.Error: it cannot be read or written.
    """
    repair, directory = StoreRepair(root=root), StoreDirectory(root)
    if os.path.lexists(root) and not root.is_dir():
        repair.done.append(f"{root} was a file and is now {aside(root)}.")
    root.mkdir(parents=True, exist_ok=True)
    allowed = _allow_all(root)
    if allowed:
        repair.done.append(f"paths in {root} that were closed to you and are open again: {len(allowed)}.")
    _repair_marker(repair, directory, aside)
    for folder in (directory.blobs, directory.parts, directory.quarantine):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            repair.done.append(f"{folder} was not a folder and is now {aside(folder)}.")
        folder.mkdir(exist_ok=True)
    _repair_database(repair, directory, aside)
    if directory.read_marker() is None:
        directory.write_marker()
        repair.done.append(f"{root / 'STORE.json'} was written again.")
    with closing(StrictCache(root, _TIMEOUT)) as cache:
        _repair_rows(repair, directory, cache)
        _index_files(repair, directory, cache, aside)
    return repair


def _allow_all(root: Path) -> list[Path]:
    """Give the owner back what was taken: to read and write folders and databases, and to read blobs."""
    found = [root] if allow(root) else []
    for place, folders, files in os.walk(root):  # from above: what is closed cannot be listed
        found += [path for name in folders if allow(path := Path(place, name))]
        is_top = (
            Path(place) == root
        )  # where the databases are; the content of a store is read-only by intention
        found += [path for name in files if allow(path := Path(place, name), writing=is_top)]
    return found


def _repair_marker(repair: StoreRepair, directory: StoreDirectory, aside: Callable[[Path], Path]) -> None:
    marker = directory.root / "STORE.json"
    try:
        directory.read_marker()
    except ForeignStore as error:
        if "has format" in error.message:
            raise
        repair.done.append(f"{marker} was not what zennb wrote and is now {aside(marker)}.")
    except OSError:
        repair.done.append(f"{marker} could not be read and is now {aside(marker)}.")
    if not os.path.lexists(marker):
        directory.refuse_other_files()


def _repair_database(repair: StoreRepair, directory: StoreDirectory, aside: Callable[[Path], Path]) -> None:
    """Make sure that there is a database, with the small values that can be read from a damaged one."""
    database = directory.database
    for ending in ("", "-wal", "-shm", "-journal"):
        path = database.with_name(database.name + ending)
        if os.path.lexists(path) and not is_regular(path):
            repair.done.append(f"{path} was not a file and is now {aside(path)}.")
    for path in files_of_others(database):  # it may be intact
        raise StoreError(
            f"{path} is closed to you, and not yours to open; let its owner do that, then repair again."
        )
    if is_regular(database) and database.stat().st_size and not _fault(database):
        return
    salvaged: list[Entry] = []
    with skipping_damage():
        salvaged = _salvaged(database)

    def make(folder: Path) -> None:
        # Complete before the old one goes: on a full disk what was read from that would be lost.
        with closing(StrictCache(folder, _TIMEOUT)) as cache:
            _add(cache, salvaged)
        done = f"the index of {directory.root} was missing; a new one was made."
        if os.path.lexists(database):
            done = (
                f"the index of {directory.root} was damaged and is now {aside(database)}; {len(salvaged)} small "
                "values were read from it and are in a new one."
            )
        for ending in ("-wal", "-shm", "-journal"):  # a new database must not find the log of the old one
            rest = database.with_name(database.name + ending)
            if os.path.lexists(rest):
                aside(rest)
        repair.done.append(done)

    create(directory, make)


def _fault(database: Path) -> str:
    try:
        inspect(database, timeout=_TIMEOUT)
        with closing(open_snapshot(database)) as snapshot:
            problems = [row[0] for row in snapshot.connection.execute("PRAGMA integrity_check(1)")]
    except ForeignStore as error:
        return error.message
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if is_passing(error):
            raise
        return str(error)
    return "" if problems == ["ok"] else str(problems[0])


def _salvaged(database: Path) -> list[Entry]:
    """Return the small values that can be read in a damaged database, each proven by its digest."""
    found: dict[str, Entry] = {}
    with closing(open_snapshot(database)) as snapshot, skipping_damage():
        if any(item.startswith("no table 'Cache'") for item in unknown_items(snapshot.connection)):
            return []
        for digest, row in rows_of(snapshot.connection):
            if not row.is_file and not row.fault_as(digest):
                found[digest] = Entry(digest=digest, content=row.content)
    return list(found.values())


def _add(cache: StrictCache, entries: list[Entry]) -> None:
    with cache.transact():
        for entry in entries:
            cache.add(entry.digest, entry.content, tag=entry.tag)


def _repair_rows(repair: StoreRepair, directory: StoreDirectory, cache: StrictCache) -> None:
    """Keep rows that are not what was stored in the quarantine, and forget files that are not there."""
    damaged, gone = [], []
    with closing(open_snapshot(directory.database)) as snapshot:
        for digest, row in rows_of(snapshot.connection):
            if row.is_file and not is_regular(directory.blobs / digest[:2] / digest):
                gone.append(digest)
            elif not row.is_file and row.fault_as(digest):
                damaged.append((digest, row.content))
    for digest, content in damaged:
        (directory.quarantine / f"{digest}-{time.time_ns()}").write_bytes(content)
    with cache.transact():
        for digest in [*gone, *(digest for digest, _ in damaged)]:
            cache.delete(digest)
    if damaged:
        repair.done.append(
            f"damaged small values of {directory.root}, of which the rest is now in {directory.quarantine}: "
            f"{len(damaged)}."
        )
    if gone:
        repair.done.append(
            f"blobs of {directory.root} that are not there any more, and that its index forgot: {len(gone)}."
        )


def _index_files(
    repair: StoreRepair, directory: StoreDirectory, cache: StrictCache, aside: Callable[[Path], Path]
) -> None:
    """Record the files that are intact and not in the index; move aside what is damaged or no blob."""
    foreign = list(_foreign(directory))
    for path in foreign:
        aside(path)
    if foreign:
        repair.done.append(
            f"entries in {directory.blobs} that are none of zennb's, and were moved aside: {len(foreign)}."
        )
    added, damaged = 0, 0
    for digest, path in list(blob_files(directory)):
        sha, quick = hashes_of(path)
        if sha != digest:
            path.replace(directory.quarantine / f"{digest}-{time.time_ns()}")
            with cache.transact():
                cache.delete(digest)
            damaged += 1
            continue
        tag = f"file:{path.lstat().st_size}:{quick}"
        if cache.get(digest, tag=True) != (b"", tag):
            with cache.transact():
                cache.set(digest, b"", tag=tag)
            added += 1
    if damaged:
        repair.done.append(
            f"damaged blobs of {directory.root} that are now in {directory.quarantine}: {damaged}."
        )
    if added:
        repair.done.append(f"blobs of {directory.root} that are in its index again: {added}.")


def _foreign(directory: StoreDirectory) -> Iterator[Path]:
    known = {path for _, path in blob_files(directory)}
    for folder in sorted(directory.blobs.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            yield folder
            continue
        yield from (path for path in sorted(folder.iterdir()) if path not in known)
