"""Owns the examination of a local artifact store: what is damaged, missing or foreign in its directory.

It opens no store: diskcache would write to the database, and a damaged one could not be opened at all. Everything is
read, and compared with its digest.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from xxhash import xxh3_128

from zennb.components.artifact_stores.inspection import unknown_items
from zennb.components.artifact_stores.row import Row
from zennb.components.artifact_stores.store_directory import StoreDirectory
from zennb.components.content import is_digest
from zennb.core.records.findings import DAMAGED, FOREIGN, MISSING, Finding
from zennb.errors import ForeignStore, listing
from zennb.sqlite_files import (
    UNREADABLE,
    Snapshot,
    files_in_the_way,
    is_passing,
    open_snapshot,
    skipping_damage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "StoreHealth",
    "Values",
    "blob_files",
    "examine_store",
    "first_bytes",
    "hashes_of",
    "is_regular",
    "rows_of",
]

_BLOCK = 1 << 20
_START = 8
_SKIPPED = 2**22
"""Rows that are skipped at most behind a page that cannot be read."""


@dataclass(slots=True, kw_only=True)
class StoreHealth:
    """What was found in the directory of a store.

    Attributes:
        root: the directory.
        findings: what is wrong.
        sizes: digest → bytes, of all that is intact.
        starts: digest → first 8 bytes, of all small values that are intact.
        exists: whether there is a store at all.
    """

    root: Path
    findings: list[Finding] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    starts: dict[str, bytes] = field(default_factory=dict)
    exists: bool = True

    def note(self, kind: str, path: Path, what: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind=kind, path=str(path), what=what))


def examine_store(root: Path) -> StoreHealth:
    """Read everything in a store's directory, and change nothing."""
    health = StoreHealth(root=root)
    if not os.path.lexists(root):
        health.exists = False
    elif not root.is_dir():
        health.note(FOREIGN, root, "it is a file where the artifact store needs a folder")
    else:
        try:
            _examine(health, StoreDirectory(root))
        except OSError as error:
            health.note(DAMAGED, Path(error.filename or root), f"it cannot be read ({error.strerror})")
    return health


def _examine(health: StoreHealth, directory: StoreDirectory) -> None:
    root = health.root
    try:
        if directory.read_marker() is None:
            health.note(MISSING, root / "STORE.json", "the file that marks the store is not there")
    except ForeignStore as error:
        is_newer = "has format" in error.message
        health.note(
            FOREIGN,
            root / "STORE.json",
            "it is of a newer zennb" if is_newer else "it is not what zennb wrote",
        )
        if is_newer:
            return
    except OSError as error:
        health.note(DAMAGED, root / "STORE.json", f"it cannot be read ({error.strerror})")
    for folder in (directory.blobs, directory.parts, directory.quarantine):
        _examine_folder(health, folder)
    files = dict(blob_files(directory, health))
    obstacles = files_in_the_way(directory.database)
    for path in obstacles:
        health.note(DAMAGED, path, "it is not a file")
    if not obstacles:  # which the database would wait for
        _examine_database(health, directory, files)
    for digest, path in files.items():
        health.note(MISSING, path, "it is not in the index of the store")
        if hashes_of(path)[0] == digest:
            health.sizes[digest] = path.lstat().st_size


def blob_files(directory: StoreDirectory, health: StoreHealth | None = None) -> Iterator[tuple[str, Path]]:
    """Yield the digests and the paths of the files of large blobs; what is none of them is noted as foreign."""
    with suppress(OSError):
        for folder in sorted(directory.blobs.iterdir()):
            if folder.is_symlink() or not folder.is_dir():
                if health is not None:
                    health.note(FOREIGN, folder, "it is not a folder of blobs")
                continue
            for path in sorted(folder.iterdir()):
                if is_digest(path.name) and path.name[:2] == folder.name and is_regular(path):
                    yield path.name, path
                elif health is not None:
                    health.note(FOREIGN, path, "it is not a blob of zennb's")


def is_regular(path: Path) -> bool:
    """Return whether a file is there, and is no link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def hashes_of(path: Path) -> tuple[str, str]:
    """Return the sha-256 and the xxh3-128 of a file; "" for both when it cannot be read."""
    sha, quick = hashlib.sha256(), xxh3_128()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                sha.update(block)
                quick.update(block)
    except OSError:
        return "", ""
    return sha.hexdigest(), quick.hexdigest()


def first_bytes(path: Path, count: int) -> bytes:
    """Return the beginning of a file; nothing when it cannot be read."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(count)
    return b""


def rows_of(connection: sqlite3.Connection) -> Iterator[tuple[str, Row]]:
    """Yield digest and row of everything that can be read in the database of a store, also behind damaged pages.

    Raises:
        sqlite3.Error: another process holds it, or there is no room to read it.
    """
    sql = "SELECT rowid, key, raw, mode, filename, value, tag FROM Cache NOT INDEXED WHERE rowid > ? ORDER BY rowid"
    last, step = 0, 0
    while step < _SKIPPED:
        try:
            for number, key, raw, mode, filename, value, tag in connection.execute(sql, (last + step,)):
                last, step = number, 0
                if raw == 1 and is_digest(key):
                    is_ours = mode == 1 and filename is None and isinstance(value, bytes)
                    yield key, Row.read(value if is_ours else None, tag)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_passing(error):
                raise
            step = step * 2 or 1
        else:
            return


class Values:
    """The content of a store, read without opening the store. Use it as a context manager.

    Args:
        root: the store's directory.
    """

    def __init__(self, root: Path) -> None:
        self._directory = StoreDirectory(root)
        self._snapshot: Snapshot | None = None

    def __enter__(self) -> Self:
        if is_regular(self._directory.database):
            with skipping_damage():
                self._snapshot = open_snapshot(self._directory.database)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._snapshot is not None:
            self._snapshot.close()

    def starting_with(self, start: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield digest and content of all that begins with these bytes and is intact."""
        if self._snapshot is not None:
            with skipping_damage():
                for digest, row in rows_of(self._snapshot.connection):
                    if not row.is_file and row.content.startswith(start) and not row.fault_as(digest):
                        yield digest, row.content
        for digest, path in blob_files(self._directory):
            if first_bytes(path, len(start)) == start and hashes_of(path)[0] == digest:
                yield digest, path.read_bytes()

    def get(self, digest: str) -> bytes:
        """Return the content of something that `starting_with` has named."""
        if self._snapshot is not None:
            sql = "SELECT value FROM Cache WHERE key = ? AND raw = 1"
            found = self._snapshot.connection.execute(sql, (digest,)).fetchone()
            if found is not None and found[0]:
                return bytes(found[0])
        return (self._directory.blobs / digest[:2] / digest).read_bytes()


def _examine_folder(health: StoreHealth, folder: Path) -> None:
    if folder.is_symlink():
        health.note(FOREIGN, folder, "it is a symbolic link where the store needs a folder")
    elif not folder.exists():
        health.note(MISSING, folder, "the folder is not there")
    elif not folder.is_dir():
        health.note(FOREIGN, folder, "it is a file where the store needs a folder")
    elif not os.access(folder, os.R_OK | os.X_OK):
        health.note(DAMAGED, folder, "it cannot be read (Permission denied)")


def _examine_database(health: StoreHealth, directory: StoreDirectory, files: dict[str, Path]) -> None:
    """Examine the database; the files that it lists are taken out of `files`."""
    database = directory.database
    if not is_regular(database) or not database.stat().st_size:
        what = "it is empty" if is_regular(database) else "the index of the store is not there"
        health.note(MISSING if not os.path.lexists(database) else DAMAGED, database, what)
        return
    try:
        snapshot = open_snapshot(database)
    except UNREADABLE as error:
        if is_passing(error):
            raise
        health.note(DAMAGED, database, f"it cannot be read ({error})")
        return
    with closing(snapshot):
        try:
            unknown = unknown_items(snapshot.connection)
            problems = [row[0] for row in snapshot.connection.execute("PRAGMA integrity_check(3)")]
        except UNREADABLE as error:
            if is_passing(error):
                raise
            health.note(DAMAGED, database, f"it cannot be read ({error})")
            return
        if unknown:
            health.note(FOREIGN, database, f"it contains {listing(unknown, most=3)}")
            return
        if problems != ["ok"]:
            health.note(DAMAGED, database, problems[0].partition("\n")[0])
        for digest, row in rows_of(snapshot.connection):
            _examine_row(health, directory, digest, row, files)


def _examine_row(
    health: StoreHealth, directory: StoreDirectory, digest: str, row: Row, files: dict[str, Path]
) -> None:
    path = directory.blobs / digest[:2] / digest
    if not row.is_file:
        fault = row.fault_as(digest)
        if fault:
            health.note(DAMAGED, directory.database, f"row {digest[:12]}: {fault}")
        else:
            health.sizes[digest] = row.size
            health.starts[digest] = row.content[:_START]
        return
    if files.pop(digest, None) is None:
        health.note(MISSING, path, f"{row.size:,} bytes of a blob are not there")
        return
    sha, _ = hashes_of(path)
    if sha == digest:
        health.sizes[digest] = row.size
    else:
        health.note(
            DAMAGED, path, "it cannot be read" if not sha else "its content has changed since it was stored"
        )
