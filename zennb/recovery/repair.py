"""Owns `repair_home`: it brings back what is intact in a home, and moves aside what is not. It deletes nothing."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.repair import repair_store
from zennb.core.records.findings import MISSING
from zennb.errors import ForeignStore, StoreError, StoreFull, StoreReadOnly, ZennbError
from zennb.metadata.backups import backups_in
from zennb.metadata.store import MetadataStore
from zennb.recovery.examination import Examination, database_fault, examine_home, store_roots
from zennb.recovery.lost_records import find_lost, write_again
from zennb.recovery.registered import Registered, register_again, register_models_again, registered_in
from zennb.recovery.salvage import salvage
from zennb.registry.home import MARKER, check_marker, claim
from zennb.registry.workspace import Workspace
from zennb.sqlite_files import FAMILY, UNREADABLE, allow, files_in_the_way, files_of_others, is_full

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.materializers.signer import Signer

__all__ = ["Repair", "repair_home"]

ASIDE = "damaged"
"""The folder of the home that takes what cannot be repaired, a dated folder per repair."""


@dataclass(slots=True, kw_only=True)
class Repair:
    """What was done.

    Attributes:
        done: what was done, one sentence each; empty when nothing had to be.
        aside: where damaged files are now; None when none had to be moved.
        after: what is found in the home now.
    """

    done: list[str] = field(default_factory=list)
    aside: Path | None = None
    after: Examination

    @property
    def is_well(self) -> bool:
        """Whether the home works again; values whose bytes are gone stay gone."""
        return all(not each.is_wrong or each.kind == MISSING for each in self.after.findings)


class _Aside:
    """Moves files to a dated folder of the home, which is made when it is needed."""

    def __init__(self, home: Path) -> None:
        self._folder = home / ASIDE / time.strftime("%Y-%m-%d-%H%M%S")
        self.is_used = False

    @property
    def folder(self) -> Path | None:
        return self._folder if self.is_used else None

    def __call__(self, path: Path) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.is_used = True
        target = self._folder / path.name
        if os.path.lexists(target):
            target = self._folder / f"{path.name}-{uuid.uuid4().hex[:8]}"
        shutil.move(path, target)  # an artifact store may be on another disk than the home
        return target


def repair_home(home: Path, *, signer: Signer) -> Repair:
    """Repair a home that no process of yours has open; one that is well is left as it is.

    The records come from the first of these that is intact: `metadata.db` itself, a backup, the signed copies beside
    the values. Copies also complete the first two.

    Args:
        home: its directory.
        signer: knows this user's signature: only records that this user made are written again.

    Raises:
        StoreReadOnly: nothing can be written there.
        StoreFull: there is no room for it.
        StoreError: it is of a newer zennb, or something keeps it from being repaired.
    """
    try:
        return _repaired(home, signer)
    except UNREADABLE as error:
        if isinstance(error, ZennbError):
            raise
        if is_full(error):
            raise StoreFull(
                f"there is no room to repair {home} ({error}): make room on its disk, then type "
                "`zennb doctor --repair` again. Nothing was deleted."
            ) from error
        raise StoreError(
            f"{home} could not be repaired completely ({error}); see to that, then type `zennb doctor --repair` again: "
            "nothing was deleted."
        ) from error


def _repaired(home: Path, signer: Signer) -> Repair:
    done = _make_accessible(home)
    aside = _Aside(home)
    done += _repair_marker(home, aside)
    database = home / "metadata.db"
    done += _make_database_accessible(database)
    done += [f"{path} was not a file and is now {aside(path)}." for path in files_in_the_way(database)]
    for path in backups_in(home):
        if database_fault(path):
            done.append(f"the backup {path} was damaged and is now {aside(path)}.")
    fault = database_fault(database)
    if "newer zennb" in fault:
        raise ForeignStore(f"{database} is of a newer zennb; run `pip install --upgrade zennb`.")
    backup = next(iter(backups_in(home)), None)
    roots = store_roots(home, [path for path in (database, backup) if path is not None])
    for root in roots:
        if os.path.lexists(root) or root == home / "artifacts":
            done += _repair_store(root, home, aside)
    if fault:
        done += _replace_database(database, fault, backup, roots=roots, signer=signer, aside=aside)
    else:
        done += _complete_records(database, roots, Registered(), signer, is_new=False, all_older=False)
    with closing(Workspace(home)):  # it opens, and has its default stack
        pass
    return Repair(done=done, aside=aside.folder, after=examine_home(home, signer=signer))


def _make_accessible(home: Path) -> list[str]:
    """Make sure that the home is a folder in which this user may write."""
    if os.path.lexists(home) and not home.is_dir():  # a mistyped name, of whatever file or device
        raise StoreError(
            f"{home} is not a folder, so it is not a home and was left alone; move it away, or set ZENNB_HOME to a "
            "folder."
        )
    home.mkdir(parents=True, exist_ok=True)
    done = [f"{home} was closed to you and is open again."] if allow(home) else []
    if not os.access(home, os.W_OK | os.X_OK):
        raise StoreReadOnly(f"{home} is read-only here, so it cannot be repaired.", what="the home")
    return done


def _make_database_accessible(database: Path) -> list[str]:
    family = [database.with_name(database.name + ending) for ending in FAMILY]
    allowed = [path for path in family if path.is_file() and allow(path)]
    for path in files_of_others(database):  # it may be intact
        raise StoreError(
            f"{path} is closed to you, and not yours to open; let its owner do that, then repair again."
        )
    return [f"{path} was closed to you and is open again." for path in allowed]


def _repair_marker(home: Path, aside: _Aside) -> list[str]:
    marker, done = home / MARKER, list[str]()
    if os.path.lexists(marker):
        if allow(marker):
            done.append(f"{marker} was closed to you and is open again.")
        try:
            check_marker(marker)
        except ForeignStore as error:
            if "has format" in error.message:
                raise
            done.append(f"{marker} was not what zennb wrote and is now {aside(marker)}.")
        except (OSError, UnicodeDecodeError):
            done.append(f"{marker} could not be read and is now {aside(marker)}.")
    if not os.path.lexists(marker):
        claim(home)
        done.append(f"{marker} was written again.")
    return done


def _repair_store(root: Path, home: Path, aside: _Aside) -> list[str]:
    if os.path.lexists(root) and not root.is_dir() and home not in root.parents:
        return []  # what is on record as the folder of a store may be any file or device
    try:
        return repair_store(root, aside).done
    except ForeignStore as error:
        return [f"{root} was left alone: {error.message}"]


def _move_aside(database: Path, fault: str, aside: _Aside) -> list[str]:
    """Free the place of a database that cannot be used."""
    moved = {}
    for ending in FAMILY:
        path = database.with_name(database.name + ending)
        if os.path.lexists(path):
            moved[ending] = aside(path)
    if "" not in moved:
        return [f"{database} was missing."]
    return [f"{database} was damaged ({fault}) and is now {moved['']}."]


def _replace_database(
    database: Path, fault: str, backup: Path | None, *, roots: list[Path], signer: Signer, aside: _Aside
) -> list[str]:
    """Put a new database into the place of one that cannot be used: with what it held, else with that of a backup."""
    draft = database.with_name(f"{database.name}.{uuid.uuid4().hex}")
    done: list[str] = []
    # The new one is complete before the old one goes: without room for it there would be none at all.
    try:
        registered = registered_in(database)
        lacking = salvage(database, draft)
        if lacking is not None:
            done.append(f"{database} is now a new one, with what the old one held.")
        elif backup is not None:
            shutil.copyfile(backup, draft)
            made = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.stat().st_mtime))
            done.append(f"{database} is now the backup of {made}.")
        done += _complete_records(
            draft, roots, registered, signer, is_new=lacking != frozenset(), all_older=lacking is None
        )
        done[:0] = _move_aside(database, fault, aside)
        for ending in ("-wal", ""):
            path = draft.with_name(draft.name + ending)
            if path.exists():
                path.replace(database.with_name(database.name + ending))
    finally:
        for ending in FAMILY:
            draft.with_name(draft.name + ending).unlink(missing_ok=True)
    return done


def _complete_records(
    database: Path,
    roots: list[Path],
    registered: Registered,
    signer: Signer,
    *,
    is_new: bool,
    all_older: bool,
) -> list[str]:
    """Write the records into a database that it lacks; one that is new is made."""
    done = []
    readable = None if database_fault(database) else database
    lost = find_lost(roots, readable, signer=signer, all_older=all_older)
    if lost.foreign:
        done.append(f"{lost.foreign} copies of records are not signed by you and were left out.")
    if not lost.places and not is_new:
        return done
    opened = MetadataStore(database, sign=signer.sign_record, countersign=signer.countersign)
    with closing(opened) as metadata:
        register_again(metadata, registered)
        count = write_again(metadata, lost, roots, signer=signer)
        register_again(metadata, Registered(stacks=list(lost.stacks.values())))
        models = register_models_again(metadata, registered)  # now that their artifacts are on record
        for backup in backups_in(database.parent)[:1]:
            before = registered_in(backup)
            register_again(metadata, before)
            models += register_models_again(metadata, before)
    done += [f"{count} records were written again from their copies."] if count else []
    return [*done, f"{models} versions of models were registered again."] if models else done
