"""Owns `Stream`: the bytes that are hashed for a digest, tagged and length-prefixed so that no two values collide."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, TypeAlias

from xxhash import xxh3_128

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SCALARS", "Buffer", "Stream", "scalar", "text_digest"]

Buffer: TypeAlias = bytes | bytearray | memoryview

SCALARS = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Types whose marshal form (version 2, without references) is exact, tagged and self-delimiting."""

ENOUGH = 1 << 16
"""Small writes are buffered up to this many bytes before they are hashed."""


def scalar(value: Any) -> bytes:
    """Return what is written of a value of one of `SCALARS`."""
    return marshal.dumps(value, 2)


class Stream:
    """The input of one xxh3-128 digest.

    Every write has a fixed length, or starts with its length; that makes the stream prefix-free.
    """

    __slots__ = ("_hash", "_pending")

    def __init__(self) -> None:
        self._hash = xxh3_128()
        self._pending = bytearray()

    def write(self, data: bytes) -> None:
        """Add bytes that delimit themselves: a tag, a number, a marshalled scalar, a digest."""
        self._pending += data
        if len(self._pending) > ENOUGH:
            self._flush()

    def number(self, value: int) -> None:
        """Add a whole number."""
        self.write(b"%d:" % value)

    def text(self, value: str) -> None:
        """Add a text with its length."""
        # Text from file names may hold lone surrogates, which plain UTF-8 refuses.
        self.buffer(value.encode("utf-8", "surrogatepass"))

    def buffer(self, data: Buffer | Any) -> None:
        """Add the bytes of a contiguous buffer with their number; large buffers are hashed without a copy."""
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self.number(size)
        self.raw(data)

    def raw(self, data: Buffer | Any) -> None:
        """Add the bytes of a contiguous buffer whose total length is written elsewhere."""
        # Each call into xxhash costs as much as hashing some kilobytes, so small writes are collected.
        if len(data) < ENOUGH and not isinstance(data, memoryview):
            self.write(bytes(data))
        else:
            self._flush()
            self._hash.update(data)

    def digest(self) -> bytes:
        """Return the 16 bytes of the digest of everything written."""
        self._flush()
        return self._hash.digest()

    def _flush(self) -> None:
        if self._pending:
            self._hash.update(bytes(self._pending))
            self._pending.clear()


def text_digest(parts: Iterable[str]) -> str:
    """Return 32 hex characters for a sequence of texts."""
    stream = Stream()
    for part in parts:
        stream.text(part)
    return stream.digest().hex()
