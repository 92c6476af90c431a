"""Owns what classes run when an instance is loaded, and so may change what comes back.

A pickle fills a dictionary by `obj[key] = value`, a list by `extend`, slots by `setattr`, and makes sets, tuples,
numbers and exceptions by calling their class.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING

from zennb.compat.instances import bases_of, class_attributes, is_a
from zennb.digests.copy_effects import PYTHONS, changes_itself_when_loaded
from zennb.packages.origin import Origin, module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["has_recipe_of_library", "runs_when_loaded"]

_ANY = frozenset(
    {"__new__", "__setattr__", "__setstate__", "__reduce__", "__reduce_ex__", "__getstate__"}
    | {"__getnewargs__", "__getnewargs_ex__"}
)
_OF_CONTAINERS = frozenset({"__init__", "__setitem__", "append", "extend"})
"""Methods that run only where the class is derived from one of Python's own; any other object gets its attributes."""


def runs_when_loaded(cls: type) -> bool:
    """Whether loading an instance of a class runs a method that the user has written."""
    bases = bases_of(cls)
    users = [each for each in bases if origin(module_of(each)).is_users]
    if not users:
        return False
    is_pythons = any(module_of(each) in PYTHONS for each in bases if each is not object)
    wanted: AbstractSet[str] = _ANY | _OF_CONTAINERS if is_pythons else _ANY
    return any(not wanted.isdisjoint(class_attributes(each)) for each in users) or changes_itself_when_loaded(
        cls
    )


_FAITHFUL = frozenset({"matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch"})
"""Libraries whose recipes are known to give the parts of an object, and no copies of them."""


def has_recipe_of_library(cls: type) -> bool:
    """Whether a library says, in Python, how instances of a class are made again."""
    for each in bases_of(cls):
        found = class_attributes(each)
        own = [found[name] for name in ("__reduce__", "__reduce_ex__") if name in found]
        if own:
            return (
                any(is_a(one, FunctionType) for one in own)
                and origin(module_of(each)) is not Origin.PYTHON
                and top_level(module_of(each)) not in _FAITHFUL
            )
    return False
