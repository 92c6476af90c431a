"""Owns bytes in memory: writable views, sizes, joining, and collecting what a serializer writes."""

from __future__ import annotations

from io import RawIOBase
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pickle import PickleBuffer

__all__ = [
    "ALIGNMENT",
    "Buffer",
    "Collector",
    "Reader",
    "joined",
    "out_of_band",
    "padding",
    "private",
    "size",
]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Contiguous bytes. Large ones are views of the value's own memory, never copies."""

ALIGNMENT = 64
"""Arrays start at multiples of this many bytes, a cache line and the widest vector register."""

_SMALL = 4096


def private(buffer: Buffer) -> memoryview:
    """Return the bytes as a private, writable view.

    A writable `buffer` is a private copy-on-write map already (see `Materializer.load`) and is used as it is;
    anything else is copied.
    """
    view = memoryview(buffer).cast("B")
    return memoryview(bytearray(view)) if view.readonly else view


class _OutOfBand:
    """Collects the buffers that a pickler leaves out of the pickle."""

    def __init__(self) -> None:
        self._buffers: list[PickleBuffer] = []
        self.keep = self._buffers.append
        """The pickler's `buffer_callback`."""

    def release(self) -> None:
        """Release the buffers."""
        while self._buffers:
            self._buffers.pop().release()

    def views(self) -> list[memoryview]:
        """Return the memory of the buffers, in one dimension of bytes."""
        return [_own(buffer.raw()) for buffer in self._buffers]


@block
def out_of_band() -> Iterator[_OutOfBand]:
    """Collect the buffers that a pickler leaves out of the pickle, and release them when the block ends.

    Before Python 3.13 collecting a reference cycle crashes when a memoryview in it has a buffer in use. An interrupt
    leaves such cycles, of tracebacks and frames. So no `PickleBuffer` outlives the block, and no view of one that a
    class made of a memoryview. The pickler itself needs them until it has ended.
    """
    found = _OutOfBand()
    try:
        yield found
    finally:
        found.release()


def _own(view: memoryview) -> memoryview:
    """Return a view; if it is one of another memoryview, whose buffer it would keep in use, a view of a copy."""
    if not isinstance(view.obj, memoryview):
        return view
    with view:
        return memoryview(view.tobytes())


def size(buffers: Iterable[Buffer]) -> int:
    """Return the number of bytes in all `buffers`."""
    return sum([memoryview(buffer).nbytes for buffer in buffers])


def joined(buffers: Sequence[Buffer]) -> bytearray:
    """Return the bytes of `buffers`, one after another, in memory of their own."""
    return bytearray().join(buffers)


def padding(length: int) -> bytes:
    """Return the zeros that bring `length` to a multiple of `ALIGNMENT`."""
    return bytes(-length % ALIGNMENT)


class Collector(RawIOBase):
    """A writable file that keeps large buffers without copying them, and merges small ones."""

    def __init__(self, largest: int | None = None) -> None:
        self.parts: list[Buffer] = []
        self._position, self._largest = 0, largest

    def write(self, data: Any) -> int:
        """Keep `data`, anything with a buffer; return its length in bytes.

        Raises:
            OverflowError: more than the `largest` number of bytes was written.
        """
        # Picklers hand over large buffers as they are: keeping the view instead of a copy is what
        # makes storing an array cheap.
        view = memoryview(data)
        length = view.nbytes
        if self._largest is not None and self._position + length > self._largest:
            raise OverflowError(f"it has more than {self._largest / 1e6:.0f} MB")
        if length <= _SMALL:
            if not self.parts or not isinstance(self.parts[-1], bytearray):
                self.parts.append(bytearray())
            last = self.parts[-1]
            if isinstance(last, bytearray):
                # A pickle is written in many tiny pieces; one write per piece would cost more than the bytes.
                last += view.tobytes()
        else:
            self.parts.append(view.cast("B"))
        self._position += length
        return length

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    def writable(self) -> bool:
        """Return True."""
        return True


class Reader(RawIOBase):
    """A readable file over a buffer, for unpicklers. It copies only the bytes that are read."""

    def __init__(self, buffer: Buffer) -> None:
        self._view = memoryview(buffer)
        self._position = 0

    def read(self, count: int = -1) -> bytes:
        """Return the next `count` bytes, or all that are left."""
        end = self._view.nbytes if count < 0 else self._position + count
        found = self._view[self._position : end]
        self._position += found.nbytes
        return found.tobytes()

    def readinto(self, target: Any) -> int:
        """Fill `target`; return how many bytes were there for it."""
        wanted = memoryview(target).cast("B")
        found = self._view[self._position : self._position + wanted.nbytes]
        wanted[: found.nbytes] = found
        self._position += found.nbytes
        return found.nbytes
