"""Owns `lost_callback`: what an object calls back, and a class of a library leaves out when the object is stored.

A trait that somebody observes, an axis with a callback: without it the object looks the same and does less. So such an
object has no digest, and is neither stored nor an input that anything is reused for.
"""

from __future__ import annotations

import weakref
from functools import partial
from types import BuiltinFunctionType, CellType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, bases_of, class_attributes, is_a, is_one_of, slot_values
from zennb.digests.walker import SCALARS
from zennb.packages.origin import full_name, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["lost_callback"]

_DECIDING = frozenset({"__getstate__", "__reduce__", "__reduce_ex__"})
_OBSERVED = "traitlets.traitlets.HasTraits"
"""The base of classes that call back only what was asked for, so code of libraries counts there too, as in links."""

_DEEP = 5
_MANY = 1000
"""Levels and objects that are looked at; registries of callbacks are small."""

_EMPTY = CellType()

_known: weakref.WeakKeyDictionary[type, tuple[bool, bool]] = weakref.WeakKeyDictionary()
"""Class → its `_facts`."""


def lost_callback(
    value: object,
    recipe: tuple[Any, ...],
    clear: dict[int, tuple[int, Any]],
    caches: frozenset[str] = frozenset(),
) -> str:
    """Return the name of a callback that an object has and its pickle recipe does not; "" if there is none.

    Args:
        value: the object.
        recipe: what `__reduce_ex__` returned.
        clear: `DigestWalker.clear`; what is looked at now is added.
        caches: attributes that are no part of its content, as the weak references of a transform to those that use it.
    """
    state = recipe[2] if len(recipe) > 2 else None
    if type(state) is tuple and len(state) == 2:
        state = state[0]
    if type(state) is not dict:
        return ""
    is_decided, any_code = _facts(type(value))
    if not is_decided:
        return ""
    # Kept maybe under another name, or without the object that holds it.
    kept = {id(state), *map(id, state.values())}
    left = [
        part
        for name, part in attributes_of(value).items()
        if not is_one_of(part, SCALARS) and id(part) not in kept and name not in caches
    ]
    if not left:
        return ""
    if not any_code and _are_clear(left, clear):
        return ""
    bases = bases_of(type(value))
    declared = {id(each) for base in bases for each in class_attributes(base).values()}
    for part in _inside(left, declared):
        if (function := _users_function(part)) is not None or (
            any_code and is_a(function := getattr(part, "__func__", part), FunctionType | BuiltinFunctionType)
        ):
            return str(function.__name__)
    return ""


def _users_function(part: Any) -> Any:
    """Return the function of the user that something is, or a method of a container; None for anything else."""
    # Nothing can be derived from these three types.
    function = part.__func__ if type(part) is MethodType else part
    if type(function) is FunctionType:
        return function if origin(module_of(function)).is_users else None
    is_method = type(function) is BuiltinFunctionType and is_a(function.__self__, list | dict | set)
    return function if is_method else None


def _are_clear(values: list[Any], clear: dict[int, tuple[int, Any]]) -> bool:
    """Whether there is no function of the user inside values, whatever their class declares.

    Parts of a figure all lead to each other: without notes of what is clear, each of them would be looked through again
    from each of them. False if there is too much to look at.
    """
    level, looked = values, dict[int, tuple[int, Any]]()
    for levels in range(_DEEP, 0, -1):
        fresh = []
        for each in level:
            if is_one_of(each, SCALARS) or id(each) in looked:
                continue
            if (known := clear.get(id(each))) is not None and known[0] >= levels:
                continue
            looked[id(each)] = levels, each
            if _users_function(each) is not None or len(looked) > _MANY:
                return False
            fresh.append(each)
        level = [inner for each in fresh for inner in _parts(each)] if levels > 1 else []
    clear.update(looked)
    return True


def _facts(cls: type) -> tuple[bool, bool]:
    """Return whether a library decides what is stored of a class's instances, and whether these can be observed."""
    known = _known.get(cls)
    if known is None:
        deciding = next((each for each in bases_of(cls) if class_attributes(each).keys() & _DECIDING), object)
        found = origin(module_of(deciding))
        is_observed = any(full_name(base) == _OBSERVED for base in bases_of(cls))
        known = _known[cls] = (deciding is not object and not found.is_users, is_observed)
    return known


def _inside(values: list[Any], declared: set[int]) -> Iterator[Any]:
    """Yield what is inside values, without what their class declares and so makes again."""
    seen, level = set(declared), values
    for _ in range(_DEEP):
        fresh = [each for each in level if id(each) not in seen]
        seen.update(map(id, fresh))
        yield from fresh
        if len(seen) > _MANY + len(declared):
            return
        level = [inner for each in fresh for inner in _parts(each)]


def _parts(value: Any) -> list[Any]:
    cls = type(value)
    read = _readers.get(cls)
    if read is None:
        read = _readers[cls] = _reader(cls)
    return read(value)


_readers: weakref.WeakKeyDictionary[type, Callable[[Any], list[Any]]] = weakref.WeakKeyDictionary()
"""Class → what returns the parts of its instances."""


def _reader(cls: type) -> Callable[[Any], list[Any]]:
    """Return how the parts of a class's instances are read; a figure has tens of thousands, of few classes."""
    for kind, read in _READERS.items():
        if issubclass(cls, kind):
            return read
    has_slots = any("__slots__" in class_attributes(base) for base in bases_of(cls))
    return _of_slotted if has_slots else _of_object


def _of_object(value: Any) -> list[Any]:
    return [*attributes_of(value).values()]


def _of_slotted(value: Any) -> list[Any]:
    return [*attributes_of(value).values(), *slot_values(value).values()]


_READERS: dict[type, Callable[[Any], list[Any]]] = {
    dict: lambda value: [*dict.values(value)],
    **dict.fromkeys((list, tuple, set, frozenset), lambda value: [*value]),
    weakref.WeakMethod: lambda value: [weakref.WeakMethod.__call__(value)],
    weakref.ReferenceType: lambda value: [weakref.ReferenceType.__call__(value)],
    partial: lambda value: [value.func],
    # A library wraps what it is given.
    FunctionType: lambda value: [cell.cell_contents for cell in value.__closure__ or () if cell != _EMPTY],
    type: lambda _: [],
    MethodType: lambda _: [],
}
