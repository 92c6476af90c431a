"""Owns small makers of values for the pairs of `digest_pairs`."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.linear_model import LinearRegression

if TYPE_CHECKING:
    from collections.abc import Callable


class Point(NamedTuple):
    x: Any
    y: Any


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def method(self) -> None: ...


class Sub(Plain):
    pass


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)


class MoreSlots(Slotted):
    __slots__ = ("c",)


class TextList(list[Any]):
    note = ""


class Text(str):
    __slots__ = ()


class Reals(float):
    __slots__ = ()


class Table(dict[Any, Any]):
    pass


class Bag(set[Any]):
    pass


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Shade(enum.Enum):
    RED = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Data:
    a: Any = 1
    b: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: Any = 1


def ring(length: int) -> list[Any]:
    first: list[Any] = []
    last = first
    for _ in range(length - 1):
        last = [last]
    first.append(last)
    return first


def pair_of(part: Any) -> list[Any]:
    return [[part], [part]]


def asked(values: dict[Any, Any]) -> dict[Any, Any]:
    values.get("x")
    return values


def adder(n: Any) -> Callable[[Any], Any]:
    return lambda x: x + n


def with_note(function: Any, note: str) -> Any:
    function.note = note
    return function


def nan(bits: int) -> float:
    return float(np.array([bits], np.uint64).view(np.float64)[0])


def read_only(values: Any) -> Any:
    values.flags.writeable = False
    return values


def masked(fill: Any = None, *, hard: bool = False, mask: Any = (False, True)) -> Any:
    return np.ma.masked_array([1, 2], list(mask), fill_value=fill, hard_mask=hard)


TEXT: Any = pd.Series(["a"]).dtype if pd.Series(["a"]).dtype != object else "string"
"""The type of text that is no plain object: before pandas 3 it has to be asked for."""


def series(*values: Any, **how: Any) -> Any:
    return pd.Series(list(values), **how)


def frame(**columns: Any) -> Any:
    return pd.DataFrame(columns or {"a": [1, 2], "b": ["x", "y"]})


def noted(table: Any, **attrs: Any) -> Any:
    table.attrs.update(attrs)
    return table


def days(**how: Any) -> Any:
    return pd.date_range("2024-01-01", periods=3, **how)


def levels(*names: Any, values: Any = (("a", 1), ("b", 2))) -> Any:
    return pd.MultiIndex.from_tuples(list(values), names=list(names) or None)


def category(values: Any = ("a", "b"), **how: Any) -> Any:
    return pd.Categorical(list(values), **how)


def fitted(y: Any = (0.0, 1.0), **how: Any) -> Any:
    return LinearRegression(**how).fit([[0.0], [1.0]], list(y))


def figure(title: str = "", color: str = "red", size: float = 3.0) -> Any:
    from matplotlib.figure import Figure

    made = Figure(figsize=(size, 2))
    axes = made.subplots()
    axes.plot([1, 2], color=color)
    axes.set_title(title)
    return made


def sparse(kind: str, dtype: Any = float, values: Any = ((0, 1), (2, 0))) -> Any:
    return getattr(scipy.sparse, f"{kind}_matrix")(np.array(values, dtype))
