"""Owns the line between code and data: which values count as functions and classes, and whose they are."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType

from zennb.core.digest_code import home
from zennb.core.origin import module_of, origin

__all__ = ["is_code", "is_users_code", "target"]

CALLABLES = frozenset(
    {
        "builtins.builtin_function_or_method",
        "builtins.classmethod_descriptor",
        "builtins.function",
        "builtins.method",
        "builtins.method-wrapper",
        "builtins.method_descriptor",
        "builtins.wrapper_descriptor",
        "functools._lru_cache_wrapper",
        "functools.partial",
        "numpy.ufunc",
    }
)
"""Types, by name, whose instances are code and not data."""

DESCRIPTIONS = frozenset({"types", "typing", "typing_extensions"})
"""Modules of types whose instances describe types: `List[int]`, `int | str`."""


def is_code(value: object) -> bool:
    """Say whether a value is code (functions, classes and what wraps them) rather than data."""
    cls = type(value)
    if isinstance(value, type) or cls.__module__ in DESCRIPTIONS:
        return True
    return f"{cls.__module__}.{cls.__qualname__}" in CALLABLES or isinstance(value, BuiltinFunctionType)


def is_users_code(value: object) -> bool:
    """Say whether a function or class is the user's own."""
    if isinstance(value, FunctionType):
        return origin(home(value)).is_users
    return isinstance(value, type) and origin(module_of(value)).is_users


def target(value: object) -> str:
    """Return where a function or class of a package is to be found; "" for what has no such place."""
    name = getattr(value, "__qualname__", None)
    module = module_of(value)
    return f"{module}.{name}" if name and module else ""
