"""Owns the question whether a library is imported only by half, as after an interrupt while it was imported.

Python then forgets the modules that were being executed, and keeps those that had ended. A second import executes the
former again, while the latter hold objects of the first time. Some libraries fail at once, others at any later moment.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, is_a, module_attribute, name_of_module
from zennb.errors import BrokenLibrary
from zennb.packages.origin import Origin, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["half_imported", "naming_half_imported"]


def half_imported(error: BaseException, libraries: Iterable[str] = ()) -> str:
    """Return a library that is imported by half, of those that an error passed through; "" for none.

    Args:
        error: the error.
        libraries: import names of other libraries to look at.
    """
    for library in dict.fromkeys([*libraries, *_passed(error)]):
        if library and origin(library) is not Origin.PYTHON and _is_half(library):
            return library
    return ""


def _passed(error: BaseException) -> Iterator[str]:
    """Yield the libraries whose code is in the tracebacks of an error and of its causes, the innermost first."""
    seen: dict[int, BaseException] = {}
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen[id(at)] = at
        at = at.__cause__ or at.__context__
    for each in reversed(seen.values()):
        named = each.name if isinstance(each, ImportError) else getattr(each, "obj", None)
        if isinstance(named, str | ModuleType):
            yield top_level(named if isinstance(named, str) else name_of_module(named))
        trace, found = each.__traceback__, list[str]()
        while trace is not None:
            found.append(top_level(str(trace.tb_frame.f_globals.get("__name__", ""))))
            trace = trace.tb_next
        yield from reversed(found)


def _is_half(library: str) -> bool:
    modules: dict[str, Any] = {
        name: each for name, each in list(sys.modules.items()) if top_level(name) == library
    }
    if modules and library not in modules:
        return True
    return any(
        is_a(value, ModuleType) and modules.get(name_of_module(value), value) is not value and _is_same(value)
        for module in modules.values()
        if is_a(module, ModuleType)
        for value in list(attributes_of(module).values())
    )


def _is_same(old: ModuleType) -> bool:
    """Whether a module that is not the one in `sys.modules` was made of the same file, and so was executed twice."""
    path = module_attribute(old, "__file__")
    return type(path) is str and path == module_attribute(sys.modules[name_of_module(old)], "__file__")


@contextmanager
def naming_half_imported(what: str) -> Iterator[None]:
    """Blame a library that is imported by half for an error in the block, rather than what is stored.

    Args:
        what: what did not work, as the beginning of a sentence: `artifact 'df' cannot be loaded`.

    Raises:
        BrokenLibrary: such a library is among those that the error passed through.
    """
    try:
        yield
    except Exception as error:
        library = half_imported(error)
        if not library:
            raise
        raise BrokenLibrary(
            f"{what}, because {library} is imported only by half here: its import was interrupted. Restart the kernel, "
            "then run the cell again. What is stored is intact."
        ) from error
