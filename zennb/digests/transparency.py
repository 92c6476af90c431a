"""Owns `is_transparent`: whether the garbage collector tells all that the instances of a class refer to."""

from __future__ import annotations

import builtins
import sys
import types
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, class_attributes, is_a, module_name
from zennb.digests.reachability import KERNEL
from zennb.packages.origin import full_name, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["is_transparent"]


def is_transparent(cls: type, trusted: Collection[str] = ()) -> bool:
    """Whether the garbage collector tells all that instances of a class refer to.

    It does for what is written in Python, and for nearly all types of the standard library. An extension may keep
    references to itself: a tensor knows the model that it was computed with, and does not say so.

    Args:
        cls: the class.
        trusted: import names of packages whose classes do tell, although they are written in C.
    """
    for base in bases_of(cls):
        module = module_of(base).partition(".")[0]
        if module in trusted:
            continue
        if module in _HIDING or full_name(base) in _HIDING:
            return False
        if module == "builtins" and base not in _PYTHONS:
            return False
        if module in _STANDARD or module.lstrip("_") in _STANDARD or origin(module_of(base)).is_users:
            continue
        if _adds_nothing(base):
            continue
        if not any(is_a(each, FunctionType | property) for each in class_attributes(base).values()):
            return module_name(cls).startswith(KERNEL)
    return True


def _adds_nothing(cls: type) -> bool:
    """Whether instances have no more memory than those of its base, so that no references can hide there.

    But for their attributes and weak references to them, of which the class tells.
    """
    base: Any = type.__dict__["__base__"].__get__(cls)
    sizes = [type.__dict__["__basicsize__"].__get__(each) for each in (cls, base or cls)]
    told = len({"__dict__", "__weakref__"} & class_attributes(cls).keys())
    return base is not None and sizes[0] - sizes[1] <= told * _POINTER


_POINTER = 8
_STANDARD = sys.stdlib_module_names
_HIDING = frozenset({"ctypes", "_ctypes", "mmap", "_ssl", "_contextvars", "_thread._local", "_hashlib"})
"""Modules and types of Python whose instances refer to what the collector does not see, or to memory and contexts."""

_PYTHONS = frozenset(each for home in (builtins, types) for each in vars(home).values() if is_a(each, type))
"""Types of Python itself. Those of some extensions do not say their module, and seem to be among them."""
