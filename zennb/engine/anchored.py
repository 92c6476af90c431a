"""Owns the question which outputs are part of what code holds: a default argument, an attribute of a class or module.

Such a part stays with the code (`defaults = Model.defaults`; changing one changes the other), and code is executed
again on reuse, not loaded: an output loaded from the store would be a part of its own.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.core.contact import touches
from zennb.core.digest import is_immutable
from zennb.core.digest_class import functions_in
from zennb.core.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from zennb.core.digest import Look
    from zennb.core.reach import Reach

__all__ = ["anchored"]


def anchored(values: Mapping[str, tuple[Any, Look]], reach: Reach, defined: Mapping[str, Any]) -> list[str]:
    """Return which outputs share state with functions, classes and modules that the step reaches, in words.

    Args:
        values: output name → value and content.
        reach: what the step reaches.
        defined: functions, classes and modules that the step itself has bound, by name.
    """
    modules = {name for use in reach.uses if (name := use.rpartition(".")[0]) in sys.modules}
    names = {**{name: sys.modules[name] for name in modules}, **reach.definitions, **defined}
    held = {id(value): None for value, look in values.values() if look.mutable}
    found: dict[str, None] = {}
    for name, holder in names.items() if held else ():
        if id(holder) in held:
            continue
        parts = list(_parts(holder))
        for output, (value, look) in values.items():
            if _is_part(value, look, parts, deep=_is_users(holder)):
                said = f"`{output}` shares state with {_kind(holder)} `{name}`, which reuse executes anew"
                found[said] = None
    return list(found)


def _is_part(value: object, look: Look, parts: list[Any], *, deep: bool) -> bool:
    if not look.mutable:
        return False
    return (
        any(touches(part, look.mutable) for part in parts) if deep else any(part is value for part in parts)
    )


def _is_users(holder: object) -> bool:
    return origin(holder.__name__ if isinstance(holder, ModuleType) else module_of(holder)).is_users


def _kind(holder: object) -> str:
    if isinstance(holder, ModuleType):
        return "module"
    return "class" if isinstance(holder, type) else "function"


def _parts(holder: object) -> Iterator[Any]:
    """Yield what a function, class or module holds that could be changed in place; of packages only what is on top."""
    if isinstance(holder, FunctionType):
        yield from _changeable(
            [holder.__defaults__, holder.__kwdefaults__, holder.__closure__, holder.__dict__]
        )
    elif isinstance(holder, ModuleType) and origin(holder.__name__) is not Origin.NOTEBOOK:
        yield from _changeable(part for name, part in vars(holder).items() if not name.startswith("__"))
    elif isinstance(holder, type) and _is_users(holder):
        for cls in holder.__mro__:
            for attribute in vars(cls).values() if _is_users(cls) else ():
                functions = list(functions_in(attribute))
                yield from _changeable([] if functions else [attribute])  # methods are code, as the class is
                for function in functions:
                    yield from _parts(function)


def _changeable(parts: Iterable[Any]) -> Iterator[Any]:
    return (part for part in parts if not isinstance(part, ModuleType | type) and not is_immutable(part))
