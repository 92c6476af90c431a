"""Counting the references to what values consist of: nothing that holds a part of them may be missed."""

from __future__ import annotations

import weakref
from array import array
from collections import deque
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from zennb.digests.digest import digest_value
from zennb.digests.references import held_by_nobody_else

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def is_alone(namespace: dict[str, Any], *names: str) -> bool:
    """Ask of variables that are in this namespace and nowhere else."""
    values = [namespace[name] for name in names]
    seen = [digest_value(value) for value in values]
    ids = frozenset(abs(one) for each in seen for one in each.mutable)
    memory = [stretch for each in seen for stretch in each.memory]
    # For the list, and for the namespace.
    return held_by_nobody_else(values, ids, memory, [values, values])


class Tree:
    """An object with parts."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts


def _cyclic() -> list[Any]:
    found: list[Any] = [[1]]
    found.append(found)
    return found


MADE: dict[str, Callable[[], Any]] = {
    "list": lambda: [[1], [2]],
    "dict": lambda: {"a": [1], "b": {"c": {1, 2}}},
    "tuple": lambda: ([1], ([2],)),
    "deque": lambda: deque([[1]]),
    "object": lambda: Tree([Tree([])]),
    "namespace": lambda: SimpleNamespace(a=[1]),
    "cycle": _cyclic,
    "array": lambda: np.arange(5.0),
    "view": lambda: np.arange(9.0)[2:].reshape(7, 1),
    "record array": lambda: np.zeros(3, dtype=[("a", float)]).view(np.recarray).copy(),
    "object array": lambda: np.array([[1], [2, 3], None], dtype=object),
    "frame": lambda: pd.DataFrame({"x": [1.0, 2.0], "n": [1, 2]}, index=np.array([3, 4])),
    "texts": lambda: pd.DataFrame({"t": ["a", "b"]}),
    "series": lambda: pd.Series([1.0, 2.0]),
    "list of arrays": lambda: [np.arange(3), np.arange(4)],
}


@pytest.mark.parametrize("kind", MADE)
def test_what_only_a_variable_holds_is_alone(kind: str) -> None:
    assert is_alone({"x": MADE[kind]()}, "x")


def _generator(value: Any) -> Iterator[Any]:
    yield value


def _started(value: Any) -> Iterator[Any]:
    found = _generator(value)
    next(found)
    return found


def _closure(value: Any) -> Callable[[], Any]:
    return lambda: value


HOLDERS: dict[str, Callable[[Any], Any]] = {
    "another name": lambda value: value,
    "list": lambda value: [value],
    "key": lambda value: {1: value},
    "attribute": Tree,
    "closure": _closure,
    "default": lambda value: lambda x=value: x,
    "partial": lambda value: partial(print, value),
    "generator": _generator,
    "started generator": _started,
    "iterator": lambda value: iter([value]),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("holder", HOLDERS)
def test_what_something_else_holds_is_not_alone(kind: str, holder: str) -> None:
    namespace = {"x": MADE[kind]()}
    held = HOLDERS[holder](namespace["x"])
    assert not is_alone(namespace, "x")
    del held
    assert is_alone(namespace, "x")


PARTS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "item": (lambda: [[1], [2]], lambda value: value[1]),
    "value": (lambda: {"a": [1]}, lambda value: value["a"]),
    "tuple in between": (lambda: ([1], [2]), lambda value: (value,)),
    "inner tuple": (lambda: [([1],)], lambda value: value[0]),
    "attributes": (lambda: Tree([1]), vars),
    "bound method": (lambda: [[1]], lambda value: value[0].append),
    "iterator": (lambda: [[1]], lambda value: iter(value[0])),
    "view of a dict": (lambda: {"a": [1]}, lambda value: value.values()),
    "view": (lambda: np.arange(5.0), lambda value: value[1:]),
    "array of a view": (lambda: np.arange(5.0)[1:], lambda value: value.base),
    "other view": (lambda: np.arange(5.0)[1:], lambda value: value.base[:1]),
    "memory": (lambda: np.arange(5.0), memoryview),
    "element": (lambda: np.array([[1], None], dtype=object), lambda value: value[0]),
    "column": (lambda: pd.DataFrame({"x": [1.0], "n": [2]}), lambda value: value["x"]),
    "its array": (lambda: pd.DataFrame({"x": [1.0, 2.0]}), lambda value: value["x"].to_numpy()),
    "rows": (lambda: pd.DataFrame({"x": [1.0, 2.0, 3.0]}), lambda value: value.iloc[:2]),
    "array of a series": (lambda: pd.Series([1.0, 2.0]), lambda value: value.to_numpy()),
}


@pytest.mark.parametrize("part", PARTS)
def test_what_something_else_holds_a_part_of_is_not_alone(part: str) -> None:
    make, take = PARTS[part]
    namespace = {"x": make()}
    held = take(namespace["x"])
    assert not is_alone(namespace, "x")
    del held


def test_a_frame_shares_its_memory_with_the_array_it_was_made_of() -> None:
    values = np.zeros((3, 2))
    namespace = {"x": pd.DataFrame(values, copy=False)}
    assert not is_alone(namespace, "x")
    values[0] = 1
    assert namespace["x"].iloc[0, 0] == 1, "else there is nothing to find"


def test_a_variable_that_shares_a_part_with_another_is_not_alone_but_both_are_together() -> None:
    shared = [1]
    namespace = {"x": [shared], "y": {"a": shared}}
    del shared
    assert not is_alone(namespace, "x")
    assert not is_alone(namespace, "y")
    assert is_alone(namespace, "x", "y")


def test_memory_that_is_not_of_an_array_is_never_alone() -> None:
    buffer = bytearray(16)
    assert not is_alone({"x": np.frombuffer(buffer)}, "x")
    assert not is_alone({"x": memoryview(buffer)}, "x")
    assert not is_alone({"x": np.frombuffer(array("d", [1.0, 2.0]))}, "x")


def test_a_weak_reference_is_none_that_counts_but_the_object_behind_it_is_found() -> None:
    namespace = {"x": Tree([1])}
    watcher = weakref.ref(namespace["x"])
    assert is_alone(namespace, "x")
    again = watcher()
    assert not is_alone(namespace, "x")
    del again


def test_a_huge_value_is_left_to_the_search() -> None:
    assert not is_alone({"x": [[1] for _ in range(10_000)]}, "x")


def test_values_of_a_library_known_by_name_are_no_state() -> None:
    assert not digest_value(np.linspace).mutable
    twice = {"f": [np.linspace], "g": np.linspace}
    assert id(np.linspace) not in digest_value(twice).mutable


def test_a_value_with_a_part_that_does_not_tell_what_it_holds_is_never_alone() -> None:
    images = pytest.importorskip("PIL.Image")
    namespace = {"x": images.new("L", (2, 2))}
    pixels = namespace["x"].load()
    assert not is_alone(namespace, "x")
    del pixels
    assert not is_alone({"x": [memoryview(b"abc").cast("B"), iter([1])]}, "x")


class _NoHashMeta(type):
    def __hash__(cls) -> int:
        raise RuntimeError("no hash")


class NoHash(metaclass=_NoHashMeta):
    """A class that cannot be a key."""


def test_a_class_that_cannot_be_hashed_is_left_to_the_search() -> None:
    namespace = {"x": [NoHash()]}
    values = [namespace["x"]]
    assert not held_by_nobody_else(values, frozenset({id(namespace["x"])}), (), [values, values])
