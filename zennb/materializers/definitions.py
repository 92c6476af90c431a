"""Owns which classes and functions a pickle may contain by value. Loading never overwrites an existing class."""

from __future__ import annotations

import copyreg
import importlib
import pickle
import sys
from contextlib import suppress
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.code_pickling import make_class, makers
from zennb.compat.instances import class_attributes, is_a, qualified_name
from zennb.digests.homes import name_in
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.materializers.materializer import Scope

__all__ = [
    "ClassRestorer",
    "find",
    "import_home",
    "kind_of",
    "own_name",
    "refuse_stale",
    "registered",
    "registered_class",
]


def find(scope: Scope, name: str) -> Any:
    """Return the notebook's object with this qualified name; None when there is none."""
    first, *rest = name.split(".")
    found = scope.get(first)
    for part in rest:
        found = class_attributes(found).get(part) if is_a(found, type) else None
    return found


def refuse_stale(value: type | FunctionType, scope: Scope) -> None:
    """Refuse a class, or a function of a local module, that has been redefined since.

    Its name now refers to the new definition, and a copy would be a third class, or a function with copies of its
    module's variables.

    Raises:
        pickle.PicklingError: it was redefined.
    """
    module, name = module_of(value), qualified_name(value) if is_a(value, type) else value.__qualname__
    if "<" in name or not origin(module).is_users or (module == "__main__" and is_a(value, FunctionType)):
        return
    names = scope if module == "__main__" else vars(sys.modules.get(module, sys))
    now = find(names, name)
    if is_a(now, type | FunctionType) and now is not value and module_of(now) == module:
        kind = "class" if is_a(value, type) else "function"
        raise pickle.PicklingError(f"{kind} `{name}` has been defined anew since it was made")


def registered(value: object) -> tuple[Any, ...] | str | None:
    """Return the recipe of a class that a module keeps under its name, or another one; None for anything else.

    The name, if it is another one (`K = namedtuple("Point", "x y")`): a copy would be a second class. The own recipe of
    a class that a library makes by a call (`copyreg.pickle(Meta, ...)`) makes it once more, and puts the new class in
    the place of the old one.
    """
    if not is_a(value, type):
        return None
    module, name = module_of(value), qualified_name(value)
    names = vars(sys.modules.get(module, object))
    if (other := name_in(names, value, is_notebooks=module == "__main__")) not in {"", name}:
        return other
    reduce = copyreg.dispatch_table.get(type(value))
    recipe: Any = None if reduce is None else reduce(value)
    if _kept(module, name) is not value or not is_a(recipe, tuple):
        return None
    return registered_class, (module, name, recipe[0], recipe[1])


def registered_class(module: str, name: str, make: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return the class of that name, or make it where there is none."""
    importlib.import_module(module)
    found = _kept(module, name)
    return found if is_a(found, type) else make(*arguments)


def _kept(module: str, name: str) -> Any:
    return vars(sys.modules.get(module, object)).get(name)


class ClassRestorer:
    """Creates the classes in a pickle while it is loaded."""

    def __init__(self) -> None:
        self._known: set[type] = set()

    def maker(self, module: str, name: str) -> Callable[..., Any] | None:
        """Return the function to call for a name in the pickle; None when the name needs no special treatment."""
        made_by = makers()
        for make in (made_by.of_class, made_by.of_enumeration):
            if (module, name) == (make.__module__, make.__name__):
                return partial(self._class, make)
        fill = made_by.fill_class
        return self._fill if (module, name) == (fill.__module__, fill.__name__) else None

    def _class(self, make: Callable[..., type], *arguments: Any) -> type:
        """Return the existing class if this process has it, else a new one."""
        made, is_new = make_class(make, arguments)
        if not is_new:
            self._known.add(made)
        return made

    def _fill(self, cls: type, state: Any) -> type:
        """Set the attributes of a new class. An existing class keeps its own, which may have changed since."""
        if cls not in self._known:
            makers().fill_class(cls, state)
        return cls


def import_home(value: type | FunctionType) -> None:
    """Import the `__module__` of a package's class or function (`numpy.rec`).

    The class may be defined in a private module. Without this import, cloudpickle would store a copy of it.
    """
    module = module_of(value)
    if module and module not in sys.modules and origin(module) is Origin.PACKAGE:
        with suppress(ImportError):
            importlib.import_module(module)


def own_name(value: type | FunctionType, scope: Scope) -> str:
    """Return the name by which the notebook has a class or function; that of a variable if it has it by no other."""
    if is_a(value, type):
        return name_in(scope, value)
    name = value.__qualname__
    return next((name for name, found in scope.items() if found is value), "") if name == "<lambda>" else name


def kind_of(value: object, root: type | None) -> str:
    """Return the noun for a definition: `instance` if it is the class of the value that is written."""
    if is_a(value, type):
        return "instance" if value is root else "class"
    return "function"
