"""Owns the git state of a notebook's folder: the commit that is checked out, and whether files differ from it.

One git process returns both. It runs only in folders under version control, times out after a few seconds, starts no
file system monitor from a repository's configuration, and takes no lock that the user's own git would wait for.
"""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from zennb.errors import ZennbError

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.metadata.store import MetadataStore

__all__ = ["TIMEOUT", "Commit", "find_commit", "record_commit_later"]

TIMEOUT = 5.0
"""Seconds that git may take; a run whose git takes longer has no commit on record."""

_STATUS = (
    "git",
    "--no-optional-locks",
    "-c",
    # A repository may name a program here, and git would start it.
    "core.fsmonitor=false",
    "status",
    "--porcelain=v2",
    "--branch",
    "--untracked-files=no",
)
_COMMIT = "# branch.oid "


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The git state of a folder.

    Attributes:
        id: the commit that is checked out, hexadecimal; "" when there is none.
        dirty: whether files that git tracks differ from it, as `git describe --dirty` says it; None when unknown.
    """

    id: str = ""
    dirty: bool | None = None


def find_commit(folder: Path, *, timeout: float = TIMEOUT) -> Commit:
    """Return the commit of a folder; empty if it is in no repository, or git is missing or too slow."""
    if not _is_under_control(folder):
        return Commit()
    try:
        output = subprocess.run(
            _STATUS,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
            start_new_session=True,  # Ctrl-C means the cell, not this
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Commit()
    return _read(output.decode("utf-8", "replace"))


def record_commit_later(metadata: MetadataStore, run: int, folder: Path) -> None:
    """Find the commit of a folder in a thread of its own, and write it into the record of a run."""
    if _is_under_control(folder):
        thread = threading.Thread(
            target=partial(_record, metadata, run, folder), name="zennb-git", daemon=True
        )
        with suppress(RuntimeError):  # the process may start no more threads: the run has no commit on record
            thread.start()


def _record(metadata: MetadataStore, run: int, folder: Path) -> None:
    found = find_commit(folder)
    if found.id:
        with suppress(ZennbError, RuntimeError):  # closed or busy: the run has no commit on record
            metadata.set_commit(run, found.id, dirty=found.dirty)


def _is_under_control(folder: Path) -> bool:
    # Not `Path.exists`, which raises where a folder above must not be entered.
    return any(os.path.exists(place / ".git") for place in (folder, *folder.absolute().parents))  # noqa: PTH110


def _read(text: str) -> Commit:
    lines = text.splitlines()
    commit = next((line.removeprefix(_COMMIT) for line in lines if line.startswith(_COMMIT)), "")
    if not commit.isalnum():  # "(initial)": nothing was ever committed
        return Commit()
    return Commit(id=commit, dirty=any(not line.startswith("#") for line in lines))
