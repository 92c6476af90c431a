"""Owns the table of texts that many rows share: each is stored once, and rows hold its number."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

__all__ = ["InternedText", "find_text", "intern_text", "plain"]


def plain(text: str) -> str:
    """Return `text` as UTF-8 can encode it: lone surrogates, as in undecodable file names, are escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class InternedText:
    """A text and the digest that finds it; made before the transaction, to keep that short."""

    text: str
    digest: bytes

    @classmethod
    def of(cls, text: str) -> InternedText:
        """Return `text` ready to be stored."""
        stored = plain(text)
        return cls(stored, blake2b(stored.encode(), digest_size=16).digest())


def find_text(connection: sqlite3.Connection, text: InternedText) -> int | None:
    """Return the number of `text`, or None when it was never stored."""
    # By digest: an index over the texts themselves, among them the source of every cell,
    # would be as large as they are.
    row = connection.execute("SELECT id FROM texts WHERE digest = ?", (text.digest,)).fetchone()
    return None if row is None else int(row[0])


def intern_text(connection: sqlite3.Connection, text: InternedText) -> int:
    """Return the number of `text`; a new one is stored first."""
    found = find_text(connection, text)
    if found is not None:
        return found
    cursor = connection.execute("INSERT INTO texts (digest, text) VALUES (?, ?)", (text.digest, text.text))
    return int(cursor.lastrowid or 0)
