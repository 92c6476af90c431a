"""Owns which packages the packages that are loaded import, as far as their modules show it."""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from zennb.packages.origin import Origin, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["imported_by"]

_known: dict[str, tuple[int, frozenset[str]]] = {}
"""Package → how many of its modules were loaded, and the import names of what they import."""


def imported_by(packages: Iterable[str]) -> frozenset[str]:
    """Return these packages and what they import: other packages in turn, and the parts of Python they name directly.

    Everything imports much of Python in the end, so Python's own modules are not followed any further.
    """
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        direct = _direct(package)
        found |= {each for each in direct if _is_pythons(each)}
        if not _is_pythons(package):
            waiting += [each for each in direct if not _is_pythons(each)]
    return frozenset(found)


def _is_pythons(package: str) -> bool:
    return package in sys.stdlib_module_names


def _direct(package: str) -> frozenset[str]:
    inside = f"{package}."
    modules = [
        module
        for name, module in list(sys.modules.items())
        if (name == package or name.startswith(inside)) and isinstance(module, ModuleType)
    ]
    known = _known.get(package)
    if known is None or known[0] != len(modules):
        named = {name for module in modules for name in _named(module)}
        own = {each for each in named if origin(each) in {Origin.PACKAGE, Origin.PYTHON}} - {package, ""}
        known = _known[package] = (len(modules), frozenset(own))
    return known[1]


def _named(module: ModuleType) -> set[str]:
    """Return the import names of the modules, functions and classes among a module's variables."""
    found = set()
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType):
            found.add(top_level(str(vars(value).get("__name__", ""))))
        elif type(value) is FunctionType or type(value) is type:
            found.add(top_level(str(value.__module__)))
    return found
