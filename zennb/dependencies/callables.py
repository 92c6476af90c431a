"""Owns the distinction between code and data: which values are code, and whether the user wrote them."""

from __future__ import annotations

import dis
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from zennb.compat.instances import is_a, module_name, qualified_name
from zennb.compat.python import CACHED_FUNCTION
from zennb.digests.code import home
from zennb.digests.digest import digest
from zennb.digests.function_source import closure_of
from zennb.digests.immutable import is_immutable
from zennb.packages.origin import full_name, module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

__all__ = [
    "SHELL",
    "are_alike",
    "has_state",
    "is_code",
    "is_from_shell",
    "is_own_builtin",
    "is_users_code",
    "stateful",
    "target",
]

CALLABLES = frozenset(
    {
        "builtins.builtin_function_or_method",
        "builtins.classmethod_descriptor",
        "builtins.function",
        "builtins.method",
        "builtins.method-wrapper",
        "builtins.method_descriptor",
        "builtins.wrapper_descriptor",
        CACHED_FUNCTION,
        "functools.partial",
        "numpy.ufunc",
    }
)
"""Types, by name, whose instances count as code rather than data."""

SHELL = frozenset({"display", "exit", "get_ipython", "open", "quit"})
"""Names that IPython gives to every notebook."""

_DESCRIBING = frozenset({"typing", "typing_extensions"})
_DESCRIPTIONS = frozenset({"types.GenericAlias", "types.UnionType"})
"""Types whose instances describe types: those of some modules, and some of `types`, which also has plain objects."""


def is_code(value: object) -> bool:
    """Say whether a value is code (functions, classes and what wraps them) rather than data."""
    cls = type(value)
    if is_a(value, type) or module_name(cls) in _DESCRIBING:
        return True
    return full_name(cls) in CALLABLES | _DESCRIPTIONS or is_a(value, BuiltinFunctionType)


def is_users_code(value: object) -> bool:
    """Say whether a function or class is the user's own."""
    if is_a(value, FunctionType):
        return origin(home(value)).is_users
    return is_a(value, type) and origin(module_of(value)).is_users


def is_own_builtin(phrase: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a use such as `eval(...)` is of a function of the user that has the name of the builtin."""
    return is_users_code(namespace.get(phrase.partition("(")[0]))


def has_state(code: object) -> bool:
    """Whether calling the user's code can change it: it has a cache, a counter or a mutable default.

    Methods of objects count too (`push = xs.append`). Running the definition again would not restore that state.
    """
    if is_a(code, MethodType | BuiltinFunctionType):
        owner = code.__self__
        return not (owner is None or is_a(owner, ModuleType | type) or is_immutable(owner))
    waiting, met = [code] if is_a(code, FunctionType) else [], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in met or not origin(home(one)).is_users:
            continue
        met.add(id(one))
        if _rebinds(one):
            return True
        # Through the functions it holds as well: a decorator keeps its state in the closure of the wrapper.
        for part in _carried(one):
            if is_a(part, FunctionType):
                waiting.append(part)
            elif not (is_code(part) or is_a(part, ModuleType) or is_immutable(part)):
                return True
    return False


def stateful(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions with state that calls can change; they are inputs, and outputs when changed."""
    return {name: value for name, value in definitions.items() if has_state(value)}


def _carried(function: FunctionType) -> Iterator[object]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from function.__dict__.values()
    yield from (value for name, value in closure_of(function).items() if name != "__class__")


def _rebinds(function: FunctionType) -> bool:
    """Say whether a function rebinds a variable of the function around it (`nonlocal`)."""
    code = function.__code__
    return bool(code.co_freevars) and any(
        each.opname in {"STORE_DEREF", "DELETE_DEREF"} and each.argval in code.co_freevars
        for each in dis.get_instructions(code)
    )


def are_alike(one: FunctionType, other: FunctionType) -> bool:
    """Whether two functions do the same: by their code, defaults, annotations, attributes and closures."""
    if one.__code__ != other.__code__:
        return False
    try:
        return digest(_held(one)) == digest(_held(other))
    except Exception:  # noqa: BLE001 - what has no digest, and annotations that newer Pythons evaluate only now
        return False


def _held(function: FunctionType) -> tuple[Any, ...]:
    own = vars(function)
    return function.__defaults__, function.__kwdefaults__, function.__annotations__, own, closure_of(function)


def target(value: object) -> str:
    """Return the dotted name of a function or class of a package; "" when it has none."""
    if is_a(value, type):
        name: str | None = qualified_name(value)
    else:
        name = getattr(value, "__qualname__", None) if is_code(value) else None
    module = module_of(value)
    return f"{module}.{name}" if name and module else ""


def is_from_shell(name: str, value: object) -> bool:
    """Whether IPython put this name into the notebook, like a builtin."""
    if name not in SHELL:
        return False
    return top_level(home(value) if is_a(value, FunctionType) else module_of(value)) == "IPython"
