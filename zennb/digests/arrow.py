"""Owns the digests of pyarrow tables and arrays: by content, whatever the chunks."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Literal

from zennb.digests.walker import HIDDEN, DigestWalker, Handler, Steps

__all__ = ["chunks_content", "handler"]


def handler(cls: type) -> Handler | None:
    """Return the handler of one of pyarrow's types, if it needs its own."""
    pa: Any = sys.modules["pyarrow"]
    if issubclass(cls, pa.Table | pa.RecordBatch):
        return _table
    if issubclass(cls, pa.ChunkedArray | pa.Array):
        return _array
    if issubclass(cls, pa.Schema | pa.Field | pa.DataType):
        return _described
    if issubclass(cls, pa.Scalar):
        return _scalar
    return _buffer if issubclass(cls, pa.Buffer) else None


def _table(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("arrow table", type(value))
    walker.note_memory(value)
    walker.sink.number(value.num_rows)
    _schema(walker, value.schema)
    for name, column in zip(value.schema.names, value.columns, strict=True):
        for part, _ in chunks_content(walker, column):
            yield part, (name,)


def _schema(walker: DigestWalker, schema: Any) -> None:
    for field in schema:
        _field(walker, field)
    _metadata(walker, schema.metadata)


def _field(walker: DigestWalker, field: Any) -> None:
    walker.sink.text(field.name)
    walker.sink.text(str(field.type))
    walker.sink.write(b"?" if field.nullable else b"!")
    _metadata(walker, field.metadata)


def _metadata(walker: DigestWalker, metadata: dict[bytes, bytes] | None) -> None:
    walker.sink.number(len(metadata or {}))
    for key, value in sorted((metadata or {}).items()):
        walker.sink.buffer(key)
        walker.sink.buffer(value)


def _array(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("arrow array", type(value))
    walker.note_memory(value)
    yield from chunks_content(walker, value)


def _described(walker: DigestWalker, value: Any) -> None:
    pa: Any = sys.modules["pyarrow"]
    walker.mark("arrow type", type(value))
    if isinstance(value, pa.Schema):
        _schema(walker, value)
    elif isinstance(value, pa.Field):
        _field(walker, value)
    else:
        walker.sink.text(str(value))


def _scalar(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("arrow scalar", type(value))
    walker.sink.text(str(value.type))
    yield value.as_py(), HIDDEN


def _buffer(walker: DigestWalker, value: Any) -> None:
    walker.mark("arrow buffer", type(value))
    walker.note_memory(value)
    walker.sink.buffer(memoryview(value))


def chunks_content(walker: DigestWalker, value: Any) -> Steps:
    """Write type, length and elements of an array or chunked array."""
    pa: Any = sys.modules["pyarrow"]
    chunks = value.chunks if isinstance(value, pa.ChunkedArray) else [value]
    walker.sink.text(str(value.type))
    walker.sink.number(len(value))
    yield from _elements(walker, value.type, [chunk for chunk in chunks if len(chunk)])


def _elements(walker: DigestWalker, kind: Any, chunks: list[Any]) -> Steps:
    pa: Any = sys.modules["pyarrow"]
    types = pa.types
    if types.is_dictionary(kind):
        yield from _dictionary(walker, kind, chunks)
        return
    _validity(walker, chunks)
    if types.is_string(kind) or types.is_binary(kind):
        _texts(walker, chunks, "i")
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        _texts(walker, chunks, "q")
    elif types.is_boolean(kind):
        _numbers(walker, [_filled(chunk).cast(pa.uint8()) for chunk in chunks], 1)
    elif types.is_list(kind) or types.is_large_list(kind):
        _lengths(walker, chunks)
        # `flatten` leaves out what lies under missing lists, and respects the offset of a slice.
        inner = [chunk.flatten() for chunk in chunks]
        walker.sink.number(sum(map(len, inner)))
        yield from _elements(walker, kind.value_type, [part for part in inner if len(part)])
    elif types.is_struct(kind):
        for place in range(kind.num_fields):
            inner = [chunk.flatten()[place] for chunk in chunks]
            yield from _elements(walker, kind.field(place).type, inner)
    elif types.is_primitive(kind) and kind.bit_width % 8 == 0 and not types.is_float16(kind):
        _numbers(walker, [_filled(chunk) for chunk in chunks], kind.bit_width // 8)
    elif not types.is_null(kind):
        listed = [part for chunk in chunks for part in chunk.to_pylist()]
        walker.keep(listed)
        yield listed, HIDDEN


def _dictionary(walker: DigestWalker, kind: Any, chunks: list[Any]) -> Steps:
    """Write categories, and the place of each element among them."""
    pa: Any = sys.modules["pyarrow"]
    # Each chunk may number its categories in its own way.
    unified = pa.chunked_array(chunks, type=kind).unify_dictionaries().chunks
    values = [unified[0].dictionary] if unified else []
    walker.sink.number(sum(map(len, values)))
    yield from _elements(walker, kind.value_type, values)
    yield from _elements(walker, kind.index_type, [chunk.indices for chunk in unified])


def _validity(walker: DigestWalker, chunks: list[Any]) -> None:
    """Write which elements are missing, one byte each; nothing when none is."""
    pa: Any = sys.modules["pyarrow"]
    missing = sum(chunk.null_count for chunk in chunks)
    walker.sink.number(missing)
    if missing:
        _numbers(walker, [chunk.is_null().cast(pa.uint8()) for chunk in chunks], 1)


def _filled(chunk: Any) -> Any:
    """Return a chunk with zeros for missing elements, whose bytes are arbitrary."""
    pa: Any = sys.modules["pyarrow"]
    if not chunk.null_count:
        return chunk
    zero = pa.array([0], pa.int64() if chunk.type.bit_width == 64 else pa.int32())
    zero = zero.cast(pa.int8()) if chunk.type.bit_width < 32 else zero
    zero = zero.cast(chunk.type) if not pa.types.is_temporal(chunk.type) else zero.view(chunk.type)
    return chunk.fill_null(zero[0])


def _numbers(walker: DigestWalker, chunks: list[Any], width: int) -> None:
    for chunk in chunks:
        # A slice uses the buffer of the whole, from its offset on.
        data = memoryview(chunk.buffers()[1]).cast("B")
        walker.sink.raw(data[chunk.offset * width : (chunk.offset + len(chunk)) * width])


def _lengths(walker: DigestWalker, chunks: list[Any]) -> None:
    pa: Any = sys.modules["pyarrow"]
    wide = [chunk.value_lengths().cast(pa.int64()) for chunk in chunks]
    _numbers(walker, [_filled(chunk) for chunk in wide], 8)


def _texts(walker: DigestWalker, chunks: list[Any], code: Literal["i", "q"]) -> None:
    """Write the lengths of texts, then their bytes; a missing one is empty."""
    pa: Any = sys.modules["pyarrow"]
    wide = pa.int64() if code == "q" else pa.int32()
    dense = [
        chunk.fill_null("" if pa.types.is_unicode(chunk.type) else b"") if chunk.null_count else chunk
        for chunk in chunks
    ]
    parts = []
    for chunk in dense:
        offsets = (
            memoryview(chunk.buffers()[1]).cast("B").cast(code)[chunk.offset : chunk.offset + len(chunk) + 1]
        )
        parts.append((chunk, offsets[0], offsets[-1]))
        lengths = import_module("pyarrow.compute").binary_length(chunk)
        _numbers(walker, [lengths], wide.bit_width // 8)
    # All lengths first, then all bytes: where one chunk ends and the next begins leaves no trace.
    for chunk, start, end in parts:
        data = chunk.buffers()[2]
        if data is not None:
            walker.sink.raw(memoryview(data).cast("B")[start:end])
