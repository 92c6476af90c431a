"""Owns the detection of shared mutable state: variables that share it are read, stored and restored together."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from functools import cache
from itertools import chain, compress
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ReferenceType, ref

from zennb.compat.instances import class_attributes, is_a, is_one_of
from zennb.compat.iterators import KeptAlive
from zennb.digests.memory import is_array, memory_parts
from zennb.digests.reachability import is_reachable
from zennb.digests.stretches import share_memory
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from zennb.core.records.records import Artifact
    from zennb.digests.digest import ValueDigest
    from zennb.digests.stretches import Stretch

__all__ = [
    "Partners",
    "connected",
    "forget",
    "groups",
    "kept_by_libraries",
    "own_parts",
    "searched_state",
    "share",
    "stored_apart",
    "take_open_files",
]

Partners: TypeAlias = "Callable[[Mapping[str, ValueDigest], Collection[Any]], Mapping[str, Any] | None]"
"""Returns what shares state with variables, None if nobody else holds any; also given what beside them holds these."""

_CONTAINERS = (dict, list, set, tuple)
"""Containers in which a library keeps constants, e.g. the converters of matplotlib's units."""

_DEPTH = 3  # how deep the parts of a library's object are searched

_libraries = KeptAlive()
"""Objects that belong to a library, by id; kept alive, so that no other object gets their id."""

_MOST = 100_000

_LARGEST = 1000
"""Entries of a library's container that are looked at. More are a table of plain values, as of characters."""

_PLAIN = frozenset(
    {str, int, float, complex, bool, bytes, type(None), type(Ellipsis), type, ModuleType}
    | {GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType}
    | {BuiltinFunctionType, FunctionType, ReferenceType, classmethod, staticmethod, property}
)
"""Types of most of what modules and classes refer to, and of nothing that values share and change."""


class _Searched:
    """What is known until modules are imported: to find it again after each cell would cost every step 50 to 200 ms.

    Attributes:
        others: ids of objects that do not belong to a library. Code that runs may free such an object, and its id may
            go to another one. If a library keeps that one for two values, they are stored together without need.
        classes: those of libraries that have attributes, without keeping them alive. What another one keeps later
            counts as the user's: this has the same consequence.
        modules: the names of the modules that were there, and how many; those that came later are looked at first.
    """

    __slots__ = ("classes", "count", "modules", "others")

    def __init__(self) -> None:
        self.others: set[int] = set()
        self.classes: list[ref[type]] = []
        self.modules: set[str] = set()
        self.count = 0


_searched = _Searched()


def forget() -> None:
    """Note that code ran: it may have imported modules, and these may keep objects that were nobody's before."""
    if len(sys.modules) != _searched.count:
        _searched.classes.clear()
        _searched.count = len(sys.modules)
        if _searched.others:  # a few, while all that libraries keep takes long to list
            kept = _kept_by_libraries(sys.modules.keys() - _searched.modules)
            _searched.others.difference_update(map(id, [*kept, *gc.get_referents(*_containers(kept))]))
            _searched.modules.update(sys.modules)
    if len(_searched.others) > _MOST:
        _searched.others.clear()


def share(one: ValueDigest, other: ValueDigest) -> bool:
    """Whether two values share state, so that a change of one shows in the other.

    Objects of a library (constants of a class or module, settings) do not count: all figures refer to the same few,
    and nobody changes them through a figure. Variables that functions share always count.
    """
    if share_memory(one.memory, other.memory):
        return True
    common = one.mutable & other.mutable
    if one.root in common or other.root in common:  # a value that is part of the other one, whoever keeps it
        return True
    common -= _libraries.keys()
    if not common:
        return False
    # The cheap answers first: a variable that functions share (its id is negative), an object that is known to be
    # nobody's library. What follows walks all classes of the process.
    if min(common) < 0 or not _searched.others.isdisjoint(common):
        return True
    return not _are_libraries(common)


def own_parts(value_digests: Mapping[str, ValueDigest]) -> dict[str, ValueDigest]:
    """Return what was seen of values, less the mutable parts and memory that belong to libraries."""
    unknown = frozenset[int]().union(*(each.mutable for each in value_digests.values()))
    unknown -= _libraries.keys() | _searched.others
    if unknown:
        _are_libraries(unknown)
    return {
        name: replace(
            each,
            mutable=each.mutable - _libraries.keys(),
            memory=tuple(stretch for stretch in each.memory if stretch.owner not in _libraries),
        )
        for name, each in value_digests.items()
    }


def kept_by_libraries(values: Mapping[str, tuple[Any, ValueDigest]]) -> list[str]:
    """Return which values a library keeps too, in a module, a class or a container of these.

    That is the value itself, an instance of a class of the user in it, and the array that it is a view of. What else
    is in it counts as the library's own.
    """
    ids = frozenset[int]().union(*(seen.mutable for _, seen in values.values()))
    owned = _kept_by_libraries() if ids else []
    containers = _containers(owned)
    if ids.isdisjoint(map(id, owned)) and ids.isdisjoint(map(id, gc.get_referents(*containers))):
        return []
    # What is only a key is not handed out, as of the numbers that a library counts for each model.
    inside = [dict.values(each) if is_a(each, dict) else gc.get_referents(each) for each in containers]
    kept = {id(each): each for part in (owned, *inside) for each in part if id(each) in ids}
    return [
        name
        for name, (value, seen) in values.items()
        if any(
            kept[each] is value or _is_users(type(kept[each])) or (is_array(value) and is_array(kept[each]))
            for each in seen.mutable & kept.keys()
        )
    ]


def searched_state(digests: Iterable[ValueDigest]) -> tuple[frozenset[int], list[Stretch]]:
    """Return the ids and memory by which values that `share` state with these are found.

    What is known to belong to a library is left out: it would be found in every figure.
    """
    seen = list(digests)
    ids = frozenset(abs(one) for each in seen for one in each.mutable).difference(_libraries)
    memory = [stretch for each in seen for stretch in each.memory]
    return ids, [each for each in memory if each.owner not in _libraries]


def connected(digests: Mapping[str, ValueDigest]) -> list[list[str]]:
    """Return all names in groups: names of different groups share no state."""
    found: list[list[str]] = []
    for name, digest in digests.items():
        linked = [group for group in found if any(share(digest, digests[other]) for other in group)]
        found = [group for group in found if group not in linked]
        found.append([*(other for group in linked for other in group), name])
    return found


def groups(digests: Mapping[str, ValueDigest]) -> list[tuple[str, ...]]:
    """Return the groups of several names that share state with each other, each in alphabetical order."""
    mutable = {name: digest for name, digest in digests.items() if digest.mutable or digest.memory}
    return sorted(tuple(sorted(group)) for group in connected(mutable) if len(group) > 1)


def stored_apart(digests: Mapping[str, ValueDigest], inputs: Mapping[str, Artifact]) -> frozenset[str]:
    """Return the inputs that share state but were stored separately: loaded, they would not share it."""
    found = set[str]()
    for names in groups(digests):
        # Values that were stored together are items of one blob; only these come back sharing their state.
        whole = {inputs[n].blob for n in names if n in inputs and inputs[n].part_of}
        stored = {
            inputs[n].blob if n in inputs and (inputs[n].item is not None or inputs[n].blob in whole) else n
            for n in names
        }
        found.update(names if len(stored) > 1 else ())
    return frozenset(found)


def _are_libraries(ids: frozenset[int]) -> bool:
    """Whether all these objects belong to a class, module or settings of a library, or are inside such objects.

    This walks all classes and modules once, which `gc.get_referrers` would do for each object. Results are cached,
    because the same few constants occur in all values of a kind.
    """
    owned = _kept_by_libraries()
    inside = [part for each in (owned, gc.get_referents(*_containers(owned))) for part in _among(ids, each)]
    for depth in range(_DEPTH + 1):
        _libraries.update({id(each): each for each in inside})
        if ids <= _libraries.keys() or depth == _DEPTH:
            break
        # Go deeper only inside the objects in question: a library has too many objects.
        owned = [part for part in gc.get_referents(*(owned if depth else inside)) if not is_a(part, type)]
        inside = _among(ids, owned)
    # What stands for the memory of a library's array is the library's, too.
    memory = [part for each in list(_libraries.values()) if is_array(each) for part in memory_parts(each)]
    _libraries.update({id(part): part for part in memory})
    _searched.others.update(ids - _libraries.keys())
    return ids <= _libraries.keys()


def _among(ids: frozenset[int], objects: list[Any]) -> list[Any]:
    """Return the objects with one of these ids, without plain values; usually none of the many is one."""
    if ids.isdisjoint(map(id, objects)):
        return []
    return [
        each
        for each in objects
        if id(each) in ids and not is_one_of(each, _PLAIN) and not _is_users(type(each))
    ]


def _is_users(cls: type) -> bool:
    return origin(module_of(cls)).is_users


def _kept_by_libraries(names: Collection[str] | None = None) -> list[Any]:
    """Return what classes and modules of installed packages refer to, and the packages' settings, without plain values.

    Not by `gc.get_objects`: it also returns tuples that other threads are still building, and who holds one makes that
    thread fail with a SystemError.

    Args:
        names: those of the modules to look at, with their own classes; all there are by default.
    """
    # Anything may have been put there.
    modules: list[object] = [
        sys.modules.get(each) for each in (sys.modules.copy() if names is None else names)
    ]
    is_users = cache(lambda module: origin(module).is_users)  # a module has many classes
    kept: list[Mapping[Any, Any]] = [vars(each) for each in modules if is_a(each, ModuleType)]
    kept = [each for each in kept if _is_library(each, is_users)]
    if names is None:
        if not _searched.classes:
            _searched.classes += [ref(each) for each in _all_classes() if _keeps_objects(each, is_users)]
        kept += [class_attributes(cls) for each in _searched.classes if (cls := each()) is not None]
        _searched.modules.update(sys.modules)
    else:
        classes = {id(each): each for held in kept for each in list(held.values()) if is_a(each, type)}
        kept += [class_attributes(each) for each in classes.values() if _keeps_objects(each, is_users)]
    # A dictionary of matplotlib's own that every figure refers to.
    settings = getattr(sys.modules.get("matplotlib"), "rcParams", None)
    values = list(chain.from_iterable(list(each.values()) for each in kept))
    found = _of_kinds(values, _types(values) - _PLAIN)
    return found if settings is None else [*found, *gc.get_referents(settings)]


def _of_kinds(objects: list[Any], kinds: Collection[type]) -> list[Any]:
    """Return the objects of just these types, without a line of Python for each: there are some hundred thousand."""
    try:
        return list(compress(objects, map(kinds.__contains__, map(type, objects))))
    except Exception:  # noqa: BLE001 - a class of the user that cannot be hashed
        return [each for each in objects if is_one_of(each, kinds)]


def _types(objects: Iterable[Any]) -> set[type]:
    """Return the types of some objects, without those that cannot be hashed."""
    try:
        return set(map(type, objects))
    except Exception:  # noqa: BLE001 - as above
        return {cls for cls in map(type, objects) if type.__hash__ is type(cls).__hash__}


def _all_classes() -> list[type]:
    found: dict[int, type] = {}
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in found:
            found[id(cls)] = cls
            waiting += type.__subclasses__(cls)
    return list(found.values())


def _keeps_objects(cls: type, is_users: Callable[[str], bool]) -> bool:
    """Whether this is a class of a library that has attributes of its own which values may share."""
    namespace = class_attributes(cls)
    if _types(namespace.values()) <= _PLAIN:  # as in most classes
        return False
    # `type("X", (), {1: []})` is a class, too.
    return _is_library(namespace, is_users) and any(
        not is_one_of(value, _PLAIN) and not (type(name) is str and name.startswith("__"))
        for name, value in namespace.items()
    )


def _containers(found: list[Any]) -> list[Any]:
    """Return the containers among objects that are not too large to look into."""
    # What a container's own class says of its length does not count.
    sizes = {cls: kind.__len__ for cls in _types(found) for kind in _CONTAINERS if issubclass(cls, kind)}
    held = _of_kinds(found, sizes.keys())
    # Each once: all modules refer to the dictionary of the builtins.
    return [
        each
        for each in dict(zip(map(id, held), held, strict=True)).values()
        if sizes[type(each)](each) <= _LARGEST
    ]


def _is_library(namespace: Mapping[Any, Any], is_users: Callable[[str], bool]) -> bool:
    """Whether this is the dictionary of a class or module of an installed package."""
    # The dictionary of any object may have an entry `__doc__`; those of classes and modules have two such entries.
    is_class = "__module__" in namespace and "__doc__" in namespace
    if not is_class and not ("__name__" in namespace and "__spec__" in namespace):
        return False
    module = namespace.get("__module__", namespace.get("__name__"))
    return type(module) is str and not is_users(module)


def take_open_files(
    values: dict[str, tuple[Any, ValueDigest]],
    others: Collection[str],
    bound: Collection[str],
    namespace: Mapping[str, Any],
) -> list[str]:
    """Take out, and return, variables with open files that some of the `others`, which cannot be stored, read as well.

    Args:
        values: name → value and content.
        others: names of what cannot be stored.
        bound: the variables to look at.
        namespace: has all of them.
    """
    files = {name: seen for name, (_, seen) in values.items() if seen.files and name in bound}
    found = [
        name
        for name, seen in files.items()
        if any(is_reachable(namespace[each], seen.mutable, seen.memory) for each in others)
    ]
    for name in found:
        del values[name]
    return found
