"""Owns the layout of a serialized pickle: a seal, the pickle, then its large buffers, aligned for memory mapping.

Offset  Bytes  Content
0       8      magic: which materializer wrote it, and the version of this layout
8       32     seal: HMAC-SHA256 over the magic and everything after the seal, or zeros when there is none
40      8      length of the pickle, little endian, as all numbers here
48      8      number of buffers
56      8 each length of each buffer
...            the pickle, then zeros up to a multiple of 64
...            each buffer, then zeros up to a multiple of 64
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.errors import DamagedArtifact
from zennb.materializers.buffers import ALIGNMENT, padding, private, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zennb.materializers.materializer import Buffer

__all__ = ["SEAL_SIZE", "Envelope", "pack", "unpack"]

SEAL_SIZE = 32
_MAGIC_SIZE = 8
_HEAD = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A stored pickle, taken apart.

    Attributes:
        seal: the signature of `sealed`; zeros without one.
        sealed: the bytes that the seal covers.
        stream: the pickle.
        buffers: its out-of-band buffers, as private writable views.
    """

    seal: bytes
    sealed: tuple[memoryview, ...]
    stream: memoryview
    buffers: tuple[memoryview, ...]


def pack(
    magic: bytes,
    stream: Sequence[Buffer],
    buffers: Sequence[Buffer],
    seal: Callable[[Iterable[Buffer]], bytes] | None = None,
) -> list[Buffer]:
    """Return an envelope as buffers; `seal`, when given, is asked for the seal of the rest."""
    lengths = [memoryview(buffer).nbytes for buffer in buffers]
    head = _HEAD.pack(size(stream), len(buffers)) + struct.pack(f"<{len(lengths)}Q", *lengths)
    start = _MAGIC_SIZE + SEAL_SIZE + len(head) + size(stream)
    rest: list[Buffer] = [head, *stream, padding(start)]
    for buffer, length in zip(buffers, lengths, strict=True):
        rest += [buffer, padding(length)]
    return [magic, bytes(SEAL_SIZE) if seal is None else seal([magic, *rest]), *rest]


def unpack(magic: bytes, buffer: Buffer) -> Envelope:
    """Take an envelope apart.

    Raises:
        DamagedArtifact: the bytes are no envelope with that magic, or are cut short.
    """
    view = memoryview(buffer).cast("B")
    try:
        return _unpack(magic, view)
    except (struct.error, _ShortError) as error:
        found = view[:_MAGIC_SIZE].tobytes()
        raise DamagedArtifact(
            f"stored bytes do not have the layout {magic!r} (they are {view.nbytes} and begin with {found!r}); "
            "run the step again to make them anew.",
            digest="",
        ) from error


class _ShortError(Exception):
    """The bytes end before the layout does."""


def _unpack(magic: bytes, view: memoryview) -> Envelope:
    if view[:_MAGIC_SIZE] != magic:
        raise _ShortError
    at = _MAGIC_SIZE + SEAL_SIZE
    length, count = _HEAD.unpack_from(view, at)
    at += _HEAD.size
    # A forged number of buffers must not make `struct` allocate gigabytes.
    if count > view.nbytes:
        raise _ShortError
    lengths = struct.unpack_from(f"<{count}Q", view, at)
    at += 8 * count
    end = at + length
    ends = end + -end % ALIGNMENT + sum(one + -one % ALIGNMENT for one in lengths)
    # Exactly as long as its head says: bytes behind the end would be covered by no length.
    if ends != view.nbytes:
        raise _ShortError
    return Envelope(
        seal=view[_MAGIC_SIZE : _MAGIC_SIZE + SEAL_SIZE].tobytes(),
        sealed=(view[:_MAGIC_SIZE], view[_MAGIC_SIZE + SEAL_SIZE :]),
        stream=view[at:end],
        buffers=tuple(_cut(view, end + -end % ALIGNMENT, lengths)) if count else (),
    )


def _cut(view: memoryview, at: int, lengths: Sequence[int]) -> Iterable[memoryview]:
    # One copy at most for all buffers, and none where the bytes are a private map.
    own = private(view[at:])
    at = 0
    for length in lengths:
        yield own[at : at + length]
        at += length + -length % ALIGNMENT
