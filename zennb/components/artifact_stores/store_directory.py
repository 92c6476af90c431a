"""Owns the directory of a local artifact store: its files, and the marker file that identifies it."""

from __future__ import annotations

import errno
import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json, read_file
from zennb.errors import ForeignStore, listing

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["StoreDirectory", "publish", "remove_part"]

_MARKER = "STORE.json"
_LARGEST = 65_536
_KIND = "zennb artifact store"
_DATABASE = frozenset({"cache.db", "cache.db-journal", "cache.db-shm", "cache.db-wal"})
_OURS = _DATABASE | {_MARKER, "blobs", "quarantine", "tmp"}
_HARMLESS = frozenset({".gitignore", "CACHEDIR.TAG", "lost+found", ".DS_Store"})


class StoreDirectory:
    """The directory of one store.

    Args:
        root: where it is or shall be.
    """

    format = 1
    """The layout this version writes; a store with a higher number is refused."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "cache.db"
        self.blobs = root / "blobs"
        self.parts = root / "tmp"
        self.quarantine = root / "quarantine"

    def read_marker(self) -> dict[str, Any] | None:
        """Return the content of `STORE.json`, or None when there is none.

        Raises:
            ForeignStore: it is not one of ours, or of a newer format.
        """
        path = self.root / _MARKER
        try:
            marker = parse_json(read_file(path, limit=_LARGEST))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError):
            marker = None
        except OSError as error:
            if error.errno not in {errno.EFBIG, errno.EINVAL, errno.EISDIR}:
                raise
            marker = None  # no file, or a very large one
        if (
            not isinstance(marker, dict)
            or marker.get("kind") != _KIND
            or not isinstance(marker.get("format"), int)
        ):
            raise ForeignStore(
                f"{path} does not say that {self.root} is an artifact store of zennb; nothing was changed. "
                "Choose another directory (--path=DIRECTORY); if it is a store of yours, `zennb doctor --repair` "
                "writes the file again."
            )
        if marker["format"] > self.format:
            raise ForeignStore(
                f"The artifact store {self.root} has format {marker['format']}; this version of zennb knows "
                f"formats up to {self.format}. Upgrade it: pip install -U zennb"
            )
        return marker

    def write_marker(self) -> None:
        """Mark the directory as ours; the first writer wins."""
        marker = {"kind": _KIND, "format": self.format, "uuid": str(uuid.uuid4())}
        part = self.parts / f"{os.getpid()}-{uuid.uuid4().hex}.part"
        with part.open("xb") as file:
            file.write(json.dumps(marker, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # Complete before it has its name: a marker that is cut short would make the store unusable.
        publish(part, self.root / _MARKER)
        part.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the directory and its folders; refuse one that holds other files.

        Raises:
            ForeignStore: there are files that are not ours.
            OSError: it cannot be made or written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self.read_marker() is None:
                self.refuse_other_files()
        except FileExistsError as error:
            raise ForeignStore(
                f"{self.root} is a file, not a directory; choose another place for the artifact store."
            ) from error
        for folder in (self.blobs, self.parts, self.quarantine):
            self._make_folder(folder)

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except FileExistsError as error:
            raise ForeignStore(
                f"{folder} is a file where the artifact store needs a folder; nothing was changed. "
                "`zennb doctor --repair` moves it aside."
            ) from error
        if folder.is_symlink():
            raise ForeignStore(
                f"{folder} is a symbolic link; an artifact store does not follow links out of its directory. "
                "Nothing was read or changed. Remove the link, or choose another directory."
            )

    def refuse_other_files(self) -> None:
        """Refuse a directory in which there are files that are not of a store.

        Raises:
            ForeignStore: there are.
        """
        unknown = sorted({entry.name for entry in self.root.iterdir()} - _OURS - _HARMLESS)
        if unknown:
            raise ForeignStore(
                f"{self.root} holds other files ({listing(unknown, most=3)}) and is not an artifact store; "
                "nothing was changed. Choose an empty directory or a new one."
            )


def publish(part: Path, target: Path) -> bool:
    """Give the finished file `part` its final name; return False if a file of that name exists.

    Where hard links work `part` stays, so it can be published again. Its content is synced to disk; the name follows
    within seconds. If a power failure loses the name, the artifact is missing and its step runs again.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            return False
        part.replace(target)
    return True


def remove_part(part: Path) -> None:
    """Remove an unfinished file, or the folder of a database that was never finished."""
    if part.is_dir() and not part.is_symlink():
        for name in _DATABASE:
            (part / name).unlink(missing_ok=True)
        part.rmdir()
    else:
        part.unlink(missing_ok=True)
