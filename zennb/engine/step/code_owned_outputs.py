"""Owns the check for outputs that also belong to code: default arguments, attributes of classes and modules.

After `defaults = Model.defaults`, changing one changes the other. On reuse code is executed again, not loaded, so an
output from the store would be a separate copy.
"""

from __future__ import annotations

import sys
from types import CellType, FunctionType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary, getweakrefs

from zennb.compat.instances import (
    attributes_of,
    bases_of,
    class_attributes,
    elements_of,
    is_a,
    is_one_of,
    name_of_module,
)
from zennb.digests.classes import functions_in
from zennb.digests.homes import name_at_home
from zennb.digests.immutable import is_immutable
from zennb.digests.reachability import FAR, Search, is_reachable, parts_of
from zennb.digests.walker import SCALARS
from zennb.engine.step.library_data import named_data
from zennb.engine.step.shared_state import own_parts
from zennb.engine.step.shell_history import is_shells
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from zennb.digests.digest import ValueDigest

__all__ = ["changed_parts", "code_kind", "outputs_owned_by_code", "weak_holder", "weakly_referred"]


_EMPTY = CellType()


def changed_parts(values: Mapping[str, tuple[Any, ValueDigest]], namespace: Mapping[str, Any]) -> list[str]:
    """Return which values that a step changed in place belong to any code of the user, as sentences.

    Args:
        values: input name → value and content.
        namespace: the notebook's variables.
    """
    if not any(seen.mutable or seen.memory for _, seen in values.values()):
        return []  # as in most cells; to look through thousands of modules takes as long as a small step
    modules = [name for name in list(sys.modules) if origin(name) is Origin.LOCAL]
    definitions = {
        name: value
        for name, value in namespace.items()
        if is_a(value, FunctionType | type) and _is_users(value)
    }
    uses = [f"{name}.*" for name in modules]
    found = outputs_owned_by_code(values, uses, definitions)
    if found:  # leave out what matplotlib itself shares between all figures
        seen = own_parts({name: seen for name, (_, seen) in values.items()})
        own = {name: (value, seen[name]) for name, (value, _) in values.items()}
        found = outputs_owned_by_code(own, uses, definitions)
    return found


def outputs_owned_by_code(
    values: Mapping[str, tuple[Any, ValueDigest]],
    modules: Iterable[str],
    definitions: Mapping[str, Any],
) -> list[str]:
    """Return which outputs share state with functions, classes and modules that the step reaches, as sentences.

    Args:
        values: output name → value and content.
        modules: dotted names of what the step uses of modules: `mylib.ITEMS`.
        definitions: functions, classes and modules that it reads or has bound, by name.
    """
    mutable = {
        name: (value, value_digest)
        for name, (value, value_digest) in values.items()
        if value_digest.mutable or value_digest.memory
    }
    if not mutable:
        return []
    used = {name for use in modules if (name := use.rpartition(".")[0]) in sys.modules}
    holders = {**{name: sys.modules[name] for name in used}, **definitions}
    outputs = {id(value) for value, _ in mutable.values()}
    is_any_shared = _is_any_shared([value_digest for _, value_digest in mutable.values()], holders.values())
    parts: dict[int, list[str]] = {}  # a module occurs under its own name and under the notebook's
    found: dict[str, None] = {}
    for name, holder in holders.items():
        # A function with state can be an output itself, and shares its state with itself.
        if id(holder) in outputs or (not is_any_shared and _is_users(holder)):
            continue
        if id(holder) not in parts:
            parts[id(holder)] = _sharing(mutable, holder)
        for output in parts[id(holder)]:
            found[f"`{output}` shares state with {code_kind(holder)} `{name}`"] = None
    for use, part in () if found else named_data(modules):
        for name, (_, each) in mutable.items():
            if is_reachable(part, each.mutable, each.memory):
                found[f"`{name}` shares state with constant `{use}`"] = None
    return list(found)


def _is_any_shared(values: Iterable[ValueDigest], holders: Iterable[object]) -> bool:
    """Whether any of the values may share state with what any of the user's own code holds, which is rare.

    All of it is searched at once: one by one, what many modules hold in common would be searched as many times.
    """
    parts = [part for holder in holders if _is_users(holder) for part in _parts(holder)]
    ids = frozenset[int]().union(*(each.mutable for each in values))
    return is_reachable(parts, ids, [one for each in values for one in each.memory], beyond=True)


def _sharing(values: Mapping[str, tuple[Any, ValueDigest]], holder: object) -> list[str]:
    """Return which values belong to code, or share state with what the user's own code holds."""
    if not _is_users(holder):  # a library has too many objects to search them: compare identity only
        is_module = is_a(holder, ModuleType)
        members = vars(holder).values() if is_module else [*_parts(holder), attributes_of(holder)]
        wanted = {id(value): name for name, (value, _) in values.items()}
        if wanted.keys().isdisjoint(map(id, members)):  # as nearly always
            return []
        return [name for name, (value, _) in values.items() if any(part is value for part in members)]
    found = list(_parts(holder))
    return [
        name for name, (_, each) in values.items() if any(map(Search(each.mutable, each.memory).finds, found))
    ]


def _is_users(holder: object) -> bool:
    return origin(name_of_module(holder) if is_a(holder, ModuleType) else module_of(holder)).is_users


def code_kind(holder: object) -> str:
    """Return the noun for what holds code: `module`, `class`, `function`, or `object`."""
    if is_a(holder, ModuleType):
        return "module"
    if is_a(holder, type):
        return "class"
    return "object" if is_a(holder, SimpleNamespace) else "function"


def _parts(holder: object) -> Iterator[Any]:
    """Yield the mutable objects that a function, class or module holds; of packages only the top level."""
    if is_a(holder, FunctionType):
        yield from _changeable(
            [holder.__defaults__, holder.__kwdefaults__, holder.__closure__, holder.__dict__]
        )
    elif is_a(holder, ModuleType) and origin(name_of_module(holder)) is not Origin.NOTEBOOK:
        yield from _changeable(part for name, part in vars(holder).items() if not name.startswith("__"))
    elif is_a(holder, type) and _is_users(holder):
        for cls in bases_of(holder):
            for attribute in list(class_attributes(cls).values()) if _is_users(cls) else ():
                functions = list(functions_in(attribute))
                yield from _changeable([] if functions else [attribute])  # methods are code, as the class is
                for function in functions:
                    yield from _parts(function)


def _changeable(parts: Iterable[Any]) -> Iterator[Any]:
    """Leave out what nothing changes, and what values refer to by name, as to modules and to most classes."""
    for part in parts:
        if is_a(part, type):
            if _is_users(part) and not name_at_home(part):
                yield part
        elif not is_a(part, ModuleType) and not is_immutable(part):
            yield part


def weakly_referred(values: Mapping[str, tuple[Any, ValueDigest]], namespace: Mapping[str, Any]) -> list[str]:
    """Return which variables refer weakly to values that a step has changed in place, as sentences.

    Args:
        values: input name → value and content.
        namespace: the notebook's other variables.
    """
    return [
        f"`{name}` refers weakly to `{changed}`"
        for changed, (value, seen) in values.items()
        if (references := _weak_references(value, seen))
        for search in [Search(references)]
        for name, each in namespace.items()
        if not is_shells(name) and search.finds(each)
    ]


def _weak_references(value: object, seen: ValueDigest) -> set[int]:
    """Return the ids of the weak references to a value, and to instances of the user's classes inside it."""
    found = {*map(id, getweakrefs(value))}
    visited, level = set[int](), [value] if seen.code else []
    while level and len(visited) < FAR:
        fresh = {id(part): part for part in level if not is_one_of(part, SCALARS) and id(part) not in visited}
        visited |= fresh.keys()
        found |= {id(each) for part in fresh.values() if _is_users(type(part)) for each in getweakrefs(part)}
        level = parts_of(fresh.values())
    return found


def weak_holder(definitions: Mapping[str, Any]) -> str:
    """Return which function or class of the user holds a weak set or dictionary: "class `Model`"; "" for none."""
    for name, holder in definitions.items():
        is_code = is_a(holder, type) or (is_a(holder, FunctionType) and bool(list(functions_in(holder))))
        if is_code and _is_users(holder) and any(_is_weak(part) for part in _parts(holder)):
            return f"{code_kind(holder)} `{name}`"
    return ""


def _is_weak(part: Any, depth: int = 3) -> bool:
    if is_a(part, WeakSet | WeakKeyDictionary | WeakValueDictionary):
        return True
    if not depth:
        return False
    inner: list[Any] = []
    if is_a(part, CellType):
        inner += [part.cell_contents] if part != _EMPTY else []
    elif is_a(part, dict):
        inner += dict.values(part)
    else:
        inner += elements_of(part)
    if origin(module_of(type(part))).is_users:
        inner += attributes_of(part).values()
    return any(_is_weak(each, depth - 1) for each in inner if not is_one_of(each, SCALARS))
