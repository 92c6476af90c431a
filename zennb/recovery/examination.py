"""Owns `examine_home`: what is damaged, missing, foreign or unreferenced in a home and its local artifact stores."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.bounded_input import parse_json
from zennb.components.artifact_stores.health import StoreHealth, examine_store, first_bytes
from zennb.core.records.findings import DAMAGED, FOREIGN, MISSING, UNREFERENCED, Finding
from zennb.core.records.records import ComponentSpec
from zennb.errors import ForeignStore, StoreBusy, StoreError, StoreFull
from zennb.metadata.backups import backups_in
from zennb.metadata.migrations import needs_work
from zennb.metadata.schema_check import schema_fault
from zennb.recovery.lost_records import find_lost
from zennb.recovery.record_copies import MAGIC
from zennb.registry.home import MARKER, check_marker
from zennb.registry.pool import place
from zennb.sqlite_files import UNREADABLE, files_in_the_way, is_busy, is_full, is_passing, open_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.materializers.signer import Signer

__all__ = ["Examination", "database_fault", "examine_home", "store_roots"]

_MOST = 20
"""Blobs that are named one by one; of more, the number is given."""

_UNDER_WAY = 60.0
"""Seconds within which a kernel that has stored the copy of a record also writes the record."""

_LOCAL_BLOBS = """
SELECT a.blob, a.name || ' v' || a.version, a.size FROM artifacts a
JOIN steps s ON s.id = a.step LEFT JOIN runs r ON r.id = s.run LEFT JOIN texts t ON t.id = r.snapshot
WHERE coalesce(json_extract(t.text, '$.components.artifact_store.flavor'), 'local') = 'local'
"""
_LOCAL_PARTS = _LOCAL_BLOBS.replace("SELECT a.blob,", "SELECT p.value,").replace(
    "FROM artifacts a\n",
    "FROM artifacts a JOIN artifact_details x ON x.artifact = a.id JOIN texts l ON l.id = x.parts "
    "JOIN json_each(l.text) p\n",
)
_OTHER_BLOBS = """
SELECT displays FROM steps WHERE displays != '' UNION
SELECT json_extract(carried, '$.blob') FROM step_details WHERE carried IS NOT NULL
"""


@dataclass(slots=True, kw_only=True)
class Examination:
    """What was found in a home.

    Attributes:
        home: its directory.
        exists: whether there is one.
        findings: what is not as zennb left it.
        records: how many runs, steps and artifacts are on record; empty when the records cannot be read.
        stores: the local artifact stores.
        backups: the backups that can be read, newest first.
    """

    home: Path
    exists: bool = True
    findings: list[Finding] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    stores: list[StoreHealth] = field(default_factory=list)
    backups: list[Path] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to repair."""
        return not any(each.is_wrong for each in self.findings)

    def note(self, kind: str, path: Path, what: str, *, is_lost: bool = False) -> None:
        """Add a finding; `is_lost` says that no repair brings it back."""
        self.findings.append(Finding(kind=kind, path=str(path), what=what, is_lost=is_lost))


def examine_home(home: Path, *, signer: Signer | None = None) -> Examination:
    """Read everything in a home and its local artifact stores, and change nothing.

    Args:
        home: its directory.
        signer: knows this user's signature, with which the copies of records are found; None to leave them out.
    """
    found = Examination(home=home)
    if not os.path.lexists(home):
        found.exists = False
        return found
    if not home.is_dir():
        found.note(FOREIGN, home, "it is not a folder; move it away, or set ZENNB_HOME to a folder")
        return found
    try:
        _examine(found, signer)
    except UNREADABLE as error:
        if is_busy(error):
            raise StoreBusy(
                f"another process holds a lock in {home} ({error}); try again in a moment."
            ) from error
        if is_full(error):
            raise StoreFull(f"there is no room to read {home} ({error}); make room on its disk.") from error
        if not isinstance(error, OSError):
            found.note(DAMAGED, home / "metadata.db", f"it cannot be read ({error})")
            return found
        found.note(DAMAGED, Path(error.filename or home), f"it cannot be read ({error.strerror})")
    return found


def _examine(found: Examination, signer: Signer | None) -> None:
    home = found.home
    _examine_marker(found)
    for backup in backups_in(home):
        fault = database_fault(backup)
        if fault:
            found.note(DAMAGED, backup, fault)
        else:
            found.backups.append(backup)
    database = home / "metadata.db"
    obstacles = files_in_the_way(database)
    for path in obstacles:
        found.note(DAMAGED, path, "it is not a file")
    fault = "" if obstacles else database_fault(database)
    roots = store_roots(home, [database, *found.backups])
    found.stores = [examine_store(root) for root in roots]
    for store in found.stores:
        found.findings += store.findings
    if fault:
        kind = DAMAGED if os.path.lexists(database) else MISSING
        if kind == DAMAGED or any(store.sizes for store in found.stores) or found.backups:
            found.note(kind, database, fault)
    if fault or obstacles:
        return
    _examine_references(found, database)
    if signer is not None:
        _examine_copies(found, database, roots, signer)


def _examine_copies(found: Examination, database: Path, roots: list[Path], signer: Signer) -> None:
    """Note records that are only in their copies: a log that was removed or cut short took them with it."""
    latest = time.time() - _UNDER_WAY
    lost = [each for each in find_lost(roots, database, signer=signer).places if each[0] < latest]
    if lost:
        which = "1 record is" if len(lost) == 1 else f"{len(lost):,} records are"
        what = (
            f"{which} not in it, although the copies beside the values are there; a repair writes them again"
        )
        found.note(MISSING, database, what)


def database_fault(path: Path) -> str:
    """Return what is wrong with a database of records, as a phrase; "" when nothing is."""
    if not path.is_file():
        return "it is not a file" if os.path.lexists(path) else "the records are not there"
    if not path.stat().st_size:
        return "it is empty"
    try:
        with closing(open_snapshot(path)) as snapshot:
            connection = snapshot.connection
            if (
                needs_work(connection, path)
                and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            ):
                return "it is empty"
            fault = schema_fault(connection, path)
            if fault:
                return fault
            # `quick_check` does not look into the indexes, and through a damaged one rows are missing in lists.
            problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
            if problems == ["ok"] and connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                problems = ["records refer to records that are not there"]
    except ForeignStore as error:
        return (
            "it is of a newer zennb"
            if "has format" in error.message
            else "it is a database of another program"
        )
    except UNREADABLE as error:
        if is_passing(error):
            raise
        return f"it cannot be read ({error})"
    return "" if problems == ["ok"] else problems[0].partition("\n")[0]


def store_roots(home: Path, databases: Iterable[Path]) -> list[Path]:
    """Return the directories of the local artifact stores that a home uses, as far as it is known.

    Args:
        home: the home.
        databases: where the registered components are, if they can be read there.
    """
    found = {home / "artifacts": None}
    with suppress(OSError):
        found |= dict.fromkeys(sorted((home / "stores").iterdir()))
    for database in databases:
        found |= dict.fromkeys(_registered_roots(home, database))
    return [root for root in found if os.path.lexists(root) or root.parent != home / "stores"]


def _registered_roots(home: Path, database: Path) -> list[Path]:
    sql = "SELECT name, config FROM components WHERE type = 'artifact_store' AND flavor = 'local'"
    try:
        with closing(open_snapshot(database)) as snapshot:
            rows = snapshot.connection.execute(sql).fetchall()
        specs = [
            ComponentSpec(
                type="artifact_store", name=name, flavor="local", config=parse_json(config, bounded=True)
            )
            for name, config in rows
        ]
        return [Path(place(spec, home)) for spec in specs]
    except (*UNREADABLE, ValueError, TypeError, AttributeError) as error:
        if is_passing(error):
            raise
        return []  # then only the stores in the home itself are known


def _examine_marker(found: Examination) -> None:
    marker = found.home / MARKER
    if not os.path.lexists(marker):
        found.note(MISSING, marker, "the file that marks the home is not there")
        return
    try:
        check_marker(marker)
    except ForeignStore as error:
        is_newer = "has format" in error.message
        found.note(FOREIGN if is_newer else DAMAGED, marker, _marker_fault(is_newer=is_newer))
    except (OSError, UnicodeDecodeError, StoreError) as error:
        found.note(DAMAGED, marker, f"it cannot be read ({error})")


def _marker_fault(*, is_newer: bool) -> str:
    return "it is of a newer zennb" if is_newer else "it is not what zennb wrote"


def _examine_references(found: Examination, database: Path) -> None:
    with closing(open_snapshot(database)) as snapshot:
        connection = snapshot.connection
        for name in ("runs", "steps", "artifacts"):
            found.records[name] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        named = {blob: (label, size) for blob, label, size in connection.execute(_LOCAL_BLOBS)}
        with suppress(sqlite3.Error):  # an older format
            named = {blob: (label, size) for blob, label, size in connection.execute(_LOCAL_PARTS)} | named
        others = {str(blob) for (blob,) in connection.execute(_OTHER_BLOBS)}
        freed = set()
        with suppress(sqlite3.Error):  # an older format
            freed = {blob for (blob,) in connection.execute("SELECT blob FROM freed")}
    present = {digest: size for store in found.stores for digest, size in store.sizes.items()}
    missing = [(blob, *named[blob]) for blob in named if blob not in present and blob not in freed]
    for blob, label, size in missing[:_MOST]:
        what = f"the {size:,} bytes of {label} are in no store; its step runs again"
        found.note(MISSING, Path(blob[:12]), what, is_lost=True)
    if len(missing) > _MOST:
        what = f"the bytes of {len(missing) - _MOST} more versions are in no store"
        found.note(MISSING, database, what, is_lost=True)
    _note_unreferenced(found, present, named.keys() | others)


def _note_unreferenced(found: Examination, present: dict[str, int], referenced: set[str]) -> None:
    for store in found.stores:
        extra = [digest for digest in store.sizes if digest not in referenced]
        extra = [digest for digest in extra if not _is_copy(store, digest)]
        if extra:
            size = sum(present[digest] for digest in extra)
            found.note(UNREFERENCED, store.root, f"{len(extra)} blobs ({size:,} bytes) belong to no record")


def _is_copy(store: StoreHealth, digest: str) -> bool:
    """Whether a blob is the copy of a record, which no record names."""
    if digest in store.starts:
        return store.starts[digest] == MAGIC
    return first_bytes(store.root / "blobs" / digest[:2] / digest, len(MAGIC)) == MAGIC
