"""Owns the search for what copying an object does beyond copying it: methods of its class that run for each copy.

To digest, store and load an object is to call methods that its class defines: `__reduce__`, `__setstate__`, `__new__`,
`__hash__`. Where one of them counts, registers, prints or draws a random number, each copy would do it once more.
"""

from __future__ import annotations

import copyreg
from enum import Enum
from functools import partial, partialmethod
from types import FunctionType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, class_attribute, class_attributes, is_a
from zennb.digests.code_names import Role
from zennb.digests.copied_code import effects_of_code
from zennb.digests.existing_objects import may_give_existing
from zennb.packages.origin import Origin, module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "PYTHONS",
    "changes_itself_when_loaded",
    "effects_of_copies",
    "effects_of_recipe",
    "has_plain_makers",
    "overwritten",
]

PYTHONS = frozenset({"array", "builtins", "collections", "datetime", "decimal", "fractions"})
"""Modules of Python's own containers, numbers and dates."""

_LOOKED_AT = (
    *("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"),
    *("__getattribute__", "__class__", "__dict__", "__array__"),
)
"""Methods and properties that are asked when an object is digested or stored: it is the user's own."""

_LOADED = ("__setstate__", "__getattr__", "__hash__", "__eq__")
"""Methods that are called for the copy when it is loaded. It may be a key then, or in a set."""

_CONTAINERS = dict.fromkeys(("__iter__", "items"), Role.LOOKED_AT) | dict.fromkeys(
    ("__setitem__", "append", "extend", "add", "update"), Role.NEW
)
_BY_LIBRARY = dict.fromkeys(PYTHONS, _CONTAINERS) | {
    "numpy": {"__array_finalize__": Role.NEW},
    "pandas": {
        "_constructor": Role.LOOKED_AT,
        "_constructor_sliced": Role.LOOKED_AT,
        "__finalize__": Role.NEW,
    },
    "pathlib": {"__str__": Role.LOOKED_AT, "__fspath__": Role.LOOKED_AT},
    "sklearn": {"get_params": Role.LOOKED_AT},
}
"""Module or package of a base → what else is called then of classes that are derived from it."""


def effects_of_copies(cls: type) -> str:
    """Return what copying an instance does: "`__setstate__` would run for each copy, and changes `LOG`".

    "" where it does nothing. Classes are not copied: they are found by name, or defined again.
    """
    if issubclass(cls, type):
        return ""
    for name, method, role, owner in _methods(cls):
        found = effects_of_code(method, role, owner)
        if found:
            return f"`{name}` would run for each copy, and {found}"
    return ""


def changes_itself_when_loaded(cls: type) -> bool:
    """Whether what is asked of a copy while it is loaded may change it: a `__hash__` that counts its calls."""
    asked = (name for name in ("__hash__", "__eq__", "__getattr__"))
    return any(
        effects_of_code(method, Role.LOOKED_AT, cls) for name in asked for method in _of_users(cls, name)
    )


def effects_of_recipe(
    recipe: tuple[Any, ...], cls: type, known: dict[tuple[int, int, bool], tuple[Any, str]]
) -> str:
    """Return what making a copy by a pickle recipe would do to others; "" as a rule.

    Args:
        recipe: of an object.
        cls: its class.
        known: what was found before of the functions that recipes call, with these, which keeps them alive.
    """
    make, fills = recipe[0], any(each is not None for each in recipe[2:5])
    key = id(cls), id(getattr(make, "__func__", make)), fills
    if key not in known:
        known[key] = (
            make,
            next(filter(None, (_of_maker(each, cls, fills) for each in (make, *recipe[5:]))), ""),
        )
    return known[key][1]


def _of_maker(make: Any, cls: type, fills: bool) -> str:
    """Return what calling a function does beyond making an object, into which something is written then or not."""
    owner = make.__self__ if is_a(make, MethodType) and is_a(make.__self__, type) else None
    role = Role.OTHER if owner is None else Role.MAKER
    function = make.__func__ if is_a(make, MethodType) else make
    if is_a(function, FunctionType):
        if found := effects_of_code(function, role, owner):
            return f"`{function.__name__}` would run for each copy, and {found}"
        if fills and may_give_existing(function, role, owner):
            return _overwriting(function.__name__)
    calls = _of_users(type(cls), "__call__") if make is cls else ()
    if fills and any(may_give_existing(each, Role.MAKER, cls) for each in calls):
        return _overwriting("__call__")
    return overwritten(cls) if fills else ""


def overwritten(cls: type) -> str:
    """Return why loading a copy of an instance would change the instance; "" as a rule."""
    for base in _users_bases(cls):
        make = class_attributes(base).get("__new__")
        if make is not None and not issubclass(cls, Enum) and may_give_existing(make, Role.MAKER, cls):
            return _overwriting("__new__")
    return ""


def _overwriting(name: str) -> str:
    return f"`{name}` may give one that exists already, which loading a copy would overwrite"


def _methods(cls: type) -> Iterator[tuple[str, FunctionType, Role, type]]:
    """Yield the functions of the user that run when an instance is copied, also those that others override."""
    reducer = copyreg.dispatch_table.get(cls)
    if is_a(reducer, FunctionType):
        yield reducer.__name__, reducer, Role.LOOKED_AT, cls
    users = _users_bases(cls)
    if not users:
        return
    roles = dict.fromkeys(_LOOKED_AT, Role.LOOKED_AT) | dict.fromkeys(_LOADED, Role.NEW)
    for base in bases_of(cls):
        roles |= {} if base is object else _BY_LIBRARY.get(top_level(module_of(base)), {})
    if any(type(each) is MemberDescriptorType for base in users for each in class_attributes(base).values()):
        roles["__setattr__"] = Role.NEW
    if _is_called(cls):
        roles |= {"__init__": Role.NEW, "__post_init__": Role.NEW}
        for method in _of_users(type(cls), "__call__"):
            yield "__call__", method, Role.MAKER, cls
    roles["__new__"] = Role.MAKER
    for base in users:
        for name in roles.keys() & class_attributes(base).keys():
            for own in _functions(class_attributes(base)[name]):
                yield name, own, roles[name], cls


def has_plain_makers(cls: type) -> bool:
    """Whether no recipe of the user says how instances are made."""
    return next(_of_users(cls, "__reduce__"), None) is next(_of_users(cls, "__reduce_ex__"), None) is None


def _is_called(cls: type) -> bool:
    """Whether loading an instance may call its class, as Python's sets and errors want it, and recipes of the user."""
    if issubclass(cls, Enum):
        return False
    for name in ("__reduce__", "__reduce_ex__"):
        home = next(each for each in bases_of(cls) if name in class_attributes(each))
        if home is not object and origin(module_of(home)) is not Origin.PACKAGE:
            return True
    return False


def _users_bases(cls: type) -> list[type]:
    return [each for each in bases_of(cls) if each is not object and origin(module_of(each)).is_users]


def _of_users(cls: type, name: str) -> Iterator[FunctionType]:
    for base in _users_bases(cls):
        yield from _functions(class_attributes(base).get(name))


def _functions(attribute: Any) -> list[FunctionType]:
    """Return the functions behind what a class defines under a name."""
    if is_a(attribute, staticmethod | classmethod):
        attribute = attribute.__func__
    elif is_a(attribute, property):
        attribute = attribute.fget
    elif is_a(attribute, partial | partialmethod):
        attribute = attribute.func
    elif origin(module_of(type(attribute))).is_users:  # an object that is called, or gives what is called
        asked = [class_attribute(type(attribute), name) for name in ("__get__", "__call__")]
        return [each for each in asked if is_a(each, FunctionType)]
    return [attribute] if is_a(attribute, FunctionType) else []
