"""Owns the digests of numpy arrays, scalars and dtypes. Imported on demand."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.arrays import as_once, function_of_ufunc, memory_order, memory_owner, top_array
from zennb.compat.frames import fill_value, global_random_state
from zennb.digests.added_attributes import added_parts
from zennb.digests.containers import sequence
from zennb.digests.objects import changeable, settled
from zennb.digests.tensors import note_memory
from zennb.digests.walker import HIDDEN, DigestWalker, Handler, Steps

__all__ = ["array_content", "handler", "note_owner"]

_BUFFERS = frozenset({"array", "bytearray", "bytes", "mmap"})
"""Owners of memory, by the names of their types, in which several arrays may lie."""

SMALL = 1 << 12
"""Bytes up to which a copy of an array costs less than to look at how it lies."""

BLOCK = 1 << 22
"""Bytes copied at once when an array does not lie in memory in C order."""


def handler(cls: type) -> Handler | None:
    """Return the handler of one of numpy's types, if it needs its own."""
    np: Any = sys.modules["numpy"]
    if issubclass(cls, np.ma.MaskedArray):
        return _masked
    if issubclass(cls, np.ndarray):
        return _array
    if issubclass(cls, np.dtype):
        return _dtype
    if issubclass(cls, np.random.RandomState):
        return _random_state
    if cls is np.ufunc:
        return _ufunc
    if issubclass(cls, np.void):
        return _record
    return _scalar if issubclass(cls, np.generic) else None


def _ufunc(walker: DigestWalker, value: Any) -> Steps | None:
    function = function_of_ufunc(value)
    return settled(walker, value) if function is None else _ufunc_parts(walker, value, function)


def _ufunc_parts(walker: DigestWalker, value: Any, function: Any) -> Steps:
    walker.mark("ufunc of a function")
    walker.packages.add("numpy")
    walker.sink.text(f"{value.nin} {value.nout}")
    yield value.identity, ".identity"
    yield function, HIDDEN


def _dtype_text(dtype: Any) -> str:
    """Return a text that is unique for a data type, with byte order, units, and the layout of structured types."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return f"({_dtype_text(base)}){shape}"
    if dtype.names is None:
        return f"{dtype.str}" if dtype.kind != "T" else repr(dtype)
    fields = [
        f"{name!r} {dtype.fields[name][1]} {dtype.fields[name][2:]!r} {_dtype_text(dtype.fields[name][0])}"
        for name in dtype.names
    ]
    return f"{dtype.type.__module__}.{dtype.type.__name__}[{'; '.join(fields)}]{dtype.itemsize}"


def array_content(walker: DigestWalker, array: Any) -> Steps | None:
    """Write data type, shape and elements in C order."""
    walker.sink.text(_dtype_text(array.dtype))
    walker.sink.text(str(array.shape))
    return _elements(walker, array)


def _elements(walker: DigestWalker, array: Any) -> Steps | None:
    dtype = array.dtype
    if dtype.names is not None:
        return _by_field(walker, array)
    if dtype.kind in "OT":
        # Elements are objects. The list is new, and must outlive the visit, which knows its elements by their ids.
        listed = array.ravel().tolist()
        walker.keep(listed)
        return sequence(walker, listed)
    if dtype.itemsize and array.size:
        _bytes(walker, array)
    return None


def _by_field(walker: DigestWalker, array: Any) -> Steps:
    """Write structured elements field by field: padding bytes between fields are arbitrary."""
    for name in array.dtype.names:
        part = array[name]
        walker.sink.text(str(part.shape))
        yield from _elements(walker, part) or ()


def _bytes(walker: DigestWalker, array: Any) -> None:
    np: Any = sys.modules["numpy"]
    # As the base class, because subclasses may compute something else on access.
    plain = array.view(np.ndarray)
    if plain.dtype.char in "gG" and np.finfo(np.longdouble).nmant == 63:
        plain = _without_padding(plain)
    if plain.nbytes <= SMALL:  # as most are: a figure has thousands
        walker.sink.raw(plain.tobytes())
    elif plain.flags.c_contiguous:
        walker.sink.raw(memoryview(plain.reshape(-1).view(np.uint8)))
    elif plain.nbytes <= BLOCK or plain.ndim == 0:
        walker.sink.raw(memoryview(np.ascontiguousarray(plain).reshape(-1).view(np.uint8)))
    else:
        # By rows of limited size, instead of one copy of the whole array.
        rows = max(1, BLOCK // (plain.nbytes // len(plain) or 1))
        for start in range(0, len(plain), rows):
            _bytes(walker, plain[0] if len(plain) == 1 else plain[start : start + rows])


def _without_padding(array: Any) -> Any:
    """Return the ten significant bytes of each 80-bit number; the other six of its 16 bytes are arbitrary."""
    np: Any = sys.modules["numpy"]
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, 16)[:, :10]


def note_owner(walker: DigestWalker, array: Any) -> None:
    """Note the owner of an array's memory: other views of that memory change with this one."""
    owner = memory_owner(array)
    # Arrays over one buffer need not overlap, as those that were loaded from one blob. Their addresses tell.
    if type(owner).__name__ in _BUFFERS:
        owner = top_array(array)
    if owner is not array:
        walker.owners.add(id(owner))
    walker.note_memory(array)
    if "torch" in sys.modules:
        note_memory(walker, array)


def _array(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    note_owner(walker, value)
    np: Any = sys.modules["numpy"]
    # Whether it may be written to is part of the content: code can fail on one and not on the other.
    walker.mark("array" if value.flags.writeable else "read-only array", type(value))
    if type(value) is np.ndarray and (order := memory_order(value)):
        walker.sink.text(order)
    if type(value) is np.memmap and value.filename is not None:
        walker.sink.text(f"{value.filename} {value.mode} {value.offset}")
    repeated = as_once(value) if type(value) is np.ndarray and not value.dtype.hasobject else None
    if repeated is None:
        yield from array_content(walker, value) or ()
    else:  # gigabytes may lie in a few numbers: `np.broadcast_to`
        once, axes = repeated
        walker.sink.text(f"{value.shape} along {axes}")
        yield from array_content(walker, once) or ()
    if type(value) is not np.ndarray:
        yield from added_parts(walker, value)


def _masked(walker: DigestWalker, value: Any) -> Steps:
    np: Any = sys.modules["numpy"]
    if walker.seen(value):
        return
    walker.mark("masked array", type(value))
    note_owner(walker, value)
    walker.sink.write(b"h" if value.hardmask else b"s")
    yield from array_content(walker, value.data) or ()
    yield None if value.mask is np.ma.nomask else np.asarray(value.mask), ".mask"
    fill = fill_value(value)
    if fill is None:  # as long as nobody has asked for it; storing the array does
        fill = np.ma.empty(0, value.dtype).fill_value
    yield np.asarray(fill).astype(value.dtype), ".fill_value"
    yield from added_parts(walker, value)


def _scalar(walker: DigestWalker, value: Any) -> Steps | None:
    np: Any = sys.modules["numpy"]
    walker.mark("array scalar", type(value))
    return array_content(walker, np.asarray(value))


def _record(walker: DigestWalker, value: Any) -> Steps | None:
    array = value.base  # what is written to one of them the other has, too; a copy has an array of its own
    if array is not None and (array.ndim or isinstance(array.base, sys.modules["numpy"].ndarray)):
        raise walker.refuse("a row of a structured array, which changes with it (a copy would not)")
    return _scalar(walker, value)


def _dtype(walker: DigestWalker, value: Any) -> Steps | None:
    walker.mark("dtype")
    walker.packages.add("numpy")
    walker.sink.text(_dtype_text(value))
    metadata = getattr(value, "metadata", None)
    return None if metadata is None else iter([(dict(metadata), HIDDEN)])


def _random_state(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a random state. numpy's global one, which scipy's distributions refer to, is written as a reference."""
    if value is not global_random_state():
        return changeable(walker, value)
    walker.mark("numpy's random state")
    return None
