"""Owns the home directory: finding it, and the marker file that identifies it."""

from __future__ import annotations

import json
import os
import uuid
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json, read_file
from zennb.components.artifact_stores.store_directory import publish
from zennb.errors import ForeignStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORMAT",
    "MARKER",
    "abbreviated",
    "check_marker",
    "check_records",
    "claim",
    "data_directory",
    "find_home",
    "initialise",
    "working_folder",
]

FORMAT = 1
"""Format of a home; increased only when an older zennb must not write to it."""

MARKER = "STORE.json"
"""The file that identifies a home."""

_LARGEST = 65_536
_LOCAL = ".zennb"


def find_home(start: Path | None = None) -> Path:
    """Return the home's directory, which may not exist yet.

    `ZENNB_HOME` if set, else the nearest `.zennb/` from `start` upwards, else `zennb/` in Jupyter's data
    directory.

    Args:
        start: where to start, e.g. the notebook's directory; the working directory when None.

    Raises:
        StoreError: there is no working directory any more.
    """
    chosen = os.environ.get("ZENNB_HOME", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    start = (start or working_folder()).absolute()
    nearest = next((found for place in (start, *start.parents) if (found := place / _LOCAL).is_dir()), None)
    return nearest or data_directory()


def abbreviated(places: Mapping[str, str]) -> dict[str, str]:
    """Return directories as people write them: `~/work` for those in the user's own."""
    own = os.path.expanduser("~").rstrip(os.sep) + os.sep  # noqa: PTH111 - no path, but how one begins
    return {
        kind: f"~{os.sep}{path.removeprefix(own)}" if own != os.sep and path.startswith(own) else path
        for kind, path in places.items()
    }


def working_folder() -> Path:
    """Return the working folder.

    Raises:
        StoreError: it was deleted, and nothing can be found from there.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise StoreError(
            "the working folder does not exist any more, so files cannot be found from there; change to one that does "
            "(`cd FOLDER`), then try again."
        ) from error


def data_directory() -> Path:
    """Return this user's own directory for zennb, inside Jupyter's data directory."""
    from jupyter_core.paths import jupyter_data_dir

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Jupyter warns about a future change of its own paths
        return Path(jupyter_data_dir()).absolute() / "zennb"


def initialise(directory: Path) -> Path:
    """Make `.zennb/` in a directory, ignored by git, and return it; an existing one is kept.

    Raises:
        StoreError: it cannot be made.
        ForeignStore: the existing one was written by a newer zennb.
    """
    home = directory.absolute() / _LOCAL
    claim(home)
    try:
        with suppress(FileExistsError), (home / ".gitignore").open("x", encoding="utf-8") as file:
            file.write(
                "# Made by zennb: everything here can be large and is only of use on this machine.\n*\n"
            )
    except OSError as error:
        raise _unusable(home, error) from error
    return home


def claim(home: Path) -> str:
    """Make `home` if it is missing, write its marker file, and return its uuid.

    Raises:
        StoreError: it cannot be made or read.
        ForeignStore: it was written by a newer zennb, or its marker is damaged.
    """
    marker = home / MARKER
    try:
        if not home.is_dir():  # of a read-only home, not even that is tried
            home.mkdir(parents=True, exist_ok=True)
        if not marker.exists():
            _publish(marker, {"format": FORMAT, "uuid": str(uuid.uuid4())})
        return check_marker(marker)
    except StoreError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(home, error) from error


def _unusable(home: Path, error: Exception) -> StoreError:
    return StoreError(
        f"zennb's home {home} cannot be used ({error}); set ZENNB_HOME to a directory you can write to. "
        "`zennb doctor` says more."
    )


def check_records(home: Path) -> None:
    """Refuse a home that has lost its records: a new, empty database would hide that.

    Raises:
        StoreError: `metadata.db` is missing or empty, and there are stored artifacts or backups beside it.
    """
    database = home / "metadata.db"
    if database.exists() and database.stat().st_size:
        return
    if (home / "artifacts" / "cache.db").exists() or any((home / "backups").glob("metadata-*.db")):
        what = "is empty" if database.exists() else "is missing"
        raise StoreError(
            f"zennb's home {home} has lost its records: metadata.db {what}, and stored artifacts are there. "
            "`zennb doctor --repair` brings back what is intact; to begin anew, move the whole directory away."
        )


def _publish(marker: Path, content: dict[str, Any]) -> None:
    """Write the marker whole or not at all; if another process was first, its marker stays."""
    draft = marker.with_name(f"{marker.name}.{uuid.uuid4().hex}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        publish(draft, marker)
    finally:
        draft.unlink(missing_ok=True)


def check_marker(marker: Path) -> str:
    """Return the uuid in a marker file.

    Raises:
        ForeignStore: it is damaged, or of a newer format.
        OSError, UnicodeDecodeError: it cannot be read, is no file, or is too large.
    """
    text = read_file(marker, limit=_LARGEST).decode("utf-8")
    try:
        content = parse_json(text)
        found, identity = int(content["format"]), str(content["uuid"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ForeignStore(
            f"{marker} is not what zennb wrote; if {marker.parent} is a home of yours, `zennb doctor --repair` writes "
            "the file again, or set ZENNB_HOME to another directory."
        ) from error
    if found > FORMAT:
        raise ForeignStore(
            f"zennb's home {marker.parent} has format {found}, written by a newer zennb; this one knows "
            f"formats up to {FORMAT}: run `pip install --upgrade zennb`, or set ZENNB_HOME to another place."
        )
    return identity
