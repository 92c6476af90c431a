"""Owns finding the modules that import statements name. Only local modules are imported for this."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, resolve_name
from typing import TYPE_CHECKING, TypeAlias

from zennb.packages.origin import Origin, origin, place_of, top_level

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["absolute", "is_package", "module_at"]

Chain: TypeAlias = tuple[str, ...]


def absolute(path: Chain, package: str) -> Chain:
    """Return a dotted path with its relative beginning resolved against `package`; () when that leads nowhere."""
    if not path[0].startswith("."):
        return path
    try:
        return (*resolve_name(path[0], package).split("."), *path[1:])
    except ImportError:
        return ()


def module_at(path: Chain) -> tuple[ModuleType, Chain] | None:
    """Return the longest prefix of a path that is an imported module, and the attributes that follow.

    A local module is imported if necessary: the code would import it anyway, and its functions must be known before
    it runs. Packages are never imported; None when the first part is a package that is not imported yet.

    Raises:
        ImportError: importing a local module failed; the message is a phrase for people.
    """
    # Importing a package could take seconds and have effects, only to answer a question. Its
    # version is enough for the key.
    if path[0] not in sys.modules and not _is_local(path[0]):
        return None
    for end in range(len(path)):
        name = ".".join(path[: end + 1])
        if name not in sys.modules and not _import(name):
            return (sys.modules[".".join(path[:end])], path[end:]) if end else None
    return sys.modules[".".join(path)], ()


def is_package(name: str) -> bool:
    """Say whether an import name belongs to something installed that is not Python's own."""
    return name not in sys.stdlib_module_names and _found(name)


def _import(name: str) -> bool:
    top = top_level(name)
    if top in sys.modules and origin(top) is not Origin.LOCAL:
        return False
    try:
        if not _found(name):
            return False
        import_module(name)
    except Exception as error:
        sentence = f"the local module `{name}` cannot be imported ({type(error).__name__}: {error})"
        raise ImportError(sentence) from error
    return True


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    # TypeError: a module-level `__getattr__` may return anything for `__path__`.
    except (ImportError, ValueError, AttributeError, TypeError):
        return False


def _is_local(name: str) -> bool:
    """Say whether a module that is not imported yet would come from a file of the user."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.has_location and place_of(name, spec.origin) is Origin.LOCAL
