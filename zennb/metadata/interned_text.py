"""Owns the table of texts that come back again and again: each is kept once and referred to by number."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from zennb.metadata.rows import plain

if TYPE_CHECKING:
    import sqlite3

__all__ = ["InternedText", "find_text", "intern_text"]


@dataclass(frozen=True, slots=True)
class InternedText:
    """A text as it is kept and the digest it is found by; made before the transaction, to keep that short."""

    text: str
    digest: bytes

    @classmethod
    def of(cls, text: str) -> InternedText:
        """Return `text` ready to be kept."""
        kept = text if text.isascii() else plain(text)
        return cls(kept, blake2b(kept.encode(), digest_size=16).digest())


def find_text(connection: sqlite3.Connection, text: InternedText) -> int | None:
    """Return the number of `text`, or None when it was never kept."""
    row = connection.execute("SELECT id FROM texts WHERE digest = ?", (text.digest,)).fetchone()
    return None if row is None else int(row[0])


def intern_text(connection: sqlite3.Connection, text: InternedText) -> int:
    """Return the number of `text`, keeping it first when it is new."""
    found = find_text(connection, text)
    if found is not None:
        return found
    cursor = connection.execute("INSERT INTO texts (digest, text) VALUES (?, ?)", (text.digest, text.text))
    return int(cursor.lastrowid or 0)
