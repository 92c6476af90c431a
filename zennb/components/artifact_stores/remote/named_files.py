"""Owns `NamedFiles`: small files beside the blobs of a remote artifact store, under names that callers choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.components.artifact_stores.remote.remote_files import Upload
from zennb.components.shared_files import ListedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from zennb.components.artifact_stores.remote.remote_files import RemoteFiles

__all__ = ["NamedFiles"]


class NamedFiles:
    """Small files of a remote place.

    Args:
        files: returns the open place.
        explained: translates what its library raises, given whether something is written.
        only_trusted: as `SharedFiles` says.
    """

    def __init__(
        self,
        files: Callable[[], RemoteFiles],
        explained: Callable[[bool], AbstractContextManager[None]],
        *,
        only_trusted: bool = False,
    ) -> None:
        self._files, self._explained, self.only_trusted = files, explained, only_trusted

    def create(self, files: Mapping[str, bytes]) -> None:
        """Write files, side by side; one that exists is left alone."""
        uploads = [Upload(key=name, source=content, size=len(content)) for name, content in files.items()]
        with self._explained(True):
            self._files().upload(uploads)

    def listed(self, folder: str, *, most: int) -> list[ListedFile]:
        """Return about so many entries of a folder, the first in the order of their names."""
        with self._explained(False):
            found = self._files().names(folder, most)
        entries = [
            ListedFile(
                name=each.key.rstrip("/").rpartition("/")[2],
                written=each.written or 0.0,
                is_folder=each.key.endswith("/"),
            )
            for each in found
        ]
        return sorted(entries, key=lambda each: each.name)[:most]

    def read(self, names: Iterable[str], *, most: int) -> dict[str, bytes]:
        """Return the content of those files that exist and have at most so many bytes."""
        with self._explained(False):
            found = self._files().read_all(list(names), most + 1)
        return {name: content for name, content in found.items() if len(content) <= most}
