"""Owns iterators over dictionaries, and views of them: what they go over, where they stand, and others like them.

Their own recipes make iterators over lists, which no longer follow the dictionary; views have none.
"""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from itertools import islice
from pickle import Pickler
from types import FrameType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, is_a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "KeptAlive",
    "behind",
    "dictionary_recipe",
    "goes_over_dictionaries",
    "is_namespace",
    "iterator_at",
    "lends_attributes",
    "shows_namespace",
    "view_of",
]

_VIEWS: dict[type, Callable[[Any], Any]] = {
    type(make(cls())): make for cls in (dict, OrderedDict) for make in (cls.keys, cls.items, cls.values)
}
"""Type of a view → what makes it of a dictionary."""

_ITERATORS: dict[type, Callable[[Any], Iterator[Any]]] = {
    type(make({})): make
    for make in (
        dict.__iter__,
        lambda of: iter(dict.items(of)),
        lambda of: iter(dict.values(of)),
        dict.__reversed__,
        lambda of: reversed(dict.items(of)),
        lambda of: reversed(dict.values(of)),
        # Of these only what has come to its end: the order of a set is another one after a restart.
        lambda _: iter(set()),
        lambda _: iter(b""),
        lambda _: iter(bytearray()),
        lambda _: reversed([]),
    )
}
"""Type of an iterator → what makes it of a dictionary."""

_BY_NAME = {cls.__name__: make for cls, make in [*_VIEWS.items(), *_ITERATORS.items()]}


_HIDES_OBJECTS = sys.version_info[:2] == (3, 13)
"""Whether an object refers to the values of its attributes, and not to their dictionary, which it holds."""


def dictionary_recipe(value: Any) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a view or iterator; None for anything else, and when its place cannot be told.

    Raises:
        TypeError: it goes over what is stored as something else than a dictionary.
    """
    cls = type(value)
    if cls in _VIEWS:
        shown = next(each for each in gc.get_referents(value) if is_a(each, dict))
        return None if is_namespace(shown) else (view_of, (cls.__name__, shown))
    if cls is MappingProxyType and (held := behind(value)) is not None:
        return MappingProxyType, (held,)
    if cls not in _ITERATORS:
        return None
    found = [each for each in gc.get_referents(value) if each is not cls]
    over: Any = next((each for each in found if is_a(each, dict)), None)
    if over is None:  # at its end it lets go of what it went over
        is_over = not any(is_a(each, set | frozenset | bytes | bytearray | list) for each in found)
        return (iterator_at, (cls.__name__, {}, 1)) if is_over else None
    if is_namespace(over):
        raise TypeError("it goes over the attributes of an object, class or module")
    try:
        rest = value.__reduce__()[1][0]  # of a copy: it goes no further
    except RuntimeError:  # the dictionary has changed, as the next step will say
        return None
    place = len(over) - len(rest)
    then = list(islice(_ITERATORS[cls](over), place, None))
    if value.__length_hint__() != len(rest) or len(then) != len(rest) or not all(map(_same, then, rest)):
        return None
    return iterator_at, (cls.__name__, over, place)


def goes_over_dictionaries(cls: type) -> bool:
    """Whether `dictionary_recipe` may have a recipe for instances of a class."""
    return cls in _VIEWS or cls in _ITERATORS or cls is MappingProxyType


def behind(proxy: MappingProxyType[Any, Any]) -> Any:
    """Return the mapping that a read-only view shows; None for that of a class of a library, `vars(cls)`."""
    held = next(iter(gc.get_referents(proxy)), None)
    if not is_a(held, dict) or not {"__module__", "__doc__"} <= held.keys():
        return held
    return held if held["__module__"] == "__main__" else None


def shows_namespace(proxy: MappingProxyType[Any, Any]) -> bool:
    """Whether a read-only view shows a namespace; see `is_namespace`."""
    # As nearly always: nothing but the view holds what it shows. To look for what refers to it takes milliseconds.
    # Nobody may hold it in a variable meanwhile.
    return _holders(proxy) > _ALONE and (over := behind(proxy)) is not None and is_namespace(over)


def _holders(proxy: MappingProxyType[Any, Any]) -> int:
    return sys.getrefcount(behind(proxy))


_ALONE = _holders(MappingProxyType({}))


def is_namespace(over: Any) -> bool:
    """Whether a dictionary holds the attributes of an object, class or module, or belongs to a module that is imported.

    A view that is made again would show another dictionary, since these are not stored as dictionaries.
    """
    if any(_has_as_own(holder, over) for holder in gc.get_referrers(over)):
        return True
    if not _HIDES_OBJECTS or not over:
        return False
    rarest = min(dict.values(over), key=sys.getrefcount)
    return any(attributes_of(holder) is over for holder in gc.get_referrers(rarest) if not is_a(holder, dict))


def lends_attributes(value: Any) -> bool:
    """Whether something else holds the dictionary of an object's attributes: `vars(value)` in a variable.

    After loading the object has another dictionary. What has pickled an object keeps its attributes too, until it ends.
    """
    held = attributes_of(value) if not is_a(value, ModuleType) else {}
    # As nearly always, which takes 1 µs; to look for what refers to it takes milliseconds.
    place = id(held)  # a generator that names the dictionary itself would hold it
    if sys.getrefcount(held) <= _REFERENCES + sum(place in each for each in _kept_alive):
        return False
    if not _is_held(value, held):
        return False
    gc.collect()  # what an error has left behind may hold them
    return _is_held(value, held)


class KeptAlive(dict[int, object]):
    """Objects by their ids, which zennb keeps so that no other object gets one of these; nobody is lent anything.

    One is made for a module of ours, and stays.
    """

    def __init__(self) -> None:
        super().__init__()
        _kept_alive.append(self)


_kept_alive: list[KeptAlive] = []


def _is_held(value: Any, held: dict[str, Any]) -> bool:
    others = FrameType | Pickler | KeptAlive
    # No generator: its frame and cells would hold it, too.
    for each in gc.get_referrers(held):
        if each is not value and not is_a(each, others) and not _is_of_shell(each, held):
            return True
    return False


def _is_of_shell(holder: Any, held: dict[str, Any]) -> bool:
    """Whether IPython holds it as what a cell showed, or the notebook, or a copy of it, in names with an underscore."""
    if not is_a(holder, dict):
        return False
    names = attributes_of(sys.modules["__main__"])
    shell = getattr(names.get("get_ipython"), "__self__", None)
    if holder is names.get("_oh") or holder is attributes_of(getattr(shell, "displayhook", None)):
        return True
    public = [part for name, part in dict.items(holder) if not str(name).startswith("_")]
    return {"In", "Out"} <= holder.keys() and id(held) not in map(id, public)


class _Sample:
    """An object whose attributes nobody else holds."""


def _references(value: Any) -> int:
    held = attributes_of(value)
    return sys.getrefcount(held)


_REFERENCES = _references(_Sample())


def _has_as_own(holder: Any, over: Any) -> bool:
    if not is_a(holder, dict):
        return is_a(holder, type) or attributes_of(holder) is over
    names = dict(holder)  # without methods of its own
    is_module, is_class = {"__name__", "__spec__"} <= names.keys(), {"__module__", "__doc__"} <= names.keys()
    return (is_module and names["__name__"] != "__main__") or (is_class and names["__module__"] != "__main__")


def _same(one: Any, other: Any) -> bool:
    """Whether two keys or values are one, or the parts of two pairs."""
    if one is other:
        return True
    is_pair = type(one) is type(other) is tuple and len(one) == len(other) == 2
    return is_pair and one[0] is other[0] and one[1] is other[1]


def view_of(kind: str, over: Any) -> Any:
    """Return a view of a dictionary."""
    return _BY_NAME[kind](over)


def iterator_at(kind: str, over: Any, steps: int) -> Iterator[Any]:
    """Return an iterator that has gone this many steps, or one that has come to its end."""
    iterator: Iterator[Any] = _BY_NAME[kind](over)
    for _ in range(steps):
        next(iterator, None)
    return iterator
