"""Owns where a class is found: under its own name, or as a variable (`K = namedtuple("Point", "x y")`).

A value refers to a class that is found by that name. Any other class is stored with the value, as a part of it.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a, qualified_name
from zennb.packages.origin import Origin, module_of, origin
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["at_home", "name_at_home", "name_in"]

_home: ContextVar[Mapping[str, Any] | None] = ContextVar("home", default=None)
"""Where the classes of the notebook are found; each thread has its own. None for the module `__main__`."""


@block
def at_home(namespace: Mapping[str, Any]) -> Iterator[None]:
    """Find the classes of the notebook in another namespace: a step that runs on copies has its own."""
    token = _home.set(namespace)
    try:
        yield
    finally:
        _home.reset(token)


def name_at_home(cls: type) -> str:
    """Return the name under which a class is found where it was defined; "" when it is not."""
    module = module_of(cls)
    is_notebooks = module == "__main__"
    home = _home.get() if is_notebooks else None
    held = getattr(sys.modules.get(module), "__dict__", {}) if home is None else home
    return name_in(held, cls, is_notebooks=origin(module) is Origin.NOTEBOOK)


def name_in(names: Mapping[str, Any], cls: type, *, is_notebooks: bool = True) -> str:
    """Return the name under which a class is found: its own, else that of the first variable; "" for none.

    Of a notebook only public variables count: the others are those of steps and of the shell.
    """
    own = qualified_name(cls)
    first, *rest = own.split(".")
    found: object = names.get(first)
    for part in rest:
        found = (
            class_attributes(found).get(part)
            if is_a(found, type)
            else getattr(found, "__dict__", {}).get(part)
        )
    if found is cls:
        return own
    private = "_" if is_notebooks else "__"
    return min(
        (name for name, held in list(names.items()) if held is cls and not name.startswith(private)),
        default="",
    )
