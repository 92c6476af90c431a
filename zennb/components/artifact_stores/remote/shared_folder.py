"""Owns `SharedFolder`: files of a file system that can rename; each is written under a temporary name first."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from zennb.components.artifact_stores.remote.listing import listed_entry, remote_file
from zennb.components.long_calls import long_call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from zennb.components.artifact_stores.remote.remote_files import RemoteFile, Upload

__all__ = ["SharedFolder"]


class SharedFolder:
    """Files below one folder of a file system of fsspec.

    Args:
        filesystem: of fsspec.
        root: the folder.
        label: what to call it in displays.
    """

    def __init__(self, filesystem: Any, root: str, *, label: str) -> None:
        self._filesystem, self._root, self._label = filesystem, root, label

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the sizes of those files that exist."""
        found = {key: self._size(key) for key in keys}
        return {key: size for key, size in found.items() if size is not None}

    def read(self, key: str, limit: int) -> bytes:
        """Return the first bytes of a file."""
        return bytes(self._filesystem.cat_file(self._path(key), start=0, end=limit))

    def read_all(self, keys: Sequence[str], limit: int) -> dict[str, bytes]:
        """Return the first bytes of those files that exist."""
        found = {}
        for key in keys:
            with suppress(FileNotFoundError):
                found[key] = self.read(key, limit)
        return found

    def names(self, folder: str, most: int) -> list[RemoteFile]:
        """Return the entries of a folder."""
        del most  # a folder is listed as a whole
        try:
            entries = self._filesystem.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        return [listed_entry(self._root, details) for details in entries]

    def download(self, key: str, target: Path) -> None:
        """Write a file's content to a local file."""
        with long_call(f"reading from {self._label}"):
            self._filesystem.get_file(self._path(key), str(target))

    def upload(self, uploads: Sequence[Upload]) -> None:
        """Write files one after another."""
        for each in uploads:
            if self._size(each.key) != each.size:
                with long_call(f"writing to {self._label}"):
                    self._write(each)

    def move(self, key: str, target: str) -> None:
        """Rename a file."""
        self._make_folder(target)
        self._rename(self._path(key), self._path(target))

    def remove(self, key: str) -> None:
        """Delete a file."""
        self._filesystem.rm_file(self._path(key))

    def listed(self) -> Iterator[RemoteFile]:
        """Yield all files below the root."""
        found = self._filesystem.find(self._root, detail=True)
        return (remote_file(self._root, details) for details in found.values())

    def _write(self, upload: Upload) -> None:
        # Never `open(path, "wb")` on the final name: an exception in its block closes the file, and closing
        # publishes what was written until then.
        part = f"tmp/{uuid.uuid4().hex}.part"
        self._make_folder(part)
        self._make_folder(upload.key)
        try:
            if isinstance(upload.source, bytes):
                self._filesystem.pipe_file(self._path(part), upload.source)
            else:
                self._filesystem.put_file(str(upload.source), self._path(part))
            self._rename(self._path(part), self._path(upload.key))
        except BaseException:
            with suppress(Exception):
                self._filesystem.rm_file(self._path(part))
            raise

    def _rename(self, old: str, new: str) -> None:
        if self._renames:
            self._filesystem.mv(old, new)
        else:  # what fsspec has for all file systems: `mv` would take `[` in a path for a pattern
            self._filesystem.cp_file(old, new)
            self._filesystem.rm_file(old)

    @property
    def _renames(self) -> bool:
        from fsspec import AbstractFileSystem

        return type(self._filesystem).mv is not AbstractFileSystem.mv

    def _size(self, key: str) -> int | None:
        try:
            found = self._filesystem.info(self._path(key))
        except FileNotFoundError:
            return None
        return int(found["size"]) if found.get("type") == "file" else None

    def _make_folder(self, key: str) -> None:
        self._filesystem.makedirs(self._path(key).rpartition("/")[0], exist_ok=True)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"
