"""A summary asks no object of the user for its text: that may do anything, such as keep what it has made."""

from __future__ import annotations

import enum
import functools
import reprlib
import types
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from zennb.engine.step.elements import short_repr
from zennb.materializers.own_texts import runs_own_text
from zennb.materializers.summary import summarise


class Lazy:
    """Keeps that it was asked."""

    asked = False

    def __repr__(self) -> str:
        Lazy.asked = True
        return "lazy"

    def method(self) -> None: ...


class Later(Lazy):
    """Has a text of its own from its base."""


class Recursive:
    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        Lazy.asked = True
        return "recursive"


class Bound:
    __repr__ = functools.partialmethod(lambda self: Lazy.__repr__(Lazy()))


class Meta(type):
    def __repr__(cls) -> str:
        return Lazy.__repr__(Lazy())


class Made(metaclass=Meta): ...


class Number(int):
    def __repr__(self) -> str:
        return Lazy.__repr__(Lazy())


class Rows(list[int]):
    def __repr__(self) -> str:
        return Lazy.__repr__(Lazy())

    def __len__(self) -> int:
        Lazy.asked = True
        return 1


class Slots:
    __slots__ = ("part",)


@dataclass
class Data:
    part: Any


@dataclass(slots=True)
class Slim:
    part: Any


class Pair(NamedTuple):
    part: Any


class Colour(enum.Enum):
    RED = 1


class Plain:
    def __init__(self, part: Any) -> None:
        self.part = part


def cell(part: Any) -> Any:
    array = np.empty(1, object)
    array[0] = part
    return array


HOLDERS = {
    **{kind.__name__: (lambda part, kind=kind: kind([part])) for kind in (list, tuple, set, deque)},
    **{kind.__name__: kind for kind in (Data, Slim, Pair, Plain)},
    "key": lambda part: {part: 1},
    "value": lambda part: {"a": part},
    "nested": lambda part: [[part], {"a": (part,)}],
    "ordered": lambda part: OrderedDict(a=part),
    "user": lambda part: UserDict(a=part),
    "space": lambda part: types.SimpleNamespace(a=part),
    "partial": lambda part: functools.partial(print, part),
    "array": cell,
    "series": lambda part: pd.Series(cell(part)),
    "index": lambda part: pd.Index(cell(part)),
    "frame": lambda part: pd.DataFrame({"a": cell(part)}),
    "estimator": lambda part: Ridge(alpha=part),
    "pipeline": lambda part: make_pipeline(Ridge(solver=part)),
    "iterator": lambda part: iter([part]),
    "view": lambda part: {"a": part}.values(),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize("make", [Lazy, Later, Recursive, Bound, lambda: Made, lambda: Number(3)])
def test_no_text_of_the_users_is_asked_for(make: Any, hold: Any) -> None:
    Lazy.asked = False
    summarise(hold(make()))
    summarise(make())
    assert not Lazy.asked


@pytest.mark.parametrize("value", [Rows([1, 2]), [Rows([1])], Lazy().method, [Lazy().method]])
def test_nor_of_containers_and_methods(value: Any) -> None:
    Lazy.asked = False
    summarise(value)
    short_repr(value)
    assert not Lazy.asked


@pytest.mark.parametrize(
    "value",
    [
        *(Data(1), Data([1]), Slim("a"), Pair(1), Colour.RED, Fraction(1, 2), PurePosixPath("a"), Ridge()),
        *(
            functools.partial(int, "1"),
            OrderedDict(a=1),
            Plain(1),
            [1],
            {1: "a"},
        ),
        *(np.float64(1), pd.Timestamp("2024"), range(3), int, print, types.SimpleNamespace(a=Data(1))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_texts_that_python_and_known_libraries_make_are_shown(value: Any) -> None:
    assert not runs_own_text(value)


def test_an_instance_is_summarised_by_its_type_and_attributes() -> None:
    held = Later()
    vars(held).update(a=1, b=[1, 2])
    name = f"<{__name__}.Later>"
    assert summarise(held) == {"kind": "object", "text": name, "attributes": [["a", "1"], ["b", "[1, 2]"]]}
    assert summarise(Data(1))["text"] == "Data(part=1)"
    assert summarise(Number(3))["text"] == "3"
