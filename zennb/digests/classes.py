"""Owns which parts of a user-written class count for its digest: bases, fields, attributes and methods."""

from __future__ import annotations

from enum import Enum
from functools import cached_property
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from zennb.compat.python import field_kind, own_annotations
from zennb.digests.walker import HIDDEN, DigestWalker, Steps
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["class_parts", "functions_in", "member_attributes", "own_attributes"]

NOISE = frozenset(
    {
        "__abstractmethods__",
        "__annotate__",
        "__annotate_func__",
        "__annotations_cache__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__dict__",
        "__doc__",
        "__firstlineno__",
        "__module__",
        "__non_callable_proto_members__",
        "__protocol_attrs__",
        "__qualname__",
        "__slotnames__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
        "_is_protocol",
        "_is_runtime_protocol",
    }
)
"""Attributes that Python keeps for itself, that follow from others, or that are written on their own."""

BOOKKEEPING = ("__pydantic_", "__attrs_props__")
"""How attributes begin that a package derives from the others."""

GENERATED = ("<string>", "<dynamic-code>")
"""What code made by `dataclasses` and `collections` calls its file, and what cloudpickle calls it in a copy."""

PARAMS = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
OPTIONS = ("init", "repr", "hash", "compare", "kw_only")


def class_parts(walker: DigestWalker, cls: type) -> Steps:
    """Yield the parts of a class: metaclass, bases, fields, attributes, methods.

    Nothing is taken from the text of the class statement: what it did is what the class holds. Attributes are
    written in the order of their names, so that moving a method is no change.
    """
    shell = walker.shell is cls
    for base in (type(cls), *cls.__bases__):
        if shell:
            walker.type_ref(base)
        else:
            yield base, HIDDEN
    if issubclass(cls, Enum):
        yield [(name, member._value_) for name, member in cls.__members__.items()], HIDDEN
        for name, member in cls.__members__.items():
            if attributes := member_attributes(member):
                yield attributes, f".{name}"
    yield from _fields(walker, cls)
    for name, attribute in own_attributes(cls).items():
        functions = list(functions_in(attribute)) if shell else []
        walker.sink.text(name)
        if not functions:
            yield attribute, f".{name}"
            continue
        walker.sink.text(type(attribute).__name__)
        for function in functions:
            walker.sink.text(f"{function.__globals__.get('__name__')}.{function.__code__.co_qualname}")


def functions_in(attribute: object) -> Iterator[FunctionType]:
    """Yield the user's functions an attribute of a class consists of, as far as they can be named one by one."""
    if isinstance(attribute, FunctionType):
        found: tuple[object, ...] = (attribute,)
    elif type(attribute) is property:
        found = (attribute.fget, attribute.fset, attribute.fdel)
    elif type(attribute) in {classmethod, staticmethod}:
        found = (attribute.__func__,)  # type: ignore[attr-defined] # both have it
    elif type(attribute) is cached_property:
        found = (attribute.func,)
    else:
        found = ()
    for function in found:
        if isinstance(function, FunctionType) and _is_users(function):
            yield function


def member_attributes(member: Enum) -> dict[str, Any]:
    """Return what a member of an enumeration holds besides its name and value, by name in alphabetical order."""
    return {
        name: value
        for name, value in sorted(vars(member).items())
        if not (name.startswith("_") and name.endswith("_"))
    }


def own_attributes(cls: type) -> dict[str, Any]:
    """Return what a class itself holds and its author meant, by name in alphabetical order."""
    held = dict(vars(cls))
    if (annotations := own_annotations(cls)) is not None:
        held["__annotations__"] = annotations
    return {name: value for name, value in sorted(held.items()) if _counts(cls, name, value)}


def _is_users(function: FunctionType) -> bool:
    return origin(str(function.__globals__.get("__name__"))).is_users


def _counts(cls: type, name: str, value: Any) -> bool:
    """Say whether an attribute of a class is part of its content, and not derived or written elsewhere."""
    if name in NOISE or name.startswith(BOOKKEEPING):
        return False
    if isinstance(value, GetSetDescriptorType | MemberDescriptorType):
        return False
    is_named_tuple = issubclass(cls, tuple) and "_fields" in vars(cls)
    if is_named_tuple and type(value).__name__ == "_tuplegetter":
        return False
    if (is_named_tuple or "__dataclass_fields__" in vars(cls)) and _is_generated(value):
        return False
    # Members of an enumeration are written on their own.
    is_members = issubclass(cls, Enum) and name in cls.__members__
    return not is_members and (not issubclass(cls, Enum) or any(functions_in(value)) or name[:1] != "_")


def _is_generated(value: object) -> bool:
    """Say whether a function was made from the fields of a dataclass or named tuple."""
    function = getattr(value, "__func__", value)
    if not isinstance(function, FunctionType):
        return False
    return function.__code__.co_filename.startswith(GENERATED) or not _is_users(function)


def _fields(walker: DigestWalker, cls: type) -> Steps:
    held = vars(cls)
    fields = held.get("__dataclass_fields__")
    if fields is None:
        return
    params = held.get("__dataclass_params__")
    walker.sink.text(" ".join(str(getattr(params, name, None)) for name in PARAMS))
    walker.sink.number(len(fields))
    for name, field in fields.items():
        walker.sink.text(name)
        walker.sink.text(field_kind(cls, field))
        for option in OPTIONS:
            yield getattr(field, option), f".{name}"
        for part in (field.default, field.default_factory, field.metadata):
            yield part, f".{name}"
