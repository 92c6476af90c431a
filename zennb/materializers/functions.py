"""Owns the serialization of notebook functions: their code by value, with the loading notebook as their globals.

A function that a call created (`add = adder(5)`) cannot be found by name. It is pickled with its closure, and functions
that share a closure variable share it again after loading. Its global names are resolved when it is called, as before.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from importlib import import_module
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.code_pickling import is_importable
from zennb.compat.instances import is_a
from zennb.compat.python import CachedFunction, own_annotations
from zennb.packages.origin import module_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zennb.materializers.materializer import Scope

__all__ = [
    "cached_reduction",
    "cell_reduction",
    "code_reduction",
    "fill_cell",
    "function_reduction",
    "located",
    "make_cached",
    "make_cell",
    "make_function",
    "make_module_function",
    "module_function_reduction",
    "names_read",
    "set_state",
]

_CARRIED = ("__defaults__", "__kwdefaults__", "__module__", "__qualname__", "__doc__")


def code_reduction(value: Any, scope: Scope, needs: dict[str, None]) -> tuple[Any, ...] | None:
    """Return the recipe for a function that cannot be found by name, or a part of one; None for anything else.

    Args:
        value: anything.
        scope: names of the notebook.
        needs: gets the names of the classes and functions of the notebook that it reads.
    """
    if is_a(value, FunctionType):
        if value.__globals__.get("__name__") == "__main__":
            found = {name: scope.get(name) for name in names_read(value.__code__)}
            needs.update(dict.fromkeys(name for name, each in found.items() if _is_notebooks(each)))
            return function_reduction(value)
        return None if is_importable(value) else module_function_reduction(value)
    if is_a(value, CellType):
        return cell_reduction(value)
    return cached_reduction(value) if is_a(value, CachedFunction) else None


def _is_notebooks(value: object) -> bool:
    return is_a(value, type | FunctionType) and module_of(value) == "__main__"


def function_reduction(function: FunctionType) -> tuple[Any, ...]:
    """Return the pickle recipe of a notebook function. The unpickler passes its scope to `make_function`."""
    code = function.__code__
    made = (code, function.__name__, function.__closure__, _source(code))
    return make_function, made, _state(function), None, None, set_state


def make_function(
    code: CodeType, name: str, closure: Any, source: Any, scope: Scope | None = None
) -> FunctionType:
    """Return a function of that code with `scope` as its globals; put its source into `linecache`, as IPython does."""
    if source is not None:
        lines = list(source)
        filename = f"<cell {hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]}>"
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
        # A name from the content of the cell: the source is found again, and two functions of one cell share it.
        code = located(code, filename)
    # The live namespace where there is one, so that the function sees later changes of the names it reads.
    names = scope if isinstance(scope, dict) else {"__name__": "__main__", **(scope or {})}
    return FunctionType(code, names, name, None, closure)


def module_function_reduction(function: FunctionType) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a function created by code of a module (`f = mylib.make(3)`); None for any other.

    Its globals are those of the module, resolved when it is called.
    """
    module = str(function.__globals__.get("__name__"))
    if getattr(sys.modules.get(module), "__dict__", None) is not function.__globals__:
        return None
    code = function.__code__
    made = (code, code.co_filename, function.__name__, function.__closure__, module)
    return make_module_function, made, _state(function), None, None, set_state


def make_module_function(code: CodeType, filename: str, name: str, closure: Any, module: str) -> FunctionType:
    """Return a function of that code with the globals of a module."""
    return FunctionType(located(code, filename), vars(import_module(module)), name, None, closure)


def _state(function: FunctionType) -> tuple[dict[str, Any], dict[str, Any]]:
    carried = {name: getattr(function, name) for name in _CARRIED}
    return {**carried, "__annotations__": own_annotations(function)}, function.__dict__


def set_state(function: FunctionType, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Set a function's defaults, names and attributes."""
    carried, attributes = state
    for name, value in carried.items():
        setattr(function, name, value)
    function.__dict__.update(attributes)


def cell_reduction(cell: CellType) -> tuple[Any, ...]:
    """Return the pickle recipe of a closure variable. It is created empty, because its content may refer to it."""
    try:
        content = (cell.cell_contents,)
    except ValueError:
        return make_cell, ()
    return make_cell, (), content, None, None, fill_cell


def make_cell() -> CellType:
    """Return an empty closure variable."""
    return CellType()


def fill_cell(cell: CellType, content: tuple[Any]) -> None:
    """Set the content of a closure variable."""
    (cell.cell_contents,) = content


def cached_reduction(cached: Any) -> tuple[Any, ...]:
    """Return the pickle recipe of a function behind `functools.lru_cache`, without its cached results."""
    return make_cached, (cached.__wrapped__, dict(cached.cache_parameters()))


def make_cached(function: Any, parameters: dict[str, Any]) -> Any:
    """Return a function behind a new `functools.lru_cache`."""
    from functools import lru_cache

    return lru_cache(**parameters)(function)


def names_read(code: CodeType) -> Iterator[str]:
    """Yield the names used in a code object and in those nested inside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_read(constant)


def located(code: CodeType, filename: str) -> CodeType:
    """Return a code object, and those nested inside, with another file name."""
    constants = tuple(
        located(each, filename) if isinstance(each, CodeType) else each for each in code.co_consts
    )
    return code.replace(co_filename=filename, co_consts=constants)


def _source(code: CodeType) -> tuple[str, ...] | None:
    """Return the source of the cell that a code object comes from; None for files."""
    entry = linecache.cache.get(code.co_filename)
    return tuple(entry[2]) if entry is not None and len(entry) == 4 and entry[1] is None else None
