"""Owns the rows of a local store's database: the content itself, or the size of its file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.components.content import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.components.artifact_stores.blob_files import Part

__all__ = ["ROW_LIMIT", "Entry", "Foreign", "Row", "size_in", "size_of", "small"]

ROW_LIMIT = 32 * 1024
"""Bytes from which on content is a file of its own."""

_TAG = re.compile(r"(row|file):(\d{1,18})(?::([0-9a-f]{32}))?")


@dataclass(frozen=True, slots=True)
class Foreign:
    """A stored value that is not one of ours; it was not decoded."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the database records about some content.

    Attributes:
        content: the content when it is kept in the row, else empty.
        size: its size in bytes, as recorded.
        is_file: whether it is a file.
        quick: xxh3-128 of a file's content; "" when it was not recorded.
        fault: what is wrong with the row, for a person; "" when nothing is.
    """

    content: bytes
    size: int
    is_file: bool
    quick: str = ""
    fault: str = ""

    @classmethod
    def read(cls, value: object, tag: object) -> Row:
        """Decode a value and its tag; never fails and never runs code."""
        found = _TAG.fullmatch(tag) if isinstance(tag, str) else None
        if found is None or not isinstance(value, bytes):
            original = value.value if isinstance(value, Foreign) else value
            content = original if isinstance(original, bytes) else str(original).encode()
            return cls(
                content=content, size=len(content), is_file=False, fault="its row is not one of zennb's"
            )
        size, is_file = int(found[2]), found[1] == "file"
        is_cut = not is_file and len(value) != size
        fault = f"it has {len(value):,} bytes instead of {size:,}" if is_cut else ""
        return cls(content=value, size=size, is_file=is_file, quick=found[3] or "", fault=fault)

    def fault_as(self, digest: str) -> str:
        """Return what is wrong with the row as content of `digest`; "" when nothing is."""
        if self.fault:
            return self.fault
        return "" if name_of(self.content) == digest else "its content has changed since it was stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Content to be recorded: in the row itself, or as a finished file."""

    digest: str
    content: bytes = b""
    part: Part | None = None

    @property
    def tag(self) -> str:
        """The size and digest stored with the content, which reveal a loss of bytes."""
        if self.part is None:
            return f"row:{len(self.content)}"
        return f"file:{self.part.size}:{self.part.quick}"


def size_in(tag: object) -> tuple[int, bool]:
    """Return the bytes of some content as its tag has them, and whether it is a file; (0, False) for a foreign tag."""
    found = _TAG.fullmatch(tag) if isinstance(tag, str) else None
    return (0, False) if found is None else (int(found[2]), found[1] == "file")


def size_of(views: Sequence[memoryview]) -> int:
    """Return the bytes in `views`."""
    return sum([view.nbytes for view in views])


def small(views: Sequence[memoryview]) -> Entry:
    """Return the entry for content that is kept in its row."""
    content = b"".join(views)
    return Entry(digest=name_of(content), content=content)
