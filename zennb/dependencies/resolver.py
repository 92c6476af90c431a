"""Owns `DependencyResolver`: the search that follows names through live functions, classes and modules."""

from __future__ import annotations

import builtins
import sys
from collections import deque
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, class_attribute, is_a, is_one_of, name_of_module
from zennb.compat.python import CachedFunction
from zennb.core.magic_lines.effects import Effect
from zennb.core.reading.embedded_names import EVALUATES
from zennb.core.reading.reflection import Reflection
from zennb.dependencies.callables import SHELL, is_code, is_from_shell, is_own_builtin, is_users_code, target
from zennb.dependencies.code_as_value import read_as_value, subclasses_of
from zennb.dependencies.found_dependencies import FoundDependencies
from zennb.dependencies.local_imports import absolute, is_package, module_at
from zennb.dependencies.patches import patched
from zennb.dependencies.text_annotations import names_of_annotations, scope_of, values_of_annotations
from zennb.dependencies.text_lookups import TextLookups
from zennb.digests.classes import functions_in, own_attributes
from zennb.digests.code import class_name, function_name
from zennb.digests.digest import digest_class_shell
from zennb.digests.function_source import function_body
from zennb.digests.walker import SCALARS
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.core.reading.source import Analysis
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest

__all__ = ["DependencyResolver"]

Chain = tuple[str, ...]
Uses = dict[str, list[Chain]]

WHOLE = "*"
"""Ends a path to a module that is used as a whole, not by its attributes (see `Analysis.modules`)."""


class DependencyResolver(FoundDependencies):
    """One search. `run` empties the queue of code objects; what was found is in the attributes (see `Dependencies`)."""

    def __init__(self, namespace: Mapping[str, Any], patches: Iterable[Patch] = ()) -> None:
        self.namespace = namespace
        self._patches = sorted(patches)
        super().__init__()
        self._text = TextLookups(namespace)
        self._things: list[Any] = []
        self._read: set[tuple[int, frozenset[Reflection]]] = set()
        self._queue: deque[Any] = deque()
        self._bound: dict[int, frozenset[str]] = {}
        self._digested: dict[int, ValueDigest | None] = {}
        name = namespace.get("__name__")
        self._home = name if is_a(name, str) else "__main__"

    # What callers say

    def follow_cell(self, analysis: Analysis) -> None:
        """Start from what a cell reads; each name comes with the names the cell binds before using it."""
        for name, chains in analysis.uses().items():
            if name in self.namespace and not is_from_shell(name, self.namespace[name]):
                for chain in chains:
                    self._add_name(self.namespace[name], chain, "", analysis.reads[name])
            elif name not in self.namespace:
                self._builtin(name, chains, frozenset())
        self._text.read(analysis, self.namespace, frozenset())
        self._imports(analysis, "")
        for module in analysis.stars:
            self._star(module)
        if EVALUATES in analysis.dynamic and not is_own_builtin(EVALUATES, self.namespace):
            self.evaluates[f"it uses `{EVALUATES}`"] = None

    def push(self, thing: Any, bound: frozenset[str]) -> None:
        """Queue a function, class or module, and again if it is reached later with fewer names bound."""
        known = self._bound.get(id(thing))
        # Reached in two ways: only names that are bound before both are left out, and what follows is searched again.
        bound = bound if known is None else known & bound
        if known != bound:
            self._bound[id(thing)] = bound
            self._queue.append(thing)

    def run(self) -> None:
        """Process the queue until it is empty."""
        self._drain()
        for patch in self._patches:  # code inside packages may use it, which we do not see
            if patch[0] != "builtins" and (self.packages or origin(patch[0]) is Origin.PYTHON):
                self._attribute_of_package(".".join(patch), patched(patch, sys.modules))
        self._drain()
        while self._look_up():
            self._drain()

    @property
    def reflections(self) -> frozenset[Reflection]:
        """What is read of code as a value."""
        return frozenset(self._text.reflections)

    @property
    def words(self) -> frozenset[str]:
        """The words of all texts that the code sees, if it evaluates some."""
        return self._text.words() if self.evaluates else frozenset()

    def _look_up(self) -> bool:
        """Add what text names, where something looks names up; return whether that was anything new."""
        found = list(self._text.names(self.packages, self.data))
        for scope, name, bound in found:
            prefix = "" if self._is_notebook(scope) else f"{scope.get('__name__')}."
            if not (prefix or name in self.data or name in self.definitions):
                self.named.add(name)
            self._add_name(scope[name], (name,), prefix, bound)
        return self._read_code() or bool(found)

    def _read_code(self) -> bool:
        """Add what is read of code as a value; return whether there is code to follow."""
        reads = self.reflections
        things = [*self._things, *(each for each in self.definitions.values() if isinstance(each, type))]
        things = [each for each in things if (id(each), reads) not in self._read]
        for each in things:
            self._read.add((id(each), reads))
            for name, digest in read_as_value(each, reads):
                self._add_constant(name, digest, "constant")
            if is_a(each, ModuleType) and Reflection.MEMBERS in reads:
                self._add_members(each, private=True)
            for cls in subclasses_of(each) if is_a(each, type) and Reflection.SUBCLASSES in reads else ():
                self.push(cls, self._bound.get(id(each), frozenset()))
        return bool(things)

    def _attribute_of_package(self, name: str, value: Any) -> None:
        if is_code(value) and is_users_code(value):
            self._add_reference(value, name, frozenset())
        else:
            self._add_value(value, name, frozenset())

    def _drain(self) -> None:
        while self._queue:
            thing = self._queue.popleft()
            self._things.append(thing)
            if is_a(thing, FunctionType):
                self._function(thing)
            elif is_a(thing, type):
                self._class(thing)
            elif is_a(thing, ModuleType):
                self._add_whole_module(thing)

    # Functions and classes

    def _function(self, function: FunctionType) -> None:
        name, bound = function_name(function), self._bound[id(function)]
        self._parts(function, bound)
        read = function_body(function.__code__).analysis
        for phrase in read.dynamic:
            if is_own_builtin(phrase, function.__globals__):
                continue
            if phrase == EVALUATES:
                self.evaluates[f"`{name}` uses `{phrase}`"] = None
            else:
                self._unclear(f"`{name}` uses `{phrase}`")
        for magic in read.magics:
            if magic.effect is not Effect.NONE:
                self._unclear(f"`{name}` runs `{magic.text}`, whose effects cannot be seen")
        self._text.read(read, function.__globals__, bound)
        self._text.see(function)
        if given := values_of_annotations(function):
            self._add_value(given, f"{name}.__annotations__", bound)
        # Its own globals: a function of a module reads the names of that module.
        self._names(read.uses(), function.__globals__, bound, read.binds)
        self._imports(read, str(function.__globals__.get("__package__") or ""))
        if self._is_notebook(function.__globals__):
            self.writes.update(read.binds)

    def _class(self, cls: type) -> None:
        bound = self._bound[id(cls)]
        self._parts(cls, bound)
        for attribute in own_attributes(cls).values():
            self._text.see(attribute)
            for function in functions_in(attribute):
                self.push(function, bound)

    def _parts(self, thing: FunctionType | type, bound: frozenset[str]) -> None:
        """Add a function or class with the code it consists of, and what its annotations name."""
        found = self._digest_once(thing)
        for part in found.code if found else ():
            self.push(part, bound)
        self._names(names_of_annotations(thing), scope_of(thing, self.namespace), bound)

    def _digest_once(self, thing: FunctionType | type) -> ValueDigest | None:
        """Digest a function or class of the user, the first time it is met."""
        if id(thing) not in self._digested:
            if is_a(thing, type):
                name, kind = class_name(thing), "class"
                found = self._digest(thing, name, digest_class_shell)
            else:
                name, kind = function_name(thing), "function"
                found = self._digest(thing, name)
            self._digested[id(thing)] = found
            if found is not None:
                self._add_code(name, found.digest, kind)
        return self._digested[id(thing)]

    # Names

    def _names(self, uses: Uses, scope: Mapping[str, Any], bound: frozenset[str], binds: Chain = ()) -> None:
        """Look up what a function reads, or binds through `global`, in its own globals."""
        notebook = self._is_notebook(scope)
        prefix = "" if notebook else f"{scope.get('__name__')}."
        # What a module's function only binds shows afterwards that it did.
        written: dict[str, list[Chain]] = {name: [(name,)] for name in binds if prefix}
        for name, chains in {**written, **uses}.items():
            if name in scope and not (notebook and (name in bound or is_from_shell(name, scope[name]))):
                for chain in chains:
                    self._add_name(scope[name], chain, prefix, bound)
            elif prefix and name in binds:
                self._add_constant(prefix + name, "", "constant")
            elif name not in scope:
                self.missing.update({name} - bound if notebook else ())
                self._builtin(name, chains, bound)

    def _builtin(self, name: str, chains: list[Chain], bound: frozenset[str]) -> None:
        """Add what the user put into `builtins`."""
        value = vars(builtins).get(name)
        if value is None or module_of(value) in {"builtins", "io", "_io", "_sitebuiltins"} or name in SHELL:
            return
        if not is_one_of(value, SCALARS):
            for chain in chains:
                self._add_name(value, chain, "builtins.", bound)

    def _is_notebook(self, scope: Mapping[str, Any]) -> bool:
        name = scope.get("__name__")
        return scope is self.namespace or name == self._home or name in {"__main__", "__mp_main__"}

    def _add_name(self, value: Any, chain: Chain, prefix: str, bound: frozenset[str]) -> None:
        """Add the value of a name; `prefix` is "" for names of the notebook."""
        name = prefix + chain[0]
        if not prefix and (is_a(value, ModuleType) or is_code(value)):
            self.definitions[chain[0]] = value
        if is_a(value, ModuleType):
            self._add_constant(name, name_of_module(value), "module")
            self._attributes(value, chain[1:], bound)
        elif is_code(value):
            self._add_reference(value, name, bound)
            self._add_patched_method(value, chain[1:], name, bound)
        else:
            self._add_classes_of(value, chain, name, bound)
            if prefix:
                self._add_value(value, name, bound)
            else:
                self.data[chain[0]] = value

    def _add_reference(self, value: Any, name: str, bound: frozenset[str]) -> None:
        """Add the code that a name refers to."""
        if is_users_code(value):
            self._add_alias(value, name)
            self.push(value, bound)
            return
        if is_a(value, FunctionType | type):
            self._note_package(module_of(value))
        self._text.use(target(value), bound)
        found = self._digest(value, name)
        if found is None:
            return
        if is_a(value, CachedFunction) and found.code:
            self.cached[name] = value
        for part in found.code:
            self.push(part, bound)
        if found.code or is_a(value, partial | MethodType):
            self._add_code(name, found.digest, "function")
        else:
            self._add_constant(name, target(value) or found.digest, "name")

    def _add_alias(self, value: Any, name: str) -> None:
        """Note which code a name refers to, if the code has another name."""
        own = class_name(value) if is_a(value, type) else function_name(value)
        if own != name:
            found = self._digest_once(value)
            self._add_constant(name, f"{own} {found.digest if found else '?'}", "name")

    def _add_value(self, value: Any, name: str, bound: frozenset[str]) -> None:
        """Add data that is not in the notebook's namespace."""
        if (found := self._digest(value, name)) is not None:
            self._add_constant(name, found.digest, "constant")
            self._text.see(value)
            for part in found.code:
                self.push(part, bound)

    def _add_classes_of(self, value: Any, chain: Chain, name: str, bound: frozenset[str]) -> None:
        """Add the classes of a value, and methods patched into a package's class."""
        if is_one_of(value, SCALARS) and len(chain) == 1:
            return
        self._note_type(type(value))
        # Any method of the value may be called, also by code that we do not see.
        for cls in bases_of(type(value)):
            if origin(module_of(cls)).is_users:
                self.push(cls, bound)
        self._add_patched_method(type(value), chain[1:], name, bound)

    def _add_patched_method(self, cls: Any, rest: Chain, name: str, bound: frozenset[str]) -> None:
        """Add a user's function that was patched into a package's class."""
        if not rest or not is_a(cls, type):
            return
        for function in functions_in(class_attribute(cls, rest[0])):
            self._add_constant(f"{name}.{rest[0]}", function_name(function), "name")
            self.push(function, bound)

    # Modules

    def _attributes(
        self, module: ModuleType, rest: Chain, bound: frozenset[str], *, scalars: bool = True
    ) -> None:
        """Follow a chain of attributes that starts at a module."""
        place = self._note_package(name_of_module(module))
        while rest and rest != (WHOLE,):
            name, held = f"{name_of_module(module)}.{rest[0]}", vars(module)
            if rest[0] not in held:
                self.uses.add(name)
                self._add_module_getattr(
                    held.get("__getattr__"), f"{name_of_module(module)}.__getattr__", bound
                )
                return
            value, rest = held[rest[0]], rest[1:]
            if not is_a(value, ModuleType):
                self.uses.add(name)
                self._attribute(value, name, rest, place, bound, scalars=scalars)
                return
            if place.is_users:
                self._add_constant(name, name_of_module(value), "module")
            module, place = value, self._note_package(name_of_module(value))
        if scalars:  # passed on as a value, not just imported
            self.uses.add(f"{name_of_module(module)}.{WHOLE}")
        self.push(module, bound)

    def _add_module_getattr(self, getter: Any, name: str, bound: frozenset[str]) -> None:
        """Add a module's `__getattr__`."""
        if is_code(getter) and is_users_code(getter):
            self._add_reference(getter, name, bound)

    def _attribute(
        self, value: Any, name: str, rest: Chain, place: Origin, bound: frozenset[str], *, scalars: bool
    ) -> None:
        """Add an attribute of a module."""
        if is_code(value):
            if place.is_users or is_users_code(value):  # or the user patched a package's function
                self._add_reference(value, name, bound)
            self._add_patched_method(value, rest, name, bound)
        elif place.is_users:
            self._add_classes_of(value, (name, *rest), name, bound)
            self._add_value(value, name, bound)
        elif is_one_of(value, SCALARS) and scalars and (name.endswith(".__version__") or ".__" not in name):
            self._add_value(value, name, bound)

    def _add_whole_module(self, module: ModuleType) -> None:
        """Add everything public in a local module that is used as a whole."""
        if origin(name_of_module(module)) is Origin.NOTEBOOK:
            self._unclear("the notebook's own module is passed on as a value")
        self._add_members(module)

    def _add_members(self, module: ModuleType, *, private: bool = False) -> None:
        name, bound, place = name_of_module(module), self._bound[id(module)], origin(name_of_module(module))
        for attribute, value in sorted(vars(module).items()) if place is Origin.LOCAL else ():
            if attribute.startswith("_") and (not private or attribute.startswith("__")):
                continue
            if is_a(value, ModuleType):
                self._note_package(name_of_module(value))
                self._add_constant(f"{name}.{attribute}", name_of_module(value), "module")
            else:
                self._attribute(value, f"{name}.{attribute}", (), place, bound, scalars=True)

    # Import statements in the code

    def _imports(self, read: Analysis, package: str) -> None:
        for path in sorted(read.modules):
            if found := absolute(path, package):
                self._imported(found)

    def _imported(self, path: Chain) -> None:
        """Follow the path of an import statement. The contents of packages are covered by their versions."""
        try:
            loaded = module_at(path)
        except ImportError as error:
            self._unclear(str(error))
            return
        if loaded is None:
            if is_package(path[0]):
                self.packages.add(path[0])
            return
        module, rest = loaded
        if rest:
            self._attributes(module, rest, frozenset(), scalars=False)
        else:  # only the import itself: the uses of the module are followed one by one
            self._note_package(name_of_module(module))

    def _star(self, module: str) -> None:
        self._imported((*module.split("."), WHOLE))
        if module not in sys.modules:
            self._unclear(f"`from {module} import *` binds names that are not known before it has run")
