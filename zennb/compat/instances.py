"""Owns looking at objects without running their code: what they are, what their class is called, their attributes.

`isinstance(value, kind)` asks `value.__class__`, which may raise (a weak proxy whose object is gone), lie (a mock, a
proxy) or do anything. What only looks at values of the user asks their types instead.
"""

from __future__ import annotations

from pathlib import PurePath
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    # The same for a type checker, which knows what follows from `isinstance`.
    from builtins import isinstance as is_a
    from collections.abc import Collection, Iterable, Mapping
else:

    def is_a(value, kinds):
        """Return whether the type of a value is one of these kinds, whatever the value itself says."""
        try:
            return issubclass(type(value), kinds)
        except Exception:  # noqa: BLE001 - a metaclass of the user, which an abstract base class asks
            return False


__all__ = [
    "attributes_of",
    "bases_of",
    "class_attribute",
    "class_attributes",
    "elements_of",
    "error_line",
    "error_text",
    "holds_own_attributes",
    "is_a",
    "is_one_of",
    "length_of",
    "module_attribute",
    "module_name",
    "name_of_module",
    "path_text",
    "plain",
    "qualified_name",
    "slot_values",
]

T = TypeVar("T")

# Taken from `type` itself, since a metaclass may define others.
_module = vars(type)["__module__"].__get__
_name = vars(type)["__qualname__"].__get__
_mro = vars(type)["__mro__"].__get__
_namespace = vars(type)["__dict__"].__get__


def is_one_of(value: object, kinds: Collection[object]) -> bool:
    """Return whether the type of a value is exactly one of these; a class without a hash is none of them."""
    try:
        return type(value) in kinds
    except Exception:  # noqa: BLE001 - a metaclass of the user with `__eq__` and no `__hash__`, or one that raises
        return False


def module_name(cls: type) -> str:
    """Return the name of the module that defines a class; "" when it has none."""
    try:
        found = _module(cls)
    except AttributeError:  # it was deleted
        return ""
    return found if type(found) is str else ""


def qualified_name(cls: type) -> str:
    """Return the qualified name of a class."""
    return str(_name(cls))


def name_of_module(module: ModuleType) -> str:
    """Return the name of a module; one that no module can have when it has none."""
    found = attributes_of(module).get("__name__")
    return found if type(found) is str else "<no name>"


def module_attribute(module: object, name: str) -> Any:
    """Return an attribute of what is in `sys.modules`, without the `__getattr__` of a module; None when it has none."""
    if is_a(module, ModuleType):
        return attributes_of(module).get(name)
    try:  # anything can be put there
        return getattr(module, name, None)
    except Exception:  # noqa: BLE001 - its own code
        return None


def bases_of(cls: type) -> tuple[type, ...]:
    """Return a class and all its bases, in the order in which attributes are looked up."""
    found: tuple[type, ...] = _mro(cls)
    return found


def class_attributes(cls: type) -> Mapping[str, Any]:
    """Return what a class itself defines."""
    found: MappingProxyType[str, Any] = _namespace(cls)
    return found


def class_attribute(cls: type, name: str) -> Any:
    """Return what a class or one of its bases defines under a name; None when none does."""
    return next((held[name] for held in map(class_attributes, bases_of(cls)) if name in held), None)


def attributes_of(value: object) -> dict[str, Any]:
    """Return the dictionary of an object's attributes; an empty one when it has none, or makes one up."""
    for cls in bases_of(type(value)):
        held = class_attributes(cls).get("__dict__")
        if held is not None:
            is_own = type(held) in {GetSetDescriptorType, MemberDescriptorType}  # of Python, not of the user
            found = held.__get__(value) if is_own else None
            return found if type(found) is dict else {}
    return {}


def holds_own_attributes(value: object) -> bool:
    """Whether a dictionary is the dictionary of its own attributes, as after `self.__dict__ = self`."""
    held: Any = class_attribute(type(value), "__dict__") if is_a(value, dict) else None
    return type(held) in {GetSetDescriptorType, MemberDescriptorType} and held.__get__(value) is value


def slot_values(value: object) -> dict[str, Any]:
    """Return the attributes of an object that are held in slots."""
    found = {}
    for cls in bases_of(type(value)):
        for name, slot in class_attributes(cls).items():
            # Slots of classes written in C compute what they return.
            if type(slot) is MemberDescriptorType and "__slots__" in class_attributes(cls):
                try:
                    found[name] = slot.__get__(value)
                except AttributeError:  # empty
                    continue
    return found


def plain(value: T) -> T:
    """Return a text, bytes or number of a class derived from Python's as Python's own; anything else as it is."""
    cls = type(value)
    for kind, convert in _PLAIN:
        if cls is kind:
            return value
        if issubclass(cls, kind):
            found: T = convert(value)
            return found
    return value


_PLAIN: tuple[tuple[type, Any], ...] = (
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (bool, bool),
    (int, int.__int__),
    (float, float.__float__),
)


def elements_of(value: object) -> Iterable[Any]:
    """Return what is in a list, tuple or set, or the pairs of a dictionary, also of derived classes; else nothing."""
    for kind, elements in _ELEMENTS:
        if issubclass(type(value), kind):
            found: Iterable[Any] = elements(value)
            return found
    return ()


def length_of(value: Collection[Any]) -> int:
    """Return the number of elements of a list, tuple, set, dictionary, text or bytes, also of derived classes."""
    for kind in (str, bytes, bytearray, list, tuple, dict, set, frozenset):
        if issubclass(type(value), kind):
            return kind.__len__(value)  # type: ignore[arg-type] # it is of that kind
    return 0


_ELEMENTS: tuple[tuple[type, Any], ...] = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (dict, dict.items),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
)


def path_text(value: object) -> str:
    """Return a text, or a path as text; "" for anything else."""
    if is_a(value, str):
        return plain(value)
    # Only of `pathlib` itself: a class of the user may do anything when it is asked.
    return str(value) if is_a(value, PurePath) and module_name(type(value)).startswith("pathlib") else ""


def error_line(error: BaseException) -> str:
    """Return the type of an error and the first line of what it says, to be quoted in a sentence."""
    kind = f"{type(error).__name__}: "
    said = error_text(error).removeprefix(kind)
    line = next((line for line in map(str.strip, said.splitlines()) if line), "")
    if not line or said == type(error).__name__:
        return type(error).__name__
    return kind + (line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…")


LONGEST_QUOTE = 160
"""Characters of the longest quotation."""


def error_text(error: BaseException) -> str:
    """Return the type of an error and what it says, if it can say anything."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - the error's own code
        return type(error).__name__
