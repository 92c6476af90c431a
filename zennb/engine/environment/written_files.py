"""Owns `WrittenFiles`: what a step creates, changes or removes, and which of it somebody else changes meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zennb.engine.environment.file_events import REMOVE, WriteWatch
from zennb.engine.environment.files import Signature, listing, signature, state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from zennb.engine.environment.writer_watch import WriterWatch

__all__ = ["WrittenFiles"]

_CLEARING = frozenset({"shutil.rmtree", "os.rmdir", "os.removedirs"})


class WrittenFiles:
    """The files and folders that one step creates, changes or removes."""

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}
        self._folders: set[str] = set()
        self._cleared: set[str] = set()
        self._watch: WriteWatch | None = None  # most steps write nothing
        self._contested: set[str] = set()
        self._ends: dict[str, Signature | None] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __contains__(self, path: str) -> bool:
        return path in self._paths

    def add(self, path: str, how: int = 0, others: Iterable[WrittenFiles] = ()) -> None:
        """Note that a path is about to change.

        Args:
            path: absolute.
            how: how the change of a file ends, as in `file_events`; 0 for folders and links, which are not followed.
            others: those of steps that run at the same time, and may have written it before.
        """
        self._paths[path] = None
        if how == REMOVE:
            self._cleared.add(path)
        if how:
            if self._watch is None:
                self._watch = WriteWatch()
            self._watch.announce(path, how)
            for other in others:
                if path in other:
                    other._contested.add(path)  # noqa: SLF001 - another of this class

    def moved(self, source: str, target: str) -> None:
        """Note that a file is about to be moved; what somebody else changed in it, moves with it."""
        if self._watch is not None:
            self._watch.follow(source, target)
        if source in self._contested:
            self._contested.add(target)

    def note_folder(self, path: str) -> None:
        """Note that a folder is about to be made, if there is none."""
        if not os.path.isdir(path):
            self._folders.add(path)

    def update(self, paths: Collection[str], *, beside: Iterable[str]) -> None:
        """Note what was written out of sight.

        Args:
            paths: absolute.
            beside: the texts of steps that ran at the same time. Of what they name, nobody can tell whose it is.
        """
        self._paths.update(dict.fromkeys(paths))
        self._contested |= {path for path in paths if _is_named(path, beside)}

    def states(self, modules: Iterable[str]) -> dict[str, str]:
        """Return path → current state; of a folder that the step clears before it makes it, what it contains.

        Whatever else is in such a folder when the step is to be reused, the step would have removed.

        Args:
            modules: what the step's code uses of modules: `shutil.rmtree`, `np`. It may remove what is not there yet.
        """
        clears = not _CLEARING.isdisjoint(modules)
        return {path: self._state(path, clears=clears) for path in self._paths}

    def _state(self, path: str, *, clears: bool) -> str:
        found = state(path)
        is_cleared = clears or any(path == each or path.startswith(each + os.sep) for each in self._cleared)
        return listing(path) if found == "folder" and is_cleared else found

    def covers(self, path: str) -> bool:
        """Whether a path, or a folder that it lies in, was written."""
        return any(path == each or path.startswith(each + os.sep) for each in self._paths)

    def is_new(self, path: str) -> bool:
        """Whether a path is a folder that was made, or lies in one."""
        return any(path == each or path.startswith(each + os.sep) for each in self._folders)

    def names_in(self, folder: str) -> frozenset[str]:
        """Return the names of what was written in a folder."""
        return frozenset(os.path.basename(each) for each in self._paths if os.path.dirname(each) == folder)

    def accounts_for(self, path: str) -> bool:
        """Whether all that happened to a file until now is this step's: another one beside it did not write it."""
        if self._watch is None or path in self._contested:
            return False
        if self._ends is None:
            return self._watch.is_settled(path)
        return (
            path in self._ends and self._ends[path] == signature(path) and not self._watch.is_disturbed(path)
        )

    def disturbed(self, writers: WriterWatch, *, beside: Collection[str]) -> set[str]:
        """End watching, and return what somebody else changed as well.

        Asked at the very end, after the files were read: what others write until then would be taken for the step's.

        Args:
            writers: tells which processes changed files.
            beside: as for `update`.
        """
        if self._watch is not None:
            self._ends = {path: signature(path) for path in self._paths if self._watch.is_settled(path)}
            self._watch.stop()
        writers.stop()
        return {
            path
            for path in self._paths
            if path in self._contested or self._is_disturbed(path, writers, beside)
        }

    def _is_disturbed(self, path: str, writers: WriterWatch, beside: Collection[str]) -> bool:
        is_changed = self._watch is not None and self._watch.is_disturbed(path)
        # What compiled code of the step itself writes was not announced either, but so was that of steps beside it.
        is_own = writers.is_own(path) and not _is_named(path, beside)
        return (is_changed and not is_own) or writers.is_shared(path)


def _is_named(path: str, texts: Iterable[str]) -> bool:
    return any(os.path.basename(path) in text for text in texts)
