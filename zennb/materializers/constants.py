"""Owns the constants of libraries that are known by being one object: of `marshmallow.missing`, a copy is none.

A library asks `value is missing`. Such an object has a class and nothing else, and lies in a module under some name.
Pickles that do not say so make another object of the class.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import attributes_of, bases_of, class_attributes
from zennb.digests.objects import is_pure
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["constant_reduction", "has_constants", "library_constant", "objects_of_libraries"]

_LIBRARIES = {Origin.PACKAGE, Origin.PYTHON}
_RECIPES = frozenset({"__getnewargs__", "__getnewargs_ex__", "__getstate__", "__reduce__", "__reduce_ex__"})

_named: WeakKeyDictionary[type, dict[int, tuple[str, str]]] = WeakKeyDictionary()
"""Class → id of a constant of it → where it lies."""


def has_constants(cls: type) -> bool:
    """Whether some instances of a class are constants of the module that the class is written in."""
    return bool(_constants(cls))


def constant_reduction(
    value: object, objects: Callable[[], Mapping[int, tuple[str, str]]]
) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a constant: its module and name; None for anything else.

    Args:
        value: anything.
        objects: returns the `object()`s of libraries.
    """
    cls = type(value)
    place = (objects() if cls is object else _constants(cls)).get(id(value))
    return None if place is None else (library_constant, place)


def library_constant(module: str, name: str) -> Any:
    """Return the constant of that name."""
    return getattr(import_module(module), name)


def _constants(cls: type) -> dict[int, tuple[str, str]]:
    if (known := _named.get(cls)) is None:
        known = _named[cls] = _found(cls)
    return known


def _found(cls: type) -> dict[int, tuple[str, str]]:
    home = module_of(cls)
    has_recipe = any(
        not class_attributes(each).keys().isdisjoint(_RECIPES) for each in bases_of(cls) if each is not object
    )
    if has_recipe or not is_pure(cls) or origin(home) not in _LIBRARIES:
        return {}
    return {
        id(each): (home, name)
        for name, each in attributes_of(sys.modules.get(home)).items()
        if type(each) is cls and object.__getstate__(each) is None  # it has nothing that could be set
    }


def objects_of_libraries() -> dict[int, tuple[str, str]]:
    """Return where each `object()` lies, by its id: its class does not say of which module it is."""
    found: dict[int, tuple[str, str]] = {}
    for module, loaded in list(sys.modules.items()):
        for name, each in list(attributes_of(loaded).items()):
            if type(each) is object and id(each) not in found and origin(module) in _LIBRARIES:
                found[id(each)] = module, name
    return found
