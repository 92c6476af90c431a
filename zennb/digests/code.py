"""Owns the digests of functions, classes, methods and modules inside values."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from zennb.compat.instances import is_a, name_of_module, qualified_name
from zennb.compat.python import CACHED_FUNCTION
from zennb.digests.bytecode import code_digest, read_code
from zennb.digests.classes import class_parts
from zennb.digests.function_source import function_body
from zennb.digests.homes import name_at_home
from zennb.digests.objects import cell_content
from zennb.digests.walker import HIDDEN, STATE, DigestWalker, Handler, Steps
from zennb.packages.origin import Origin, module_of, origin

__all__ = ["HANDLERS", "class_", "class_name", "function_name", "home"]

COVERED = frozenset({"__wrapped__", "__isabstractmethod__"})
"""Entries of a function's `__dict__` that are visited separately or do not affect what it does."""


def home(function: FunctionType) -> str:
    """Return the name of the module whose globals a function reads: `__module__` is copied by `functools.wraps`."""
    name = function.__globals__.get("__name__")
    return name if is_a(name, str) else module_of(function)


def function_name(function: FunctionType) -> str:
    """Return the qualified name of a function's code, with the module when it is not the notebook."""
    name, module = function_body(function.__code__).name, home(function)
    return name if origin(module) is Origin.NOTEBOOK else f"{module}.{name}"


def class_name(cls: type) -> str:
    """Return the qualified name of a class, with the module when it is not the notebook."""
    module = module_of(cls)
    return qualified_name(cls) if origin(module) is Origin.NOTEBOOK else f"{module}.{qualified_name(cls)}"


def _function(walker: DigestWalker, value: FunctionType) -> Steps | None:
    module = home(value)
    if not module:
        return _homeless(walker, value)
    if not origin(module).is_users:
        return _foreign(walker, value, module)
    walker.code.setdefault(id(value), value)
    _note_variables(walker, value)
    if walker.seen(value):
        return None
    found = function_body(value.__code__)
    walker.mark("function")
    walker.sink.text(walker.note_module(module))
    walker.sink.text(found.name)
    walker.sink.text(found.digest)
    return _live_parts(walker, value)


def _homeless(walker: DigestWalker, value: FunctionType) -> Steps | None:
    """Write a function that was made from text (`exec`, `sympy.lambdify`): it is in no module that could tell."""
    _note_variables(walker, value)
    if walker.seen(value):
        return None
    walker.mark("function without module")
    # Not its source: the names of such texts are counted anew in each process.
    walker.sink.text(code_digest(value.__code__))
    return _homeless_parts(walker, value)


def _homeless_parts(walker: DigestWalker, value: FunctionType) -> Steps:
    """Yield what a function in no module reads, which nothing else defines, and its state."""
    known = value.__globals__
    for name in sorted(read_code(value.__code__).reads.keys() & known.keys() - {"__builtins__"}):
        walker.sink.text(name)
        yield known[name], f".{name}"
    yield from _live_parts(walker, value)


def _foreign(walker: DigestWalker, value: FunctionType, module: str) -> Steps | None:
    """Write a function of a package by its name, unless it was created inside another function."""
    name = value.__code__.co_qualname
    is_nested = value.__closure__ is not None or "__wrapped__" in value.__dict__ or "<" in name
    _named(walker, "package function", module, name)
    # The version of the package covers its code, but not what a call put into the closure of a nested function.
    if not is_nested or _is_found(value, module):
        return None
    _note_variables(walker, value)
    if walker.seen(value):
        return None
    return _live_parts(walker, value)


def _is_found(value: Any, module: str) -> bool:
    """Whether a module offers this function or class under its name, so that the package version covers it."""
    found: Any = sys.modules.get(module_of(value) or module)
    for part in str(getattr(value, "__qualname__", "")).split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found is value and not origin(module_of(value)).is_users


def _note_variables(walker: DigestWalker, value: FunctionType) -> None:
    """Note the closure variables of a function: functions that share a variable share state."""
    if not walker.in_labels:  # also when it is met again, as it may have been met inside a class before
        names = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        walker.owners.update(
            part for name, cell in names if name != "__class__" for part in (id(cell), -id(cell))
        )


def _live_parts(walker: DigestWalker, value: FunctionType) -> Steps:
    """Yield the state of a function besides its code: defaults, closure variables and attributes."""
    yield value.__defaults__, ".__defaults__"
    yield value.__kwdefaults__, ".__kwdefaults__"
    registry = getattr(value, "registry", None)
    if home(value) == "functools" and hasattr(value, "dispatch") and registry is not None:
        yield registry, ".registry"  # functools.singledispatch: its closure holds a cache of weak references
        return
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        walker.sink.text(name)
        if name == "__class__":  # a method of a class refers to the class, which is not part of the method
            continue
        for part, _ in cell_content(walker, cell):
            yield part, f".{name}"
    wrapped = value.__dict__.get("__wrapped__")
    # Attributes that were set on the function: `f.unit = "m"` changes what code reads from it.
    extra = {name: part for name, part in value.__dict__.items() if name not in COVERED}
    walker.sink.number(len(extra))
    for name, part in extra.items():
        walker.sink.text(name)
        yield part, f".{name}"
    if wrapped is not None:
        yield wrapped, ".__wrapped__"


def class_(walker: DigestWalker, value: type) -> Steps | None:
    """Write a class: a package's class by name, the user's class with all its parts."""
    module = module_of(value)
    if not origin(module).is_users:
        # pathlib's classes moved to a private module in Python 3.13.
        _named(
            walker,
            "package class",
            "pathlib" if module.startswith("pathlib") else module,
            qualified_name(value),
        )
        return None
    walker.code.setdefault(id(value), value)
    name = name_at_home(value)
    # A value refers to such a class by its name, and what the class consists of is no part of the value's own state.
    walker.in_labels += bool(name)
    met = walker.seen(value)
    walker.in_labels -= bool(name)
    if met:
        return None
    walker.mark("class")
    walker.sink.text(walker.note_module(module))
    walker.sink.text(qualified_name(value))
    if name not in {"", qualified_name(value)}:
        walker.sink.text(name)
    parts = class_parts(walker, value)
    return _by_name(walker, parts) if name else parts


def _by_name(walker: DigestWalker, parts: Steps) -> Steps:
    """Visit the parts of a class without counting them as state that values share."""
    walker.in_labels += 1
    known = len(walker.memory)
    yield from parts
    del walker.memory[known:]
    walker.in_labels -= 1


def _method(walker: DigestWalker, value: MethodType) -> Steps:
    module = _published(value)
    if module is not None:
        _named(walker, "builtin", module, value.__name__)
        return
    walker.mark("method")
    yield value.__func__, ".__func__"
    yield value.__self__, ".__self__"


def _published(value: Any) -> str | None:
    """Return the package module that offers a bound method as a function: `random.shuffle`, `numpy.random.rand`.

    The object it is bound to is global state of that module, which is not part of the content.
    """
    owner = value.__self__
    for module in (module_of(value), module_of(type(owner))):
        offered = getattr(sys.modules.get(module), "__dict__", {})
        if offered.get(value.__name__) is value and not origin(module).is_users:
            return module
    return None


def _named(walker: DigestWalker, kind: str, module: str, name: str) -> None:
    walker.note_module(module)
    walker.mark(kind)
    walker.sink.text(module)
    walker.sink.text(name)


def _builtin(walker: DigestWalker, value: BuiltinFunctionType) -> Steps | None:
    owner = value.__self__
    if owner is None or is_a(owner, ModuleType):
        _named(walker, "builtin", module_of(value) or "builtins", value.__qualname__)
    elif (module := _published(value)) is not None:
        _named(walker, "builtin", module, value.__name__)
    else:
        return _bound(walker, value)
    return None


def _bound(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("bound builtin")
    walker.sink.text(value.__name__)
    yield value.__self__, ".__self__"


def _descriptor(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("descriptor")
    walker.sink.text(value.__name__)
    yield value.__objclass__, HIDDEN


def _module(walker: DigestWalker, value: ModuleType) -> None:
    if origin(name_of_module(value)).is_users:
        walker.code.setdefault(id(value), value)
    walker.mark("module")
    walker.sink.text(walker.note_module(name_of_module(value)))


def _code(walker: DigestWalker, value: CodeType) -> None:
    walker.mark("code")
    walker.sink.text(code_digest(value))


def _parts_named(kind: str, *names: str) -> Handler:
    """Return the handler of a descriptor that consists of the attributes named."""

    def write(walker: DigestWalker, value: Any) -> Steps:
        walker.mark(kind)
        for name in names:
            yield getattr(value, name, None), f".{name}"

    return write


def _cached(walker: DigestWalker, value: Any) -> Steps:
    """Write a function behind `functools.lru_cache`: its parameters, but not the cached results."""
    if not walker.seen(value):
        walker.mark("cached function")
        yield value.cache_parameters(), HIDDEN
        yield value.__wrapped__, ".__wrapped__"


def _partial(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    walker.mark("partial")
    for name in ("func", "args", "keywords"):
        yield getattr(value, name), f".{name}"
    yield vars(value) or None, STATE


HANDLERS: dict[str, Handler] = {
    "builtins.function": _function,
    "builtins.method": _method,
    "builtins.builtin_function_or_method": _builtin,
    "builtins.method-wrapper": _bound,
    "builtins.method_descriptor": _descriptor,
    "builtins.wrapper_descriptor": _descriptor,
    "builtins.classmethod_descriptor": _descriptor,
    "builtins.getset_descriptor": _descriptor,
    "builtins.member_descriptor": _descriptor,
    "builtins.module": _module,
    "builtins.code": _code,
    "builtins.property": _parts_named("property", "fget", "fset", "fdel"),
    "builtins.classmethod": _parts_named("classmethod", "__func__"),
    "builtins.staticmethod": _parts_named("staticmethod", "__func__"),
    "abc.abstractproperty": _parts_named("abstract property", "fget", "fset", "fdel"),
    "abc.abstractclassmethod": _parts_named("abstract classmethod", "__func__"),
    "abc.abstractstaticmethod": _parts_named("abstract staticmethod", "__func__"),
    "functools.partial": _partial,
    "functools.cached_property": _parts_named("cached_property", "func"),
    CACHED_FUNCTION: _cached,
}
"""Handlers of exact types, by name."""
