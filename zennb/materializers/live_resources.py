"""Owns what is refused because a copy of it would be another thing: open files, views, objects with finalizers."""

from __future__ import annotations

import io
import pickle

from zennb.compat.instances import bases_of, class_attributes, is_a
from zennb.packages.origin import module_of, origin

__all__ = ["refuse_finalizers", "refuse_open_resources"]


def refuse_finalizers(value: object) -> None:
    """Refuse what does something when it goes away: each copy would do it once more.

    Raises:
        pickle.PicklingError: it is an instance of a class of the user with a finalizer.
    """
    if any("__del__" in class_attributes(each) for each in bases_of(type(value)) if _is_users(each)):
        raise pickle.PicklingError("it has `__del__`, which would run for each copy")


def _is_users(cls: type) -> bool:
    return cls is not object and origin(module_of(cls)).is_users


def refuse_open_resources(value: object) -> None:
    """Refuse open files and memory views.

    Raises:
        pickle.PicklingError: it is an open file, or a view of another value's memory.
    """
    if is_a(value, io.IOBase) and not is_a(value, io.BytesIO | io.StringIO):
        raise pickle.PicklingError("an open file")
    if is_a(value, memoryview):
        raise pickle.PicklingError("a view of another value's memory")
