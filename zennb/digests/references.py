"""Owns `held_by_nobody_else`: counting the references to what values consist of.

Where each reference is accounted for, no other variable and no library holds a part of the values. To count takes a
millisecond; to look for the parts in everything else takes the longer, the more there is.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import is_a, module_name
from zennb.compat.tensors import torch
from zennb.digests.reachability import KERNEL
from zennb.digests.stretches import TEXTS
from zennb.digests.transparency import is_transparent
from zennb.digests.walker import SCALARS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from collections.abc import Set as AbstractSet

    from zennb.digests.stretches import Stretch

__all__ = ["held_by_nobody_else"]

_MOST = 3_000
"""Objects inside the values that are counted; of more, the search takes hardly longer."""

_TELLING = frozenset({"numpy", "pandas", "pyarrow"})
"""Packages whose classes written in C hide nothing else: arrays are asked for what they hold, and memory is known."""

_known: WeakKeyDictionary[type, bool] = WeakKeyDictionary()
"""Class → whether everything that its instances refer to is told."""

_CODE = (type, ModuleType, FunctionType)
"""What is not looked into, as a function refers to the whole notebook. So what functions hold stays unaccounted for."""


def held_by_nobody_else(
    values: Collection[Any], ids: AbstractSet[int], memory: Collection[Stretch], holders: Iterable[Any]
) -> bool:
    """Whether only these values and their holders refer to certain objects inside them, and to what leads there.

    False as well where nobody can tell: an object is in none of the values, memory is not an array's own, or a part
    is written in C and does not tell what it holds.

    Args:
        values: the values.
        ids: of the objects.
        memory: memory that the values stand on; its owners are such objects, too.
        holders: containers and records that do not count; each refers to values, or to something inside them.
    """
    owners = {each.owner for each in memory} - {TEXTS}
    # A tensor takes over the memory of an array without a reference to it.
    if torch() is not None or 0 in owners:
        return False
    probe = object()
    try:
        inside, held_by = _parts(values, probe)
    except Exception:  # noqa: BLE001 - a class of the user that cannot be hashed
        return False
    wanted = ids | owners
    if not wanted <= inside.keys() or not all(_owns_memory(inside[each]) for each in owners):
        return False
    outside = Counter(map(id, gc.get_referents(*holders)))
    checked: dict[int, int] = {}  # in place of a set: what leads to an object is checked after it
    waiting = list(wanted)
    while waiting:
        key = waiting.pop()
        if key not in checked:
            checked[key] = len(held_by.get(key, ())) + outside[key]
            waiting += held_by.get(key, ())
    found = [inside[id(probe)], *(inside[key] for key in checked)]
    own, *counts = map(sys.getrefcount, found)
    # One reference more to the probe than to any of the others: the variable here.
    return all(count == own - 1 + known for count, known in zip(counts, checked.values(), strict=True))


def _parts(values: Collection[Any], probe: object) -> tuple[dict[int, Any], dict[int, list[int]]]:
    """Return the objects inside values by id, the probe among them, and each's id → those that refer to it.

    Nothing when there are too many, or one that may hold what it does not tell: then no object is found in them.
    """
    inside: dict[int, Any] = {id(probe): probe}
    held_by: dict[int, list[int]] = {}
    level = list(values)
    while level:
        fresh = {id(each): each for each in level if id(each) not in inside}
        if len(inside) + len(fresh) > _MOST or not all(map(_tells, set(map(type, fresh.values())))):
            return {}, {}
        inside |= fresh
        level = []
        for key, each in fresh.items():
            found = [part for part in _referents(each) if type(part) not in SCALARS]
            for part in found:
                held_by.setdefault(id(part), []).append(key)
            level += found
    return inside, held_by


def _tells(cls: type) -> bool:
    known = _known.get(cls)
    if known is None:
        is_leaf = issubclass(cls, _CODE) or module_name(cls).startswith(KERNEL)
        known = _known[cls] = is_leaf or is_transparent(cls, trusted=_TELLING)
    return known


def _referents(value: Any) -> list[Any]:
    """Return the objects that an object refers to, each as often as it does."""
    if issubclass(type(value), _CODE) or module_name(type(value)).startswith(KERNEL):
        return []
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    if array is None or not issubclass(type(value), array):
        return gc.get_referents(value)
    # The collector tells neither the base of an array nor its elements.
    base = array.base.__get__(value)
    parts = [*gc.get_referents(value), *(() if base is None else (base,))]
    if array.dtype.__get__(value).hasobject:
        parts += array.tolist(array.ravel(array.view(value, array)))
    return parts


def _owns_memory(value: Any) -> bool:
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    # A matrix of numpy, too, but no class of the user, which may say anything.
    is_numpys = array is not None and is_a(value, array) and module_name(type(value)).startswith("numpy.")
    return (type(value) is array or is_numpys) and bool(array.flags.__get__(value).owndata)
