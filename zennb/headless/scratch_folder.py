"""Owns `ScratchFolder`: a copy of a notebook's folder for checks, so that every run starts with the same files."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ScratchFolder"]

LEFT_OUT = frozenset(
    {".git", ".hg", ".svn", ".zennb", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints"}
)
MEGABYTE = 1_000_000
MOST_FILES = 20_000


class ScratchFolder:
    """A copy of a folder that can be restored to the original state, always at the same path.

    Args:
        original: the folder; it is never changed, except through links that lead out of the copy.
        place: an empty directory for the copy, which bears the name of the original.
        limit: how much is copied at most, in megabytes.

    Raises:
        StepRefused: the folder holds more than that.
    """

    def __init__(self, original: Path, place: Path, *, limit: float) -> None:
        self._original = original.resolve()
        self.folder = place / (self._original.name or "root")
        self._check(limit)

    def restore(self) -> None:
        """Make the copy equal to the original."""
        # At the same path each time, since notebooks show paths.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for directory, folders, files in self._walk():
            there = self.folder / directory.relative_to(self._original)
            for name in folders:
                self._copy_directory(directory / name, there / name)
            for name in files:
                self._copy_file(directory / name, there / name)

    def _walk(self) -> Iterator[tuple[Path, list[str], list[str]]]:
        for directory, folders, files in os.walk(self._original):
            # In place: this is how `os.walk` is told where not to go.
            folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
            yield Path(directory), folders, sorted(files)

    def _check(self, limit: float) -> None:
        size = count = 0
        for directory, _, files in self._walk():
            count += len(files)
            size += sum(file.lstat().st_size for file in map(directory.joinpath, files))
            if size > limit * MEGABYTE or count > MOST_FILES:
                seen = f"{size / MEGABYTE:,.0f} MB" if size > limit * MEGABYTE else f"{count:,} files"
                raise StepRefused(
                    f"the folder {self._original} holds more than is copied for a check (at least {seen}; at most "
                    f"{limit:g} MB in {MOST_FILES:,} files). Put the notebook and what it reads into a folder of "
                    "its own, or allow more with `--limit MB`."
                )

    def _copy_directory(self, source: Path, target: Path) -> None:
        if source.is_symlink():
            self._copy_link(source, target)
        else:
            target.mkdir()

    def _copy_file(self, source: Path, target: Path) -> None:
        if source.is_symlink():
            self._copy_link(source, target)
        elif source.is_file():  # pipes and sockets are not copied
            with suppress(PermissionError):  # the notebook cannot read it either
                shutil.copy2(source, target)

    def _copy_link(self, source: Path, target: Path) -> None:
        """Copy a link inside the folder as it is; one that leads out keeps leading there."""
        end = Path(os.path.realpath(source))  # `resolve` raises where links lead in a circle
        inside = self._original in end.parents and not source.readlink().is_absolute()
        target.symlink_to(source.readlink() if inside else end)
