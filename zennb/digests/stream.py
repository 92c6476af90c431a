"""Owns `Stream`: the bytes that are hashed for a digest, tagged and length-prefixed so that no two values collide."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, TypeAlias

from xxhash import xxh3_128

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["SCALARS", "Buffer", "Stream", "scalar", "text_digest"]

Buffer: TypeAlias = bytes | bytearray | memoryview

SCALARS = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Types whose marshal form (version 2, without references) is exact, tagged and self-delimiting."""

ENOUGH = 1 << 16
"""Bytes from which a buffer is hashed by itself, without a copy."""

MANY = 1 << 12
"""Small writes are collected up to this many before they are hashed."""


def scalar(value: Any) -> bytes:
    """Return what is written of a value of one of `SCALARS`."""
    return marshal.dumps(value, 2)


class Stream:
    """The input of one xxh3-128 digest.

    Every write has a fixed length, or starts with its length; that makes the stream prefix-free.

    Attributes:
        parts: what was written and is not hashed yet.
        write: adds bytes that delimit themselves: a tag, a number, a marshalled scalar, a digest.
    """

    __slots__ = ("_hash", "parts", "write")

    def __init__(self) -> None:
        self._hash = xxh3_128()
        # Each call into xxhash costs as much as hashing some kilobytes, so small writes are collected; and each call of
        # a function of Python costs as much as three of a list's.
        self.parts: list[bytes] = []
        self.write: Callable[[bytes], None] = self.parts.append

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
        if len(data) < ENOUGH and not isinstance(data, memoryview):
            self.parts.append(bytes(data))
            if len(self.parts) > MANY:
                self.flush()
        else:
            self.flush()
            self._hash.update(data)

    def digest(self) -> bytes:
        """Return the 16 bytes of the digest of everything written."""
        self.flush()
        return self._hash.digest()

    def flush(self) -> None:
        """Hash what was collected; called once in a while by whoever writes many small parts."""
        if self.parts:
            self._hash.update(b"".join(self.parts))
            self.parts.clear()


def text_digest(parts: Iterable[str]) -> str:
    """Return 32 hex characters for a sequence of texts."""
    stream = Stream()
    for part in parts:
        stream.text(part)
    return stream.digest().hex()
