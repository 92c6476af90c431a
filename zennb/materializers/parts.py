"""Owns `MemoryPart`: large memory in a blob of its own, so that versions of a value share what is the same.

Parts hold numbers only. Loading one runs no code whoever wrote it, so the seal of the pickle covers just its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xxhash import xxh3_128

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.materializers.buffers import Buffer

__all__ = ["PART_SIZE", "MemoryPart", "part_table", "quick_digest", "read_part_table"]

PART_SIZE = 64 * 1024
"""Bytes from which on the memory of a tensor is stored apart."""

_NAME, _QUICK = 32, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPart:
    """One part.

    Attributes:
        blob: sha-256 of its bytes, hexadecimal; its name in the artifact store.
        quick: xxh3-128 of its bytes, hexadecimal, by which it is known again without hashing or writing it anew.
    """

    blob: str
    quick: str


def quick_digest(memory: Buffer) -> str:
    """Return the digest by which a part is known again."""
    return xxh3_128(memory).hexdigest()


def part_table(parts: Sequence[MemoryPart]) -> bytes:
    """Return the names of parts as bytes."""
    return b"".join([bytes.fromhex(each.blob + each.quick) for each in parts])


def read_part_table(table: Buffer) -> list[MemoryPart]:
    """Return the parts that `part_table` wrote."""
    text, length = bytes(table).hex(), 2 * (_NAME + _QUICK)
    return [
        MemoryPart(blob=text[at : at + 2 * _NAME], quick=text[at + 2 * _NAME : at + length])
        for at in range(0, len(text), length)
    ]
