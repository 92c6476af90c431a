"""A program that prints the digest of many values; run with different hash seeds, it prints the same."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import fractions
import functools
import operator
import pathlib
import random
import re
import types
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zennb.digests.digest import digest


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def method(self) -> set[str]:
        return {"x", "y", "z"}


class Color(enum.Enum):
    RED = 1
    BLUE = 2


def function(x: Any = frozenset({"p", "q", "r"})) -> Any:
    return x


words = ["alpha", "beta", "gamma", "delta"]
model = make_pipeline(StandardScaler(), LogisticRegression())
model.fit(np.arange(12.0).reshape(6, 2), [0, 1] * 3)
frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.Categorical(["u", "v"])})

values: list[Any] = [
    set(words),
    frozenset(words),
    {frozenset(words), frozenset(words[:2])},
    {word: place for place, word in enumerate(words)},
    {Plain(a=word) for word in words},
    {(word, Plain(b=1)) for word in words},
    [Plain(tags=set(words))] * 2,
    {Color.RED, Color.BLUE},
    {str, int, Plain},
    {1, None, "a", 2.5, b"b"},
    collections.Counter(words),
    collections.OrderedDict(a=1),
    collections.defaultdict(set, a=set(words)),
    collections.deque(words),
    dt.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")),
    dt.timedelta(1),
    decimal.Decimal("1.5"),
    fractions.Fraction(1, 3),
    pathlib.Path("a/b"),
    re.compile("a+", re.IGNORECASE),
    uuid.UUID(int=5),
    functools.partial(function, x=set(words)),
    function,
    lambda: words,
    Plain,
    Plain(a=1).method,
    Color,
    operator.itemgetter("a"),
    random.Random(1),
    types.SimpleNamespace(a={"b", "c"}),
    ValueError("x"),
    len,
    re,
    range(3),
    slice(1, 2),
    ...,
    np.arange(6.0).reshape(2, 3),
    np.array(["a", None, {"b", "c"}], dtype=object),
    np.float32(1),
    np.random.default_rng(1),
    np.ma.masked_array([1, 2], [False, True]),
    np.dtype([("a", "i4")]),
    frame,
    pd.Series([1, None], dtype="Int64"),
    pd.date_range("2024", periods=3, tz="Europe/Paris"),
    scipy.sparse.csr_matrix([[0, 1]]),
    pa.table({"a": ["x", None]}),
    pl.DataFrame({"a": ["x", None]}),
    pl.Series(["b", "a"], dtype=pl.Categorical),
    model,
]

if __name__ == "__main__":
    print("\n".join(digest(value) for value in values))
