"""The digest of Python's own values: what makes two of them the same, and what does not."""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import enum
import fractions
import functools
import io
import operator
import pathlib
import random
import re
import threading
import types
import uuid
import weakref
import zoneinfo
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from zennb.digests.digest import digest, digest_value
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Callable


class Point(NamedTuple):
    x: Any
    y: Any


class Other(NamedTuple):
    x: Any
    y: Any


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Sub(Plain):
    pass


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: Any) -> None:
        self.a = a


class Stateful:
    def __init__(self, kept: int, dropped: int) -> None:
        self.kept, self.dropped = kept, dropped

    def __getstate__(self) -> dict[str, int]:
        return {"kept": self.kept}


class MyInt(int):
    pass


class MyList(list[Any]):
    pass


class MySet(set[Any]):
    pass


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Size(enum.IntEnum):
    RED = 1


class Perm(enum.Flag):
    R = 1
    W = 2


@dataclass
class Data:
    a: int = 1
    b: list[int] = field(default_factory=list)


def shared(value: Any) -> list[Any]:
    return [value, value]


def cycle(*names: str) -> dict[str, Any]:
    ring: dict[str, Any] = dict.fromkeys(names, 1)
    ring["self"] = ring
    return ring


def deep(levels: int, bottom: Any) -> list[Any]:
    value = [bottom]
    for _ in range(levels):
        value = [value]
    return value


def at_end(file: io.BytesIO) -> io.BytesIO:
    file.seek(1)
    return file


def pair_of_tuples(inside: list[Any], *, again: bool) -> list[Any]:
    one = (inside,)
    return [one, (inside,) if again else one]


def adder(n: int) -> Callable[[int], int]:
    return lambda x: x + n


def function(x: int, y: int = 2) -> int:
    return x + y


UTC = dt.UTC
WHEN = dt.datetime(2024, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)

DIFFER: dict[str, tuple[Any, Any]] = {
    "int and bool": (1, True),
    "int and float": (1, 1.0),
    "int and text": (1, "1"),
    "bool and text": (True, "True"),
    "None and empty text": (None, ""),
    "None and False": (None, False),
    "zero and minus zero": (0.0, -0.0),
    "nan and infinity": (float("nan"), float("inf")),
    "float and complex": (1.0, 1 + 0j),
    "text and bytes": ("a", b"a"),
    "bytes and bytearray": (b"a", bytearray(b"a")),
    "composed and decomposed text": ("é", "e\u0301"),
    "big ints": (2**70, 2**70 + 1),
    "list and tuple": ([1], (1,)),
    "list and set": ([1], {1}),
    "set and frozenset": ({1}, frozenset({1})),
    "empty list and empty tuple": ([], ()),
    "empty set and empty dict": (set(), {}),
    "order in a list": ([1, 2], [2, 1]),
    "nesting": ([1, [2]], [[1], 2]),
    "element boundaries": (["ab", "c"], ["a", "bc"]),
    "list of one list": ([1, 2], [[1, 2]]),
    "tuple rows and list rows": ([(1, 2)], [[1, 2]]),
    "row boundaries": ([(1, 2), (3,)], [(1,), (2, 3)]),
    "dict rows": ([{"a": 1}], [{"a": 2}]),
    "tuples and lists in a dictionary": ({1: (1, 2)}, {1: [1, 2]}),
    "lists in a dictionary": ({1: [1, 2], 2: [3]}, {1: [1, 2], 2: [4]}),
    "one list twice in a dictionary": ({key: part for part in [[1]] for key in "ab"}, {"a": [1], "b": [1]}),
    "order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "keys of a dict": ({"a": 1}, {"b": 1}),
    "types of keys": ({1: "a"}, {True: "a"}),
    "values of a dict": ({"a": [1]}, {"a": [2]}),
    "dict and its items": ({"a": 1}, [("a", 1)]),
    "dict and ordered dict": ({"a": 1}, collections.OrderedDict(a=1)),
    "dict and default dict": ({"a": 1}, collections.defaultdict(None, {"a": 1})),
    "factories of default dicts": (collections.defaultdict(int), collections.defaultdict(list)),
    "dict and counter": ({"a": 1}, collections.Counter("a")),
    "length of a deque": (collections.deque([1], 2), collections.deque([1], 3)),
    "list and deque": ([1], collections.deque([1])),
    "list and its subclass": ([1], MyList([1])),
    "set and its subclass": ({1}, MySet({1})),
    "int and its subclass": (1, MyInt(1)),
    "members of a set": ({1, 2}, {1, 3}),
    "members of a nested set": ({frozenset({1})}, {frozenset({2})}),
    "tuple and named tuple": ((1, 2), Point(1, 2)),
    "two named tuples": (Point(1, 2), Other(1, 2)),
    "objects of two classes": (Plain(a=1), Sub(a=1)),
    "attributes": (Plain(a=1), Plain(a=2)),
    "names of attributes": (Plain(a=1), Plain(b=1)),
    "slots": (Slotted(1), Slotted(2)),
    "states": (Stateful(1, 2), Stateful(2, 2)),
    "data classes": (Data(1), Data(2)),
    "enum members": (Color.RED, Color.BLUE),
    "enum and its value": (Color.RED, 1),
    "int enum and int": (Size.RED, 1),
    "flags": (Perm.R, Perm.R | Perm.W),
    "shared and equal parts": (shared([]), [[], []]),
    "shared and equal objects": (shared(Plain()), [Plain(), Plain()]),
    "shared rows": (shared([1]), [[1], [1]]),
    "cycle and one turn of it": (cycle("a"), {"a": 1, "self": cycle("a")}),
    "cycles": (cycle("a"), cycle("b")),
    "depth": (deep(500, 1), deep(501, 1)),
    "dates": (dt.date(2024, 3, 1), dt.date(2024, 3, 2)),
    "date and datetime": (dt.date(2024, 3, 1), WHEN.replace(hour=0)),
    "naive and aware": (WHEN, WHEN.replace(tzinfo=UTC)),
    "time zones": (WHEN.replace(tzinfo=UTC), WHEN.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))),
    "fold": (WHEN, WHEN.replace(fold=1)),
    "durations": (dt.timedelta(1), dt.timedelta(1, 1)),
    "decimals": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "fractions": (fractions.Fraction(1, 2), fractions.Fraction(1, 3)),
    "paths": (pathlib.Path("a/b"), pathlib.Path("a/c")),
    "path and text": (pathlib.Path("a"), "a"),
    "kinds of paths": (pathlib.PurePosixPath("a"), pathlib.PureWindowsPath("a")),
    "uuids": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "patterns": (re.compile("a"), re.compile("b")),
    "flags of patterns": (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "matches in other texts": (re.match("a", "ab"), re.match("a", "ac")),
    "matches elsewhere": (re.search("a", "aa"), re.compile("a").search("aa", 1)),
    "matches of other patterns": (re.match("a", "ab"), re.match("a|b", "ab")),
    "ranges": (range(3), range(4)),
    "range and list": (range(3), [0, 1, 2]),
    "slices": (slice(1), slice(2)),
    "ellipsis and None": (..., None),
    "random states": (random.Random(1), random.Random(2)),
    "buffers": (io.BytesIO(b"a"), io.BytesIO(b"b")),
    "positions in buffers": (io.BytesIO(b"a"), at_end(io.BytesIO(b"a"))),
    "arrays": (array.array("i", [1]), array.array("i", [2])),
    "types of arrays": (array.array("i", [1]), array.array("h", [1])),
    "memory views": (memoryview(b"ab"), memoryview(b"ac")),
    "namespaces": (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    "mapping proxies": (types.MappingProxyType({"a": 1}), types.MappingProxyType({"a": 2})),
    "exceptions": (ValueError("a"), ValueError("b")),
    "types of exceptions": (ValueError("a"), TypeError("a")),
    "partials": (functools.partial(int, base=2), functools.partial(int, base=3)),
    "functions of partials": (functools.partial(int), functools.partial(float)),
    "getters": (operator.itemgetter(1), operator.itemgetter(2)),
    "builtins": (len, max),
    "bound builtins": ("a".join, "b".join),
    "method and its name": (str.upper, str.lower),
    "classes": (int, float),
    "own classes": (Plain, Sub),
    "modules": (re, random),
    "lambdas": (lambda x: x + 1, lambda x: x + 2),
    "closures": (adder(1), adder(2)),
    "function and its partial": (function, functools.partial(function)),
    "bound methods": (Plain(a=1).__init__, Plain(a=2).__init__),  # type: ignore[misc] # on purpose
    "generic types": (list[int], list[str]),
    "unions": (int | str, int | None),
    "iterators": (iter([1, 2]), iter([1, 3])),
}


@pytest.mark.parametrize(("one", "other"), DIFFER.values(), ids=DIFFER)
def test_values_that_differ_have_different_digests(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)
    assert digest([one]) != digest([other])
    assert digest({"k": (one,)}) != digest({"k": (other,)})


def backwards(items: list[Any]) -> set[Any]:
    found = set()
    for item in reversed(items):
        found.add(item)
    return found


ONE = Plain(name="one")
AGREE: dict[str, Callable[[], tuple[Any, Any]]] = {
    "sets filled in another order": lambda: (set(range(0, 9000, 8)), backwards(list(range(0, 9000, 8)))),
    "sets of texts": lambda: ({"a", "b", "c"}, backwards(["a", "b", "c"])),
    "sets of mixed types": lambda: ({"a", 1, None, 2.5}, backwards(["a", 1, None, 2.5])),
    "sets of tuples": lambda: ({(1, "a"), (2, "b")}, backwards([(1, "a"), (2, "b")])),
    "sets of sets": lambda: ({frozenset({1, 2}), frozenset()}, {frozenset(), frozenset({2, 1})}),
    "sets of objects": lambda: (
        {Plain(a=1), Plain(a=2), Plain(a=3)},
        {Plain(a=3), Plain(a=1), Plain(a=2)},
    ),
    "the same text twice and equal texts": lambda: (["ab" * 5] * 2, ["ab" * 5, "".join(["ab"] * 5)]),
    "a shared tuple and equal tuples": lambda: (shared((1, 2)), [(1, 2), (1, 2)]),
    "a shared tuple of shared things": lambda: (
        pair_of_tuples([], again=False),
        pair_of_tuples([], again=True),
    ),
    "equal floats": lambda: (float("nan"), float("nan")),
    "what the state leaves out": lambda: (Stateful(1, 2), Stateful(1, 3)),
    "copies": lambda: ([1, {"a": (2, [3])}], deepcopy([1, {"a": (2, [3])}])),
    "cycles of the same shape": lambda: (cycle("a", "b"), deepcopy(cycle("a", "b"))),
    "paths joined and whole": lambda: (pathlib.Path("a") / "b", pathlib.Path("a/b")),
    "a view and its bytes reversed twice": lambda: (memoryview(b"abc"), memoryview(b"cba")[::-1]),
    "two closures of one kind": lambda: (adder(3), adder(3)),
    "a memory view of a slice": lambda: (memoryview(b"xab")[1:], memoryview(b"ab")),
    "copies of a function's partial": lambda: (
        functools.partial(function, 1),
        functools.partial(function, 1),
    ),
    "a generator state copied": lambda: (random.Random(1), copy(random.Random(1))),
    "a dispatcher": lambda: (functools.singledispatch(function), functools.singledispatch(function)),
    "a cached function before and after use": lambda: (
        functools.cache(function),
        used(functools.cache(function)),
    ),
}


def used(cached: Any) -> Any:
    cached(1)
    return cached


@pytest.mark.parametrize("make", AGREE.values(), ids=AGREE)
def test_values_that_are_the_same_have_one_digest(make: Callable[[], tuple[Any, Any]]) -> None:
    one, other = make()
    assert digest(one) == digest(other)


@pytest.mark.parametrize("value", [pair[0] for pair in DIFFER.values()], ids=DIFFER)
def test_looking_changes_nothing(value: Any) -> None:
    assert digest(value) == digest(value)


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "an element appended": (lambda: [1], lambda v: v.append(2)),
    "a nested element": (lambda: {"a": [[1]]}, lambda v: v["a"][0].append(1)),
    "a key": (lambda: {"a": 1}, lambda v: v.update(b=2)),
    "a member": (lambda: {1}, lambda v: v.add(2)),
    "an attribute": (lambda: Plain(a=1), lambda v: setattr(v, "a", 2)),
    "a new attribute": (lambda: Plain(a=1), lambda v: setattr(v, "b", 2)),
    "an attribute of an object in a set": (
        lambda: [ONE, {ONE, Plain()}],
        lambda v: setattr(v[0], "seen", len(vars(v[0]))),
    ),
    "a slot": (lambda: Slotted(1), lambda v: setattr(v, "b", 2)),
    "a byte": (lambda: bytearray(2), lambda v: v.__setitem__(0, 1)),
    "a drawn random number": (lambda: random.Random(1), lambda v: v.random()),
    "an advanced iterator": (lambda: iter([1, 2]), next),
    "a method put on a class": (
        lambda: type("Made", (), {"f": function}),
        lambda v: setattr(v, "f", adder(1)),
    ),
    "an attribute of a function": (lambda: adder(1), lambda v: setattr(v, "note", 1)),
    "a default of a function": (lambda: lambda x=1: x, lambda v: setattr(v, "__defaults__", (2,))),
    "an alias made of equal parts": (lambda: [[], []], lambda v: v.__setitem__(1, v[0])),
}


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_in_place_is_seen(make: Callable[[], Any], change: Callable[[Any], object]) -> None:
    value = make()
    before = digest(value)
    change(value)
    assert digest(value) != before


def generator() -> Any:
    yield 1


async def coroutine() -> None: ...


REFUSED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a generator": (generator, "value", "a generator"),
    "a generator in an attribute": (lambda: Plain(a=[0, generator()]), "value.a[1]", "a generator"),
    "a lock in a dictionary": (lambda: {"k": {2: threading.Lock()}}, "value['k'][2]", "a lock"),
    "a lock in a slot": (lambda: Slotted(threading.RLock()), "value.a", "a lock"),
    "a thread": (lambda: [threading.Thread()], "value[0]", "a thread"),
    "an event": (threading.Event, "value", "an event between threads"),
    "a weak reference": (lambda: Plain(ref=weakref.ref(ONE)), "value.ref", "a weak reference"),
    "an open file": (lambda: Plain(file=io.FileIO(0, closefd=False)), "value.file", "an open file"),
    "a map over a generator": (lambda: map(str, generator()), "value", "a generator"),
    "a member of a set": (lambda: {1, generator()}, "value{...}", "a generator"),
    "a key": (lambda: {generator(): 1}, "value", "a generator"),
    "a closure's variable": (lambda: closed_over(generator()), "value.inner", "a generator"),
    "a partial's argument": (lambda: functools.partial(len, generator()), "value.args[0]", "a generator"),
    "an iterator over memory": (lambda: iter(memoryview(b"a")), "value", "an object of type memory_iterator"),
    "a deep one": (lambda: deep(3, generator()), "value[0][0][0][0]", "a generator"),
}


def closed_over(inner: Any) -> Any:
    return lambda: inner


@pytest.mark.parametrize(("make", "path", "why"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_content_is_refused_with_its_path(make: Callable[[], Any], path: str, why: str) -> None:
    with pytest.raises(CannotDigest) as caught:
        digest(make())
    assert (caught.value.path, caught.value.why) == (path, why)


def test_coroutines_and_frames_are_refused() -> None:
    import sys

    waiting = coroutine()
    with pytest.raises(CannotDigest, match="a coroutine"):
        digest_value(waiting, name="waiting")
    waiting.close()
    with pytest.raises(CannotDigest, match="`here` is a stack frame"):
        digest_value(sys._getframe(), name="here")
