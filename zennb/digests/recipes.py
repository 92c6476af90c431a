"""Owns the pickle recipes of Python's own values that have none, or one that leaves out what counts."""

from __future__ import annotations

import copyreg
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from zennb.compat.agents import model_recipe, numbers_agents
from zennb.compat.instances import attributes_of, bases_of, class_attributes, holds_own_attributes
from zennb.compat.iterators import dictionary_recipe, goes_over_dictionaries
from zennb.compat.python import error_recipe
from zennb.digests.added_attributes import own_slots
from zennb.packages.origin import Origin, module_of, origin

__all__ = ["has_plain_recipe", "hold_own_attributes", "whole_recipe"]


def whole_recipe(value: object) -> tuple[Any, ...] | None:
    """Return the recipe of an exception, a view or iterator of a dictionary, a model, or an object of the user.

    None where the recipe that it has by itself says everything.
    """
    return (
        error_recipe(value)
        or dictionary_recipe(value)
        or model_recipe(value)
        or _own_attributes(value)
        or _subclass_recipe(value)
    )


def has_plain_recipe(cls: type) -> bool:
    """Whether `whole_recipe` has none for any instance of a class, so that there is no need to ask for each of them."""
    is_known = issubclass(cls, BaseException | dict) or goes_over_dictionaries(cls) or numbers_agents(cls)
    return not is_known and not _knows_attributes(cls)


def _own_attributes(value: object) -> tuple[Any, ...] | None:
    """Return the recipe of a dictionary that holds its own attributes, as after `self.__dict__ = self`."""
    if not holds_own_attributes(value):
        return None
    make: Any = getattr(copyreg, "__newobj__", None)
    items: Any = dict.items(value)  # type: ignore[arg-type] # it is one
    return make, (type(value),), True, None, iter(items), hold_own_attributes


def hold_own_attributes(value: object, _state: bool) -> None:
    """Let a loaded dictionary hold its own attributes."""
    object.__setattr__(value, "__dict__", value)


def _subclass_recipe(value: object) -> tuple[Any, ...] | None:
    """Return the pickle recipe of an instance of the user's class, where the one of Python leaves attributes out.

    Those of `Counter`, `defaultdict`, `Decimal`, dates, fractions and paths know the class, and no attributes of it.
    """
    cls = type(value)
    held, slots = (attributes_of(value), own_slots(value)) if _knows_attributes(cls) else ({}, {})
    if not held and not slots:
        return None
    recipe: Any = value.__reduce_ex__(4)
    make, arguments, *rest = recipe
    state, items, pairs = (*rest, None, None, None)[:3]
    if make is not cls or state is not None:
        return None
    return make, arguments, (held, slots) if slots else held, items, pairs


def _knows_attributes(cls: type) -> bool:
    if (has_pythons := _has_pythons.get(cls)) is None:
        has_pythons = _has_pythons[cls] = _has_recipe_of_python(cls)
    return has_pythons


_has_pythons: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
"""Class → what `_has_recipe_of_python` says."""


def _has_recipe_of_python(cls: type) -> bool:
    """Whether a class is the user's, and the recipe of its instances is of a class of Python other than `object`."""
    if not origin(module_of(cls)).is_users or issubclass(cls, Enum):
        return False
    by = {
        name: each for each in reversed(bases_of(cls)) for name in _RECIPE if name in class_attributes(each)
    }
    makers = {by.get("__reduce_ex__"), by.get("__reduce__")} - {object}
    return (
        "__setstate__" not in by
        and bool(makers)
        and all(origin(module_of(each)) is Origin.PYTHON for each in makers)
    )


_RECIPE = ("__reduce__", "__reduce_ex__", "__setstate__")
