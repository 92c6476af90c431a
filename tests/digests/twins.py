"""Pairs of values that must agree, however they were made."""

from __future__ import annotations

import collections
import datetime as dt
import fractions
import functools
import pathlib
import re
import zoneinfo
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.digests.parts import (
    Color,
    Data,
    Mode,
    Plain,
    Slotted,
    adder,
    asked,
    category,
    days,
    fitted,
    frame,
    levels,
    masked,
    read_only,
    ring,
    series,
    sparse,
)

if TYPE_CHECKING:
    from collections.abc import Callable


Pair = tuple[Any, Any]


PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOON = dt.datetime(2024, 3, 1, 12)  # noqa: DTZ001 - naive on purpose
SUMMER = dt.timezone(dt.timedelta(hours=1))


def filled(*members: Any) -> set[Any]:
    """A set filled in this order."""
    made: set[Any] = set()
    for member in members:
        made.add(member)
    return made


def aged(values: dict[Any, Any]) -> dict[Any, Any]:
    """The same dictionary after keys came and went."""
    for key in range(100):
        values[key] = key
    for key in range(100):
        del values[key]
    return values


AGREE: dict[str, Callable[[], Pair]] = {
    "sets in another order": lambda: (filled(1, 9, 17, 25), filled(25, 17, 9, 1)),
    "frozensets in another order": lambda: (frozenset(filled("a", "b")), frozenset(filled("b", "a"))),
    "sets of sets": lambda: ({frozenset({1, 9})}, {frozenset({9, 1})}),
    "sets that were larger": lambda: ({1, 2}, {1, 2, *range(100)} & {1, 2}),
    "dictionaries that were larger": lambda: ({"a": 1}, aged({"a": 1})),
    "lists that were longer": lambda: ([1], [1, 2, 3][:1]),
    "built texts": lambda: ("ab" * 3, "".join(["ab"] * 3)),
    "large numbers": lambda: (2**80, int("1" + "0" * 80, 2)),
    "deep copies": lambda: ([{"a": ({1},)}], deepcopy([{"a": ({1},)}])),
    "copies of what shares": lambda: ([[]] * 2, deepcopy([[]] * 2)),
    "rings": lambda: (ring(3), deepcopy(ring(3))),
    "objects": lambda: (Plain(a=[1]), deepcopy(Plain(a=[1]))),
    "slots": lambda: (Slotted(b=2, a=1), Slotted(a=1, b=2)),
    "data classes": lambda: (Data(1, [2]), Data(b=[2], a=1)),
    "enum members": lambda: (Color(1), Color.RED),
    "flags": lambda: (Mode.READ | Mode.WRITE, Mode(3)),
    "counters": lambda: (collections.Counter("ab"), collections.Counter({"a": 1, "b": 1})),
    "defaultdicts before and after a look": lambda: (
        collections.defaultdict(int, a=1),
        asked(collections.defaultdict(int, a=1)),
    ),
    "deques": lambda: (collections.deque([1, 2], 5), collections.deque([0, 1, 2], 5).__class__([1, 2], 5)),
    "fractions": lambda: (fractions.Fraction(1, 2), fractions.Fraction(2, 4)),
    "paths": lambda: (pathlib.PurePosixPath("a/b"), pathlib.PurePosixPath("a", "./b")),
    "patterns": lambda: (re.compile("(?i)a"), re.compile("(?i)a", re.IGNORECASE)),
    "zones": lambda: (NOON.replace(tzinfo=PARIS), NOON.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))),
    "durations": lambda: (dt.timedelta(days=1), dt.timedelta(hours=24)),
    "views of bytes": lambda: (memoryview(b"xaby")[1:3], memoryview(b"ab")),
    "lambdas alike": lambda: (adder(1), adder(1)),
    "partials alike": lambda: (functools.partial(max, 1), functools.partial(max, *(1,))),
    "views": lambda: (np.arange(10)[2:8:2], np.array([2, 4, 6])),
    "backwards": lambda: (np.arange(3)[::-1], np.array([2, 1, 0])),
    "transposed twice": lambda: (np.arange(6).reshape(2, 3).T.T, np.arange(6).reshape(2, 3)),
    "broadcast": lambda: (np.broadcast_to(1.5, (2, 2)), read_only(np.full((2, 2), 1.5))),
    "memory apart": lambda: (np.lib.stride_tricks.as_strided(np.arange(4), (2,), (16,)), np.array([0, 2])),
    "object arrays": lambda: (np.array([[1, "a"]], object), np.asfortranarray(np.array([[1, "a"]], object))),
    "masked arrays": lambda: (masked(), deepcopy(masked())),
    "fields": lambda: (np.array([(1, 2.0)], "i4,f8"), np.array([(0, 0), (1, 2.0)], "i4,f8")[1:]),
    "generators": lambda: (np.random.default_rng(1), deepcopy(np.random.default_rng(1))),
    "blocks of a frame": lambda: (
        frame(a=[1], b=[2]),
        pd.concat([frame(a=[1]), frame(b=[2])], axis=1),
    ),
    "frames in pieces": lambda: (frame(a=[1, 2]), pd.concat([frame(a=[1]), frame(a=[2])], ignore_index=True)),
    "a column taken away": lambda: (frame(a=[1]), frame(a=[1], b=[2]).drop(columns="b")),
    "renamed and back": lambda: (
        frame(a=[1]),
        frame(a=[1]).rename(columns={"a": "b"}).rename(columns={"b": "a"}),
    ),
    "sliced frames": lambda: (frame(a=[1, 2, 3])[:2], frame(a=[1, 2])),
    "categories": lambda: (category(), category(["b", "a"])[::-1]),
    "levels": lambda: (levels("x", "y"), levels().set_names(["x", "y"])),
    "dates": lambda: (
        days(),
        pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-03"], freq="D").as_unit(days().unit),
    ),
    "missing numbers": lambda: (
        series(1, None, dtype="Int64"),
        series(1, 5, dtype="Int64").mask([False, True]),
    ),
    "nan that was computed": lambda: (series(float("nan")), series(float("inf")) * float("nan")),
    "polars frames": lambda: (
        pl.DataFrame({"a": [1, 2]}),
        pl.concat([pl.DataFrame({"a": [n]}) for n in (1, 2)]),
    ),
    "sparse matrices": lambda: (sparse("csr"), deepcopy(sparse("csr"))),
    "models": lambda: (fitted(), deepcopy(fitted())),
    "a model fitted again": lambda: (fitted(), fitted((5.0, 2.0)).fit([[0.0], [1.0]], [0.0, 1.0])),
    "pipelines": lambda: (
        make_pipeline(StandardScaler(), fitted()),
        deepcopy(make_pipeline(StandardScaler(), fitted())),
    ),
}
