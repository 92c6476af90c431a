"""Owns the digests of Python's containers: lists, tuples, dictionaries and sets, with fast paths for flat ones."""

from __future__ import annotations

import marshal
from itertools import chain
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

from zennb.digests.walker import HIDDEN, SCALARS, DigestWalker, Handler, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HANDLERS", "children", "key_value_pairs", "mapping", "members", "sequence"]

CHUNK = 1 << 16
"""Elements marshalled at once: bounds the memory a fast path takes."""


def _are_scalars(values: Iterable[Any]) -> bool:
    return set(map(type, values)) <= SCALARS


def sequence(walker: DigestWalker, values: list[Any]) -> Steps | None:
    """Write the elements of a list; which form is taken depends on the content alone."""
    rows = _row_type(values)
    if _flat(walker, values, rows):
        return None
    walker.sink.write(b"-%d:" % len(values))
    return None if rows and walker.write_rows(values, _ROWS[rows]) else children(values)


def children(values: Iterable[Any]) -> Steps:
    """Yield elements with their index."""
    for index, value in enumerate(values):
        yield value, index


def _flat(walker: DigestWalker, values: list[Any] | tuple[Any, ...], rows: type | None) -> bool:
    """Write elements at once when they are scalars, or rows of scalars."""
    if not _are_scalars(values) and not _are_new(walker, values, rows):
        return False
    walker.sink.write(b"=%d:" % len(values))
    for start in range(0, len(values), CHUNK):
        # Version 2 of marshal writes no references, so the bytes do not depend on which elements are one object.
        walker.sink.raw(marshal.dumps(values[start : start + CHUNK], 2))
    return True


def _are_new(walker: DigestWalker, values: Any, rows: type | None) -> bool:
    """Whether elements are rows of scalars, none of them met before."""
    return rows is tuple or (rows is not None and walker.seen_all(values))


def _row_type(values: Iterable[Any]) -> type | None:
    """Return the type of elements that are all tuples, all lists or all dictionaries of scalars; else None."""
    kinds = set(map(type, values))
    if kinds == {dict}:
        cells = chain(chain.from_iterable(values), chain.from_iterable(map(dict.values, values)))
    elif kinds in ({tuple}, {list}):
        cells = chain.from_iterable(values)
    else:
        return None
    return kinds.pop() if _are_scalars(cells) else None


def _list_row(row: list[Any]) -> bytes:
    chunks = (marshal.dumps(row[start : start + CHUNK], 2) for start in range(0, len(row), CHUNK))
    return b"[=%d:%s" % (len(row), b"".join(chunks))


def _dict_row(row: dict[Any, Any]) -> bytes:
    return b"{=%s%s" % (marshal.dumps([*row], 2), marshal.dumps([*row.values()], 2)) if row else _EMPTY


_EMPTY = b"{=%s%s" % (marshal.dumps([], 2), marshal.dumps([], 2))

_ROWS: dict[type, Callable[[Any], bytes]] = {list: _list_row, dict: _dict_row}
"""What is written of a row when some of a list or dictionary of rows were met before.

The edges of a graph of networkx are a million dictionaries, each of them a row of both its nodes.
"""


def mapping(walker: DigestWalker, value: dict[Any, Any]) -> Steps | None:
    """Write keys and values in their order."""
    # The order counts, as code can see it. Equal dictionaries in another order are rarely reused, but never wrongly.
    keys = list(value)
    if not _are_scalars(keys):
        walker.sink.write(b"*%d:" % len(keys))
        return key_value_pairs(list(value.items()))
    values = list(value.values())
    rows = _row_type(values)
    flat = _are_scalars(values) or _are_new(walker, values, rows)
    walker.sink.write(b"=" if flat else b"-")
    walker.sink.raw(marshal.dumps(keys, 2))
    if not flat:
        return None if rows and walker.write_rows(values, _ROWS[rows]) else _values(value)
    walker.sink.raw(marshal.dumps(values, 2))
    return None


def _values(value: dict[Any, Any]) -> Steps:
    # A copy: digest functions of the user run in between, and may change the dictionary.
    for key, item in list(value.items()):
        yield item, (key,)


def key_value_pairs(pairs: list[tuple[Any, Any]]) -> Steps:
    """Yield keys and values in their order."""
    for key, value in pairs:
        yield key, HIDDEN
        yield value, (key,)


def members(walker: DigestWalker, value: set[Any] | frozenset[Any]) -> Steps | None:
    """Write the members of a set without regard to their order."""
    kinds = set(map(type, value))
    walker.sink.number(len(value))
    if not kinds <= SCALARS:
        if (
            kinds == {tuple}
            and len(value) > 1
            and max(map(len, value)) <= CHUNK
            and _are_scalars(chain.from_iterable(value))
        ):
            # As `unordered` would write them, ten times as fast: a set of hands of cards has millions.
            walker.sink.raw(b"".join(sorted(map(_row, value))))
            return None
        return walker.unordered(list(value))
    # Types with a total order. Floats are not among them, because of NaN.
    if len(kinds) == 1 and kinds <= {int, str, bytes}:
        walker.sink.raw(marshal.dumps(sorted(value), 2))
    else:
        for content in sorted(marshal.dumps(member, 2) for member in value):
            walker.sink.write(content)
    return None


def _row(value: tuple[Any, ...]) -> bytes:
    """Return the digest of a tuple of scalars."""
    return xxh3_128(b"(=%d:%s" % (len(value), marshal.dumps(value, 2))).digest()


def _list(walker: DigestWalker, value: list[Any]) -> Steps | None:
    if walker.seen(value):
        return None
    walker.sink.write(b"[")
    return sequence(walker, value)


def _tuple(walker: DigestWalker, value: tuple[Any, ...]) -> Steps | None:
    walker.sink.write(b"(")
    # Rows of scalars are written at once, without a visit of each: a list of a million numbers takes milliseconds.
    rows = _row_type(value)
    if _flat(walker, value, rows if rows is tuple else None):  # lists may be met again: they need references
        return None
    walker.sink.write(b"-%d:" % len(value))
    return walker.sealed(value, children(value))


def _dict(walker: DigestWalker, value: dict[Any, Any]) -> Steps | None:
    if walker.seen(value):
        return None
    walker.sink.write(b"{")
    return mapping(walker, value)


def _set(walker: DigestWalker, value: set[Any]) -> Steps | None:
    if walker.seen(value):
        return None
    walker.sink.write(b"|")
    return members(walker, value)


def _frozenset(walker: DigestWalker, value: frozenset[Any]) -> Steps | None:
    walker.sink.write(b"<")
    steps = members(walker, value)
    return None if steps is None else walker.sealed(value, steps)


def _bytearray(walker: DigestWalker, value: bytearray) -> None:
    if not walker.seen(value):
        walker.note_memory(value)
        walker.sink.write(b"B")
        walker.sink.buffer(value)


HANDLERS: dict[type, Handler] = {
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    bytearray: _bytearray,
}
"""Handlers of exact types."""
