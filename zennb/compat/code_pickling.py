"""Owns what cloudpickle calls to rebuild functions and classes, and which classes it knows to be in this process.

It has no public names for these. What it calls is read off three samples that it reduces through `reducer_override`,
which is pickle's own interface. Only its table of classes has a private name, and a slower way around it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import cloudpickle
from cloudpickle import cloudpickle as internals

from zennb.compat.python import own_annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Makers", "is_importable", "make_class", "makers", "reduced_function", "with_annotations"]

_ID = -2  # place, among the arguments of both makers of classes, of the id that cloudpickle tracks a class by


@dataclass(frozen=True, slots=True, kw_only=True)
class Makers:
    """What a pickle of cloudpickle calls.

    Attributes:
        function: makes a function.
        of_class: makes a class that has no attributes yet.
        of_enumeration: makes an enumeration with its members.
        fill_class: gives a class its attributes, and returns it.
    """

    function: Callable[..., FunctionType]
    of_class: Callable[..., type]
    of_enumeration: Callable[..., type]
    fill_class: Callable[[type, Any], type]


@cache
def makers() -> Makers:
    """Return what cloudpickle calls in this process."""
    notebook = {"__module__": "__main__"}
    _, _, _, _, _, fill_class = reduced = _reduced(type("_SampleOfAClass", (), notebook))
    return Makers(
        function=_reduced(lambda: None)[0],
        of_class=reduced[0],
        of_enumeration=_reduced(Enum("_SampleOfAnEnumeration", {"ONE": 1}, module="__main__"))[0],
        fill_class=fill_class,
    )


def is_importable(function: FunctionType) -> bool:
    """Whether cloudpickle finds a function in its module by its name; else it would store the code."""
    try:
        return _reduced(function) is NotImplemented
    except Exception:  # noqa: BLE001 - only to store the code it takes the function apart, which can fail
        return False


def reduced_function(reduce: Callable[[Any], Any], function: FunctionType) -> Any:
    """Return what cloudpickle reduces a function to, without evaluating annotations on the user's own function.

    Since Python 3.14 they are evaluated when they are asked for, and asking raises while a name in them is not bound.

    Args:
        reduce: `reducer_override` of a pickler.
        function: the function.
    """
    if getattr(function, "__annotate__", None) is None:
        return reduce(function)
    if function.__module__ != "__main__" and is_importable(function):
        return NotImplemented
    twin = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    for name in ("__kwdefaults__", "__qualname__", "__module__", "__doc__"):
        setattr(twin, name, getattr(function, name))
    twin.__dict__.update(function.__dict__)
    make, arguments, (state, slots), *others = reduce(twin)
    slots = {**slots, "__annotations__": own_annotations(function)}
    return make, arguments, (state, slots), *others


def with_annotations(cls: type, reduced: Any) -> Any:
    """Return what cloudpickle reduces a class to, with its annotations, which it leaves out since Python 3.14.

    Args:
        cls: the class.
        reduced: what `reducer_override` returned; a class that is stored by its name stays as it is.
    """
    if not isinstance(reduced, tuple) or reduced[0] not in {makers().of_class, makers().of_enumeration}:
        return reduced
    make, arguments, (state, slots), *others = reduced
    annotations = own_annotations(cls)
    if annotations is None or "__annotations__" in state:
        return reduced
    state = {name: value for name, value in state.items() if name not in _OF_ANNOTATIONS}
    return make, arguments, ({**state, "__annotations__": annotations}, slots), *others


_OF_ANNOTATIONS = frozenset(
    {"__annotate__", "__annotate_func__", "__annotations_cache__", "__classdictcell__"}
)
"""Attributes of a class with which Python 3.14 evaluates its annotations, and remembers them."""


def make_class(make: Callable[..., type], arguments: tuple[Any, ...]) -> tuple[type, bool]:
    """Call one of the two makers of classes; say too whether the class is new.

    cloudpickle returns the class that this process has already, if it knows it by the id among the arguments.
    """
    known = getattr(internals, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
    if known is not None:
        is_new = arguments[_ID] not in known
        return make(*arguments), is_new
    before = list(_subclasses(object))  # kept alive: the new class must not get the address of one of them
    made = make(*arguments)
    return made, not any(made is each for each in before)


def _subclasses(cls: type) -> Iterator[type]:
    """Yield all classes below a class; one with several bases comes several times."""
    below: list[type] = type.__subclasses__(cls)
    for each in below:
        yield each
        yield from _subclasses(each)


def _reduced(value: Any) -> Any:
    return cloudpickle.Pickler(io.BytesIO(), protocol=5).reducer_override(value)
