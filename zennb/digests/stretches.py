"""Owns which memory values of numpy, pandas, pyarrow and polars stand on, by its addresses, and whether they share it.

A library that takes over memory of another one leaves no way from one value to the other (`pa.array(arr)`), and arrays
over one buffer need not overlap. The addresses always tell.
"""

from __future__ import annotations

import sys
from array import ArrayType
from bisect import bisect_right
from gc import get_referents
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from zennb.compat.arrays import top_array
from zennb.compat.frames import (
    array_of,
    arrays_in,
    blocks_with_references,
    byte_bounds,
    copies_on_write,
    has_sharers,
    references_of,
)
from zennb.compat.instances import bases_of
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "ARRAY",
    "TEXTS",
    "Stretch",
    "compact",
    "exported",
    "is_in",
    "is_memory_shared",
    "is_opaque",
    "is_overlapping",
    "may_stand_on_memory",
    "ranges",
    "share_memory",
    "shared_ranges",
    "stretches",
]

ARRAY, READ_ONLY, TABLE, SEEN = -1, -2, -3, 0
"""Uses of memory: by an array, by one that may not be written to, by what writes in place, only to read it.

A table that copies before it writes has the id of its list of sharers instead: with these it shares nothing. While
somebody else is on that list the id is negative: the table then copies before its next write, which no read-only
array sees.
"""

TEXTS = -1
"""Stands for the owner of memory with the texts of a table, where arrow has written them."""
_ARRAYS = frozenset({ARRAY, READ_ONLY})
_HEAP = 1 << 9
"""The flag of classes that Python code made."""


class Stretch(NamedTuple):
    """Memory that a value uses.

    Attributes:
        start: address of its first byte.
        end: address after its last byte.
        owner: id of the array that the memory belongs to; 0 when it is none of numpy's, `TEXTS` for texts in tables.
        use: how the value uses it.
    """

    start: int
    end: int
    owner: int
    use: int


_Noted: TypeAlias = "Iterator[tuple[Stretch, Any]]"


def stretches(value: Any) -> _Noted:
    """Yield the memory that a value itself stands on, not that of its items; each with the array that owns it."""
    read = _readers[type(value)] if may_stand_on_memory(type(value)) else None
    return iter(()) if read is None else read(value)


def may_stand_on_memory(cls: type) -> bool:
    """Whether instances of a class may stand on memory; False for most classes, and then there is no need to ask."""
    if not hasattr(sys.modules.get("numpy"), "ndarray"):  # it is not loaded, or just being imported
        return False
    if cls not in _readers:
        _readers[cls] = _reader(cls)
    return _readers[cls] is not None


def compact(memory: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return memory with one stretch for all that one owner lends for one use side by side, two if some of it overlaps.

    A list of a million windows of an array is as quick to compare as the array.
    """
    found: list[Stretch] = []
    is_twice = False
    for each in sorted(memory, key=itemgetter(2, 3, 0, 1)):
        last = found[-1] if found else each
        if not found or (last.owner, last.use) != (each.owner, each.use) or each.start > last.end:
            is_twice = False
            found.append(each)
            continue
        is_over, whole = each.start < last.end, last._replace(end=max(last.end, each.end))
        found[-1] = whole
        if is_twice:
            found[-2] = whole
        elif is_over:
            is_twice = True
            found.append(whole)
    return tuple(found)


def share_memory(one: Sequence[Stretch], other: Sequence[Stretch]) -> bool:
    """Whether a change of one value may show in another one because of the memory that they use.

    Not for two arrays with one owner: whoever compares the owners knows that already.
    """
    return any(
        _counts(a, b) and not (a.owner == b.owner != 0 and {a.use, b.use} <= _ARRAYS)
        for a, b in _overlapping(one, other)
    )


def is_memory_shared(one: Sequence[Stretch], other: Sequence[Stretch]) -> bool:
    """Whether values share memory: as `share_memory`, and by all arrays that overlap."""
    return any(_counts(a, b) or {a.use, b.use} <= _ARRAYS for a, b in _overlapping(one, other))


def is_overlapping(one: Sequence[Stretch], other: Sequence[Stretch]) -> bool:
    """Whether some memory is used by both values, however they use it."""
    return any(True for _ in _overlapping(one, other))


def _counts(one: Stretch, other: Stretch) -> bool:
    """Whether memory that is used in these two ways is shared: at least one side may write to it."""
    if one.use == other.use:
        return one.use in {ARRAY, TABLE}
    if one.use == -other.use and min(one.use, other.use) < TABLE:
        return False  # one list of sharers, looked at before and after somebody came to it
    return not _are_read((one, other))


def _overlapping(one: Sequence[Stretch], other: Sequence[Stretch]) -> Iterator[tuple[Stretch, Stretch]]:
    """Yield the pairs of stretches that overlap, each of another value."""
    few, many = sorted((one, other), key=len)
    if not few:
        return
    ordered = sorted(many)
    starts = [each.start for each in ordered]
    # Views of one array begin in any order, so all that begin before the end are looked at, back to the longest one.
    longest = max(each.end - each.start for each in ordered)
    for own in few:
        last = bisect_right(starts, own.end - 1)
        first = bisect_right(starts, own.start - longest)
        yield from ((own, each) for each in ordered[first:last] if each.end > own.start)


def shared_ranges(memory: Iterable[Stretch], *, written: bool = False) -> list[tuple[int, int]]:
    """Return the ranges of addresses that values must have in common after they are stored together, too.

    Each covers all that overlaps. Tables that copy before they write, and what is only read, share nothing.

    Args:
        memory: of all values.
        written: only ranges that something may write to.
    """
    found: list[tuple[int, int]] = []
    end, members = 0, list[Stretch]()
    for each in [*sorted(memory), None]:
        if each is not None and members and each.start < end:
            members.append(each)
            end = max(end, each.end)
            continue
        if _is_shared(members) and not (written and _are_read(members)):
            found.append((members[0].start, end))
        if each is not None:
            end, members = each.end, [each]
    return found


def _is_shared(members: Sequence[Stretch]) -> bool:
    uses = [each.use for each in members]
    is_used_twice = len({*uses}) > 1 or (len(uses) > 1 and uses[0] in {ARRAY, TABLE})
    return uses.count(READ_ONLY) > 1 if _are_read(members) else is_used_twice


def _are_read(members: Sequence[Stretch]) -> bool:
    """Whether nothing writes to memory: only tables stand on it that copy before they write, and read-only arrays."""
    return all(each.use in {READ_ONLY, SEEN} or each.use < TABLE for each in members)


def ranges(memory: Iterable[Stretch]) -> list[tuple[int, int]]:
    """Return the addresses in order, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for each in sorted(memory):
        if found and each.start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], each.end))
        else:
            found.append((each.start, each.end))
    return found


def is_in(found: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether addresses overlap one of these ranges."""
    place = bisect_right(found, (end - 1, sys.maxsize)) - 1
    return place >= 0 and found[place][1] > start


_readers: WeakKeyDictionary[type, Callable[[Any], _Noted] | None] = WeakKeyDictionary()


def _reader(cls: type) -> Callable[[Any], _Noted] | None:
    """Return the function that reads the memory of a class's instances; None for those that have none."""
    if issubclass(cls, sys.modules["numpy"].ndarray):
        return _of_array
    if cls in {bytearray, memoryview, ArrayType}:
        return _of_buffer
    libraries = {top_level(module_of(base)) for base in bases_of(cls)}
    for library, find in _READERS.items():
        if library in libraries and library in sys.modules:
            return find(cls)
    return _of_opaque if is_opaque(cls) else None


def is_opaque(cls: type) -> bool:
    """Whether a class, or a base of it, is written in C, so that what it holds need not be in its attributes."""
    static = (base for base in bases_of(cls) if not base.__flags__ & _HEAP)
    return any(top_level(module_of(base)) not in _KNOWN for base in static)


_KNOWN = frozenset({*sys.stdlib_module_names, "builtins", "numpy"})
"""Whose classes written in C hold no arrays."""


def _of_array(array: Any, use: int | None = None) -> _Noted:
    top = top_array(array)
    # Whoever maps a file finds it again, and shares it with all others who do.
    if type(top).__name__ == "memmap" or not array.size or not array.itemsize:
        return
    start, end = _bounds(array)
    if use is None:
        use = ARRAY if array.flags.writeable else READ_ONLY
    elif use != READ_ONLY and not array.flags.writeable:
        use = SEEN
    yield Stretch(start, end, id(top), use), top


def _bounds(array: Any) -> tuple[int, int]:
    if array.flags.c_contiguous:  # several times as fast
        start: int = array.__array_interface__["data"][0]
        return start, start + array.nbytes
    return byte_bounds(array)


def _of_buffer(value: Any) -> _Noted:
    np: Any = sys.modules["numpy"]
    view = value if isinstance(value, memoryview) else memoryview(value)
    if view.nbytes and view.contiguous:
        start = np.asarray(view.cast("B") if view.c_contiguous else view).__array_interface__["data"][0]
        owner = view.obj
        yield Stretch(start, start + view.nbytes, id(owner), READ_ONLY if view.readonly else ARRAY), owner


def _of_opaque(value: Any) -> _Noted:
    """Yield the memory of arrays inside an object written in C, which its recipe for pickles copies."""
    np: Any = sys.modules["numpy"]
    for part in get_referents(value):
        if isinstance(part, np.ndarray):
            yield from _of_array(part, TABLE)


def _of_pandas(cls: type) -> Callable[[Any], _Noted] | None:
    pd: Any = sys.modules["pandas"]
    if not hasattr(pd, "api"):  # it is just being imported
        return None
    if issubclass(cls, pd.DataFrame | pd.Series):
        return _of_table
    if issubclass(cls, pd.Index):
        return _of_index
    return _of_extension if issubclass(cls, pd.api.extensions.ExtensionArray) else None


def _of_table(table: Any) -> _Noted:
    copies = copies_on_write()
    for array, references in blocks_with_references(table):
        yield from _of_extension(array, _use_with(references) if copies else TABLE)
    for axis in table.axes:
        yield from _of_index(axis)


def _of_index(index: Any) -> _Noted:
    pd: Any = sys.modules["pandas"]
    if isinstance(index, pd.MultiIndex):
        for level in index.levels:
            yield from _of_index(level)
    elif not isinstance(index, pd.RangeIndex):
        sharers = references_of(index) if copies_on_write() else None
        yield from _of_extension(array_of(index), SEEN if sharers is None else id(sharers))


def _use_with(references: Any) -> int:
    """Return how a table with this list of sharers uses its memory."""
    if references is None:
        return TABLE
    return -id(references) if has_sharers(references) else id(references)


def _of_extension(array: Any, use: int | None = None) -> _Noted:
    """Yield the memory of one of pandas' arrays, or of the array of numpy that takes its place."""
    pd: Any = sys.modules["pandas"]
    if isinstance(array, pd.arrays.ArrowExtensionArray):
        owner = TEXTS if isinstance(array, pd.arrays.ArrowStringArray) else 0
        yield from ((each._replace(owner=owner), top) for each, top in _of_arrow(array.__arrow_array__()))
    for part in arrays_in(array):
        yield from _of_array(part, use)


def _of_pyarrow(cls: type) -> Callable[[Any], _Noted] | None:
    pa: Any = sys.modules["pyarrow"]
    if not hasattr(pa, "Table"):
        return None
    kinds = (pa.Table, pa.RecordBatch, pa.ChunkedArray, pa.Array, pa.Buffer)
    return _of_arrow if issubclass(cls, kinds) else None


def _of_arrow(value: Any) -> _Noted:
    pa: Any = sys.modules["pyarrow"]
    if isinstance(value, pa.Table | pa.RecordBatch):
        for column in value.columns:
            yield from _of_arrow(column)
    elif isinstance(value, pa.ChunkedArray):
        for chunk in value.chunks:
            yield from _of_arrow(chunk)
    elif isinstance(value, pa.Buffer):
        if value.size and value.is_cpu:
            yield Stretch(value.address, value.address + value.size, 0, SEEN), None
    else:
        for buffer in value.buffers():
            if buffer is not None:
                yield from _of_arrow(buffer)
        if isinstance(value, pa.DictionaryArray):
            yield from _of_arrow(value.dictionary)


def _of_polars(cls: type) -> Callable[[Any], _Noted] | None:
    pl: Any = sys.modules["polars"]
    if not hasattr(pl, "DataFrame"):
        return None
    if issubclass(cls, pl.DataFrame):
        return _of_polars_frame
    return _of_polars_series if issubclass(cls, pl.Series) else None


def _of_polars_frame(frame: Any) -> _Noted:
    for name in frame.columns:
        yield from _of_polars_series(frame.get_column(name))


def _of_polars_series(series: Any) -> _Noted:
    """Yield the memory of numbers and times: of other elements polars makes copies of its own."""
    pl: Any = sys.modules["polars"]
    inner = series.dtype
    while isinstance(inner, pl.Array):
        inner = inner.inner
    if not inner.is_numeric() and not inner.is_temporal():
        return
    for chunk in series.get_chunks():
        # What is a copy is made anew each time, so it lies elsewhere the second time.
        one, other = exported(chunk), exported(chunk)
        again = {(each.start, each.end) for each, _ in stretches(other)}
        for each, _ in stretches(one):
            if (each.start, each.end) in again:  # the owner is a view that was made to look
                yield each._replace(use=SEEN, owner=0), None


def exported(chunk: Any) -> Any:
    """Return a part of a series as arrow or numpy has it, over the same memory where that can be."""
    if "pyarrow" in sys.modules:
        return chunk.to_arrow()
    try:
        return chunk.to_numpy(allow_copy=False)
    except RuntimeError:
        return None


_READERS: dict[str, Callable[[type], Callable[[Any], _Noted] | None]] = {
    "pandas": _of_pandas,
    "pyarrow": _of_pyarrow,
    "polars": _of_polars,
}
