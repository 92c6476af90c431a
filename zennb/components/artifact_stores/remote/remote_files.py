"""Owns `RemoteFiles`: what a remote artifact store asks of the place where its blobs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["GivenUpError", "RemoteFile", "RemoteFiles", "Upload"]


class GivenUpError(Exception):
    """The caller does not wait for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file to be written.

    Attributes:
        key: its path below the root.
        source: its content, or a local file that holds it.
        size: how many bytes it has.
    """

    key: str
    source: bytes | Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file as it is listed; `written` is None where listings have no times."""

    key: str
    size: int
    written: float | None = None


class RemoteFiles(Protocol):
    """Files below one root, by their path from there. Thread-safe; every method may raise what the library raises."""

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the sizes of those files that exist; each is asked for by name, as listings may lag behind."""

    def read(self, key: str, limit: int) -> bytes:
        """Return the first `limit` bytes of a file that is not empty.

        Raises:
            FileNotFoundError: it does not exist.
        """

    def read_all(self, keys: Sequence[str], limit: int) -> dict[str, bytes]:
        """Return the first `limit` bytes of those files that exist; all are asked for at once."""

    def names(self, folder: str, most: int) -> list[RemoteFile]:
        """Return at least the first `most` entries of a folder, without their content; keys of folders end with `/`."""

    def download(self, key: str, target: Path) -> None:
        """Write a file's content to a local file, in parts.

        Raises:
            FileNotFoundError: it does not exist.
        """

    def upload(self, uploads: Sequence[Upload]) -> None:
        """Write files. A file has its name only once it is complete; one of the same name and size is left alone."""

    def move(self, key: str, target: str) -> None:
        """Rename a file."""

    def remove(self, key: str) -> None:
        """Delete a file that exists."""

    def listed(self) -> Iterable[RemoteFile]:
        """Return all files below the root."""
