"""Owns the materializer for plain Python data: pickles that cannot do anything but build plain data.

Plain pickles contain no class names. The makers below build what pickle itself does not support, such as dates, paths
and arrays. The unpickler resolves these makers and nothing else, so no pickle, whoever wrote it, can import or call
anything else. A pickle cannot modify a maker, and makers return no class that it could modify. There is deliberately no
maker for dtypes: NumPy lets a pickle forge the flags of one.
"""

from __future__ import annotations

import pickle
import sys
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import EllipsisType, NotImplementedType, SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.compat.instances import error_line, is_a, module_name
from zennb.core.records.records import PLAIN
from zennb.errors import DamagedArtifact, NotStorable, UntrustedArtifact
from zennb.materializers.buffers import Collector, Reader, out_of_band
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.not_a_number import NanReader, NanWriter, holds_nan
from zennb.materializers.signature import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["MAKERS", "Maker", "PlainData"]

_MAGIC = b"zennbPL\x01"
_NATIVE = frozenset({type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset})
_TYPES = (*_NATIVE - {type(None)}, complex, object)
_PATHS = {kind.__name__: kind for kind in (PosixPath, PurePosixPath, WindowsPath, PureWindowsPath)}


class Maker:
    """A function that plain pickles may call. Frozen, because a pickle could otherwise modify it (BUILD)."""

    __slots__ = ("_function", "_name")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_function", function)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"makers are frozen; `{name}` was not set")

    def __call__(self, *args: object) -> Any:
        """Make the value."""
        return self._function(*args)  # type: ignore[attr-defined] # set in __init__, past our own __setattr__

    def __reduce__(self) -> str:
        # By name, so that the unpickler asks `find_class` for it.
        return f"MAKERS.{self._name}"  # type: ignore[attr-defined] # the same


def _array(descr: Any, shape: tuple[int, ...], order: str, data: Buffer) -> Any:
    from zennb.materializers.numpy import OWNED, array_from

    array = array_from(descr, shape, order, data)
    if order not in {"C", "F"} or array.nbytes > OWNED:
        return array
    owner = array.copy(order="K")
    owner.flags.writeable = array.flags.writeable
    return owner


def _type(name: str) -> type:
    return {kind.__name__: kind for kind in _TYPES}[name]


def _defaultdict(factory: str | None) -> defaultdict[Any, Any]:
    return defaultdict(None if factory is None else _type(factory))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "array": _array,
    "complex": complex,
    "counter": Counter,
    "date": date,
    "datetime": datetime,
    "decimal": Decimal,
    "defaultdict": _defaultdict,
    "deque": lambda longest: deque(maxlen=longest),
    "ellipsis": lambda: ...,
    "fraction": Fraction,
    "not_implemented": lambda: NotImplemented,
    "ordered": OrderedDict,
    "path": lambda kind, text: _PATHS[kind](text),
    "range": range,
    "scalar": lambda descr, data: _array(descr, (), "C", data)[()],
    "slice": slice,
    "time": time,
    "timedelta": timedelta,
    "timezone": timezone,
    "type": _type,
    "uuid": lambda number, safe: uuid.UUID(int=number, is_safe=uuid.SafeUUID(safe)),
    "zone": zoneinfo.ZoneInfo,
}
MAKERS = SimpleNamespace(**{name: Maker(name, function) for name, function in _FUNCTIONS.items()})
"""Everything a plain pickle may call."""


def _standard(name: str) -> Callable[[Any], tuple[Any, ...]]:
    """Return a reducer that uses the arguments of the type's own pickle recipe."""
    maker = getattr(MAKERS, name)
    return lambda value: (maker, value.__reduce_ex__(4)[1])


def _zone(value: zoneinfo.ZoneInfo) -> tuple[Any, ...]:
    key: str | None = value.key  # zones read from a file may have none, whatever the type stubs say
    # `ZoneInfo(key)` returns one object per key, so one that was made in another way is another object.
    if not key or zoneinfo.ZoneInfo(key) is not value:
        raise NotStorable("a time zone that was not made from its name alone is not plain data.")
    return MAKERS.zone, (key,)


def _mapping(name: str) -> Callable[[Any], tuple[Any, ...]]:
    maker = getattr(MAKERS, name)

    def reduce(value: Any) -> tuple[Any, ...]:
        if getattr(value, "__dict__", None):
            raise NotStorable(f"a {type(value).__name__} with attributes of its own is not plain data.")
        return maker, (), None, None, iter(value.items())

    return reduce


def _default(value: defaultdict[Any, Any]) -> tuple[Any, ...]:
    factory: Any = value.default_factory
    if factory is not None and factory not in _TYPES:
        raise NotStorable("a defaultdict with a factory that is no builtin type is not plain data.")
    name = None if factory is None else factory.__name__
    return MAKERS.defaultdict, (name,), None, None, iter(value.items())


def _kind(value: type) -> tuple[Any, ...]:
    if value not in _TYPES:
        raise NotStorable(f"the class {value.__name__} is not plain data.")
    return MAKERS.type, (value.__name__,)


_REDUCERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    complex: lambda value: (MAKERS.complex, (value.real, value.imag)),
    EllipsisType: lambda _: (MAKERS.ellipsis, ()),
    NotImplementedType: lambda _: (MAKERS.not_implemented, ()),
    range: lambda value: (MAKERS.range, (value.start, value.stop, value.step)),
    slice: lambda value: (MAKERS.slice, (value.start, value.stop, value.step)),
    date: _standard("date"),
    datetime: _standard("datetime"),
    time: _standard("time"),
    timedelta: _standard("timedelta"),
    timezone: lambda value: (MAKERS.timezone, value.__getinitargs__()),
    zoneinfo.ZoneInfo: _zone,
    Decimal: lambda value: (MAKERS.decimal, (str(value),)),
    Fraction: lambda value: (MAKERS.fraction, (value.numerator, value.denominator)),
    uuid.UUID: lambda value: (MAKERS.uuid, (value.int, value.is_safe.value)),
    **{kind: lambda value: (MAKERS.path, (type(value).__name__, str(value))) for kind in _PATHS.values()},
    deque: lambda value: (MAKERS.deque, (value.maxlen,), None, iter(value)),
    OrderedDict: _mapping("ordered"),
    Counter: _mapping("counter"),
    defaultdict: _default,
    type: _kind,
}


def _from_numpy(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe for a NumPy array or scalar; None for anything else from NumPy."""
    from zennb.materializers.numpy import array_parts

    np = sys.modules["numpy"]
    if type(value) is np.ndarray:
        *parts, data = array_parts(value)
        data.flags.writeable = value.flags.writeable
        return MAKERS.array, (*parts, pickle.PickleBuffer(data))
    if is_a(value, np.generic) and type(value) in np.sctypeDict.values():
        descr, _, _, data = array_parts(np.asarray(value))
        return MAKERS.scalar, (descr, data.tobytes())
    return None


class _PlainPickler(pickle.Pickler):
    """Writes plain data; refuses everything else."""

    def reducer_override(self, value: Any) -> Any:
        """Return the recipe for types that pickle itself does not support."""
        kind = type(value)
        if kind in _REDUCERS:
            return _REDUCERS[kind](value)
        if kind is Maker:
            return NotImplemented
        found = _from_numpy(value) if module_name(kind) == "numpy" else None
        if found is None:
            raise NotStorable(f"a {kind.__name__} is not plain data.")
        return found


class _PlainNanPickler(NanWriter, _PlainPickler):
    """Writes plain data with NaNs among it."""


class _PlainUnpickler(NanReader, pickle.Unpickler):
    """Reads plain data; resolves the makers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the maker of that name.

        Raises:
            UntrustedArtifact: anything else was asked for.
        """
        # Only one dot deep: `MAKERS.array.__globals__` would lead to everything.
        room, _, maker = name.partition(".")
        if module == __name__ and room == "MAKERS" and maker in vars(MAKERS):
            return getattr(MAKERS, maker)
        raise UntrustedArtifact(
            f"stored plain data names `{f'{module}.{name}'[:200]}`, which plain data never does; it was tampered with "
            "and nothing of it was run. Run the step again with --rerun to store it anew."
        )


class PlainData(Materializer):
    """Builtin containers and scalars, the small value types of the library, and NumPy arrays among them."""

    name: ClassVar[str] = PLAIN
    exact: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        """Whether the type of `value` may be plain data; its contents are checked while writing."""
        kind = type(value)
        return kind in _NATIVE or kind in _REDUCERS or module_name(kind) == "numpy"

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return a plain pickle; arrays and large bytes are not copied.

        Raises:
            NotStorable: something in it is no plain data.
        """
        return self._written(value, _PlainPickler) or self._written(value, _PlainNanPickler)

    def _written(self, value: Any, pickler: type[_PlainPickler]) -> Sequence[Buffer]:
        """Return the pickle; nothing if there are NaNs in it that this pickler does not name."""
        stream = Collector()
        with out_of_band() as buffers:
            try:
                pickler(stream, protocol=5, buffer_callback=buffers.keep).dump(value)
            except (pickle.PicklingError, RecursionError, ValueError, OverflowError) as error:
                raise NotStorable(f"it is not plain data ({error}).") from error
            if pickler is _PlainPickler and holds_nan(stream.parts):
                return []
            return pack(_MAGIC, stream.parts, buffers.views())

    def load(self, buffer: Buffer, scope: Scope) -> Any:  # noqa: ARG002 - plain data needs no names
        """Return the data; arrays are writable views of `buffer`.

        Raises:
            UntrustedArtifact: the pickle names something that plain data never does.
            DamagedArtifact: the bytes are no plain pickle.
        """
        envelope = unpack(_MAGIC, buffer)
        try:
            return _PlainUnpickler(Reader(envelope.stream), buffers=envelope.buffers).load()
        except UntrustedArtifact:
            raise
        except Exception as error:
            raise DamagedArtifact(
                f"stored plain data cannot be read ({error_line(error)}); run the step again.", digest=""
            ) from error
