"""Owns the directory of a local artifact store: what belongs in it, and the card that says it is ours."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from zennb.errors import ForeignStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["StoreDirectory", "publish"]

_CARD = "STORE.json"
_KIND = "zennb artifact store"
_DATABASE = frozenset({"cache.db", "cache.db-journal", "cache.db-shm", "cache.db-wal"})
_OURS = _DATABASE | {_CARD, "blobs", "quarantine", "tmp"}
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

    def read_card(self) -> dict[str, Any] | None:
        """Return what `STORE.json` says, or None when there is none.

        Raises:
            ForeignStore: it is not one of ours, or of a newer format.
        """
        path = self.root / _CARD
        try:
            card = json.loads(path.read_bytes()[:65536])
        except FileNotFoundError:
            return None
        except ValueError:
            card = None
        if not isinstance(card, dict) or card.get("kind") != _KIND or not isinstance(card.get("format"), int):
            raise ForeignStore(
                f"{path} does not say that {self.root} is an artifact store of zennb; nothing was changed. "
                "Choose another directory (--path=DIRECTORY), or restore the file from a backup."
            )
        if card["format"] > self.format:
            raise ForeignStore(
                f"The artifact store {self.root} has format {card['format']}; this version of zennb knows "
                f"formats up to {self.format}. Upgrade it: pip install -U zennb"
            )
        return card

    def write_card(self) -> None:
        """Say that the directory is ours; the first writer wins."""
        card = {"kind": _KIND, "format": self.format, "uuid": str(uuid.uuid4())}
        part = self.parts / f"{os.getpid()}-{uuid.uuid4().hex}.part"
        with part.open("xb") as file:
            file.write(json.dumps(card, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        publish(part, self.root / _CARD)
        part.unlink(missing_ok=True)

    def prepare(self) -> None:
        """Make the directory and its rooms; refuse one that holds something else.

        Raises:
            ForeignStore: there are files that are not ours.
            OSError: it cannot be made or written to.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self.read_card() is None:
                self._refuse_strangers()
        except FileExistsError as error:
            raise ForeignStore(
                f"{self.root} is a file, not a directory; choose another place for the artifact store."
            ) from error
        for room in (self.blobs, self.parts, self.quarantine):
            self._make(room)

    def _make(self, room: Path) -> None:
        room.mkdir(exist_ok=True)
        if room.is_symlink():
            raise ForeignStore(
                f"{room} is a symbolic link; an artifact store does not follow links out of its directory. "
                "Nothing was read or changed. Remove the link, or choose another directory."
            )

    def _refuse_strangers(self) -> None:
        strangers = sorted({entry.name for entry in self.root.iterdir()} - _OURS - _HARMLESS)
        if strangers:
            shown = ", ".join(strangers[:3]) + (", ..." if len(strangers) > 3 else "")
            raise ForeignStore(
                f"{self.root} holds other files ({shown}) and is no artifact store; nothing was changed. "
                "Choose an empty directory or a new one."
            )


def publish(part: Path, target: Path) -> bool:
    """Give the finished file `part` its final name; say whether it was the first of that name.

    `part` stays where hard links work, so that it can be published again. Its content is on the disk; the name gets
    there within seconds: a name that a power failure took is a missing artifact, and its step runs again.
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
