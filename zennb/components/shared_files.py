"""Owns `SharedFiles`: small named files that lie beside the blobs of an artifact store which several people reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ListedFile", "SharedFiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One entry of a folder.

    Attributes:
        name: without the folder.
        written: in seconds since the epoch; 0.0 where listings have no times.
        is_folder: whether it is a folder.
    """

    name: str
    written: float = 0.0
    is_folder: bool = False


class SharedFiles(Protocol):
    """Small files by name. Everybody who reaches the store can write them: nothing in them can be relied on.

    Thread-safe. Every method may raise `StoreError`.

    Attributes:
        only_trusted: whether nothing of people who are not trusted is to be reused, not even data.
    """

    only_trusted: bool

    def create(self, files: Mapping[str, bytes]) -> None:
        """Write files, side by side; each gets its name only once it is complete, and one that exists is left alone."""

    def listed(self, folder: str, *, most: int) -> list[ListedFile]:
        """Return at most so many entries of a folder, the first in the order of names; none if there is no folder."""

    def read(self, names: Iterable[str], *, most: int) -> dict[str, bytes]:
        """Return the content of those files that exist and have at most so many bytes; all are asked for at once."""
