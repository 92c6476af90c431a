"""Owns what is refused because a copy of it would be another thing: open files, views, objects with finalizers."""

from __future__ import annotations

import io
import pickle

from zennb.compat.instances import attributes_of, bases_of, class_attributes, is_a, slot_values
from zennb.digests.copy_effects import effects_of_copies, has_plain_makers, overwritten
from zennb.packages.origin import module_of, origin

__all__ = ["CopyChecks", "refuse_open_resources"]


class CopyChecks:
    """Refuses what does something for each copy, or when a copy goes away; it looks at each class once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[type, str, str]] = {}

    def refuse(self, value: object) -> None:
        """Refuse a value of which a copy would be noticed.

        Raises:
            pickle.PicklingError: it is an instance of a class of the user with a finalizer or another method that acts
                for each copy, or loading a copy would change it.
        """
        cls = type(value)
        known = self._known.get(id(cls))
        if known is None:
            known = self._known[id(cls)] = (
                cls,
                _why_not(cls),
                overwritten(cls) if has_plain_makers(cls) else "",
            )
        _, why, once_filled = known
        if why or (once_filled and (attributes_of(value) or slot_values(value))):
            raise pickle.PicklingError(why or f"its {once_filled}")


def _why_not(cls: type) -> str:
    if found := effects_of_copies(cls):
        return f"its {found}"
    has_finalizer = any("__del__" in class_attributes(each) for each in bases_of(cls) if _is_users(each))
    return "it has `__del__`, which would run for each copy" if has_finalizer else ""


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
