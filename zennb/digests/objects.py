"""Owns how objects in general are digested: by the pickle protocol, with Python's own small types by hand."""

from __future__ import annotations

import copyreg
import warnings
from typing import TYPE_CHECKING, Any

from zennb.digests.containers import children, key_value_pairs, mapping, members
from zennb.digests.walker import HIDDEN, STATE, DigestWalker, Handler, Steps
from zennb.packages.origin import full_name, module_of, top_level

if TYPE_CHECKING:
    from enum import Enum
    from fractions import Fraction
    from pathlib import PurePath
    from re import Pattern
    from types import CellType, MappingProxyType
    from zoneinfo import ZoneInfo

__all__ = ["HANDLERS", "cell_content", "changeable", "enumerated", "named_tuple", "path", "set_of", "settled"]

FLEETING = {
    "matplotlib": frozenset({"_cid_gen", "_invalid", "_parents", "_stale"}),
    "scipy": frozenset({"_has_canonical_format", "_has_sorted_indices"}),
}
"""Attributes, by import name of the package, that are remembered answers and change when a value is only read."""


TABLES = frozenset({"matplotlib.colors.LinearSegmentedColormap", "matplotlib.colors.ListedColormap"})
"""Types whose copies share the tables they were made from, which nobody changes in place."""


def changeable(walk: DigestWalker, value: Any) -> Steps | None:
    """Write an object that may change, or be shared."""
    return None if walk.seen(value) else settled(walk, value)


def settled(walk: DigestWalker, value: Any) -> Steps | None:
    """Write an object by what pickle would make of it."""
    recipe = _recipe(walk, value)
    if isinstance(recipe, str):
        walk.mark("global")
        module = module_of(value) or module_of(type(value))  # functions of numpy 1 do not say
        walk.note_module(module)
        walk.sink.text(module)
        walk.sink.text(recipe)
        return None
    walk.mark("object", type(value))
    parts = _parts(walk, type(value), (*recipe, *(None,) * (6 - len(recipe))))
    return _apart(walk, parts) if _title(type(value)) in TABLES else parts


def _apart(walk: DigestWalker, parts: Steps) -> Steps:
    """Visit what an object consists of without counting it as state that others may share."""
    walk.labels += 1
    yield from parts
    walk.labels -= 1


def _recipe(walk: DigestWalker, value: Any) -> str | tuple[Any, ...]:
    """Ask an object how it is made; user code runs here and may raise anything."""
    cls = type(value)
    reducer = copyreg.dispatch_table.get(cls)
    try:
        if cls.__module__ == "itertools":  # 3.12 and later warn that these will be refused one day
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                found = value.__reduce_ex__(4)
        else:
            found = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    except Exception as error:
        raise walk.refuse(_refusal(cls, error)) from error
    if not isinstance(found, str | tuple):
        raise walk.refuse(f"an object of type {_title(cls)} with an unusable `__reduce__`")
    return found


def _refusal(cls: type, error: Exception) -> str:
    title = _title(cls)
    if isinstance(error, TypeError) and str(error).startswith("cannot pickle"):
        return f"an object of type {title}"
    return f"an object of type {title} that cannot be taken apart ({type(error).__name__}: {error})"


def _title(cls: type) -> str:
    return full_name(cls).removeprefix("builtins.")


def _parts(walk: DigestWalker, cls: type, recipe: tuple[Any, ...]) -> Steps:
    """Yield the parts of a recipe (see `object.__reduce__`)."""
    make, args, state, items, pairs, setter = recipe
    if make is getattr(copyreg, "__newobj__", None) and args and args[0] is cls:
        walk.sink.write(b"n")
        args = args[1:]
    elif make is cls:
        walk.sink.write(b"c")
    else:
        walk.sink.write(b"f")
        yield make, HIDDEN
    args = tuple(args or ())
    walk.sink.number(len(args))
    for arg in args:
        yield arg, HIDDEN
    yield from _state(walk, cls, state)
    if items is not None:
        found = list(items)
        walk.sink.write(b"i%d:" % len(found))
        yield from children(found)
    if pairs is not None:
        found = list(pairs)
        walk.sink.write(b"p%d:" % len(found))
        yield from key_value_pairs(found)
    if setter is not None:
        walk.sink.write(b"t")
        yield setter, HIDDEN
    walk.sink.write(b".")


def _state(walk: DigestWalker, cls: type, state: Any) -> Steps:
    if state is None:
        return
    fleeting = FLEETING.get(top_level(module_of(cls)))
    if fleeting is not None and isinstance(state, dict):
        state = {name: part for name, part in state.items() if name not in fleeting}
        walk.keep(state)
    if type(state) is tuple and len(state) == 2:
        walk.sink.write(b"2")
        for half in state:
            yield half, STATE
    else:
        walk.sink.write(b"s")
        yield state, STATE


def set_of(walk: DigestWalker, value: set[Any] | frozenset[Any]) -> Steps:
    """Write an instance of a subclass of set or frozenset: pickle would write its accidental order."""
    if walk.seen(value):
        return
    walk.mark("set", type(value))
    yield from members(walk, value) or ()
    yield value.__getstate__(), STATE


def named_tuple(walk: DigestWalker, value: tuple[Any, ...]) -> Steps | None:
    """Write an instance of a subclass of tuple that adds no attributes of its own."""
    walk.mark("tuple", type(value))
    walk.sink.number(len(value))
    return walk.sealed(value, children(value))


def enumerated(walk: DigestWalker, value: Enum) -> Steps:
    """Write a member of an enumeration."""
    walk.mark("enum", type(value))
    walk.sink.text(value._name_ or "")
    yield value._value_, ".value"


def path(walk: DigestWalker, value: PurePath) -> None:
    """Write a path: its text, and its type without the module (which moved in Python 3.13)."""
    walk.mark("path")
    walk.sink.text(type(value).__name__)
    walk.sink.text(str(value))


def _pattern(walk: DigestWalker, value: Pattern[Any]) -> Steps:
    walk.mark("pattern")
    walk.sink.number(value.flags)
    yield value.pattern, HIDDEN


def _fraction(walk: DigestWalker, value: Fraction) -> None:
    walk.mark("fraction")
    walk.sink.number(value.numerator)
    walk.sink.number(value.denominator)


def _zone(walk: DigestWalker, value: ZoneInfo) -> Steps | None:
    if value.key is None:
        return settled(walk, value)
    walk.mark("zone")
    walk.sink.text(value.key)
    return None


def _slice(walk: DigestWalker, value: slice) -> Steps | None:
    walk.mark("slice")
    return walk.sealed(value, children((value.start, value.stop, value.step)))


def _range(walk: DigestWalker, value: range) -> None:
    walk.mark("range")
    for number in (value.start, value.stop, value.step):
        walk.sink.number(number)


def _memoryview(walk: DigestWalker, value: memoryview) -> None:
    walk.owners.add(id(value.obj))
    walk.mark("memoryview")
    walk.sink.text(f"{value.format} {value.shape}")
    walk.sink.buffer(value.cast("B") if value.c_contiguous and value.nbytes else value.tobytes())


def _proxy(walk: DigestWalker, value: MappingProxyType[Any, Any]) -> Steps | None:
    walk.mark("mappingproxy")
    return mapping(walk, dict(value))


def _cell(walk: DigestWalker, value: CellType) -> Steps | None:
    if walk.seen(value):
        return None
    walk.mark("cell")
    return cell_content(walk, value)


def cell_content(walk: DigestWalker, cell: CellType) -> Steps:
    """Write what a variable of a closure holds, which may be nothing yet."""
    try:
        content = cell.cell_contents
    except ValueError:
        walk.mark("empty")
        return
    yield content, HIDDEN


HANDLERS: dict[str, Handler] = {
    "re.Pattern": _pattern,
    "fractions.Fraction": _fraction,
    "builtins.slice": _slice,
    "builtins.range": _range,
    "builtins.memoryview": _memoryview,
    "builtins.mappingproxy": _proxy,
    "builtins.cell": _cell,
    "datetime.date": settled,
    "datetime.datetime": settled,
    "datetime.time": settled,
    "datetime.timedelta": settled,
    "datetime.timezone": settled,
    "decimal.Decimal": settled,
    "uuid.UUID": settled,
    "zoneinfo.ZoneInfo": _zone,
    "builtins.ellipsis": settled,
    "builtins.NotImplementedType": settled,
    "types.GenericAlias": settled,
    "types.UnionType": settled,
}
"""Handlers of exact types, by name: most of these modules need not be there. None of these can change."""
