"""Owns which values may be asked for their text: a `__repr__` of the user may do anything, even change the value."""

from __future__ import annotations

import gc
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, class_attribute, class_attributes, is_a, module_name
from zennb.packages.origin import Origin, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["runs_own_text"]

_HARMLESS = frozenset(
    {
        *("PIL", "altair", "catboost", "ipywidgets", "lightgbm", "matplotlib", "networkx", "numpy", "pandas"),
        *(
            "plotly",
            "polars",
            "pyarrow",
            "scipy",
            "sklearn",
            "statsmodels",
            "sympy",
            "torch",
            "xarray",
            "xgboost",
        ),
    }
)
"""Libraries whose texts of objects leave the objects as they are; others may fetch or compute what they show."""

_MANY = 10_000
_LEAVES = (FunctionType, BuiltinFunctionType, ModuleType, type)


def runs_own_text(value: object) -> bool:
    """Whether the text of a value may run code of the user, or of a library that is not known to leave values alone.

    Also where something inside the value has such a text; and where too much is inside to look through.
    """
    seen, waiting = set[int](), [value]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        if len(seen) > _MANY or not _is_harmless(type(part)):
            return True
        seen.add(id(part))
        tells_more = class_attribute(type(part), "__repr__") is not object.__repr__
        if tells_more and not is_a(part, _LEAVES):
            waiting += gc.get_referents(part)
    return False


def _is_harmless(cls: type) -> bool:
    found = class_attribute(cls, "__repr__")
    if type(found) in {WrapperDescriptorType, MethodDescriptorType}:  # not written in Python
        home: type = found.__objclass__
        return _is_known(module_name(home))
    if not is_a(found, FunctionType):
        return False
    return all(_is_of_library(each) or _is_generated(cls, each) for each in _functions(found))


def _functions(function: FunctionType) -> Iterator[FunctionType]:
    """Yield a function and those that it wraps."""
    yield function
    for cell in function.__closure__ or ():
        try:
            inner: Any = cell.cell_contents
        except ValueError:  # not bound yet
            continue
        if is_a(inner, FunctionType):
            yield inner


def _is_of_library(function: FunctionType) -> bool:
    return _is_known(str(function.__globals__.get("__name__")))


def _is_known(module: str) -> bool:
    return top_level(module) in _HARMLESS or origin(module) is Origin.PYTHON


def _is_generated(cls: type, function: FunctionType) -> bool:
    """Whether `dataclasses` or `attrs` has written a function."""
    file = function.__code__.co_filename
    is_of = {name for base in bases_of(cls) for name in class_attributes(base)}
    return ("__dataclass_fields__" in is_of and file == "<string>") or (
        "__attrs_attrs__" in is_of and file.startswith("<attrs generated ")
    )
