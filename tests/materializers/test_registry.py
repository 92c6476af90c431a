from __future__ import annotations

import dataclasses
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from zennb.digests.digest import digest
from zennb.errors import MissingExtra, UnknownName
from zennb.materializers.frames import Frames
from zennb.materializers.registry import Dumped, Materializers
from zennb.packages import entry_points as offers

Trip = Callable[[Any], tuple[Dumped, Any]]


@pytest.mark.parametrize(
    ("value", "materializer"),
    [
        (np.zeros(3), "numpy"),
        (np.float64(1), "plain"),
        (np.array([{}]), "pickle"),
        (pd.DataFrame({"a": [1]}), "frame"),
        (pl.DataFrame({"a": [1]}), "arrow_table"),
        (pd.Timestamp("2024"), "pickle"),
        ({"a": np.zeros(3), "b": None}, "plain"),
        ({"a": pd.DataFrame()}, "pickle"),
        (print, "pickle"),
    ],
)
def test_each_kind_of_value_has_its_materializer(value: Any, materializer: str, trip: Trip) -> None:
    dumped, again = trip(value)
    assert dumped.materializer == materializer
    assert digest(again) == digest(value)


def test_what_was_dumped_cannot_be_changed(trip: Trip) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        trip(1)[0].size = 3  # type: ignore[misc] # that is the point


def test_a_materializer_that_changes_something_is_passed_over(
    trip: Trip, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Frames.load

    def lossy(self: Frames, buffer: Any, scope: Any) -> Any:
        return load(self, buffer, scope).rename(columns={"a": "A"})

    monkeypatch.setattr(Frames, "load", lossy)
    dumped, again = trip(pd.DataFrame({"a": [1, 2]}))
    assert dumped.materializer == "pickle"
    assert list(again.columns) == ["a"]


def test_tables_are_pickled_where_arrow_is_not_installed(
    materializers: Materializers, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = offers.Offer(name="arrow_table.polars", target="no_such_library:Arrow")
    monkeypatch.setattr(offers, "OURS", {offers.MATERIALIZERS: (lost,)})
    monkeypatch.setattr(offers, "_found", {})
    value = pl.DataFrame({"a": [1]})
    assert materializers.dump(value, digest=digest(value), name="v").materializer == "pickle"
    with pytest.raises(MissingExtra, match=r"artifact 'v' is stored as arrow.*pip install"):
        materializers.load("arrow_table", b"", name="v")


def test_an_unknown_materializer_is_named(materializers: Materializers) -> None:
    with pytest.raises(UnknownName, match="no materializer 'nunpy'; did you mean 'numpy'"):
        materializers.load("nunpy", b"", name="v")


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: {"a": a}, lambda a: pd.DataFrame(a, copy=False)])
def test_storing_a_large_array_adds_no_second_one(
    wrap: Callable[[Any], Any], materializers: Materializers
) -> None:
    value = wrap(np.zeros((1_250_000, 8)))  # 80 MB
    known = digest(value)
    materializers.dump(wrap(np.zeros((2, 8))), digest="", name="warm")
    tracemalloc.start()
    try:
        dumped = materializers.dump(value, digest=known, name="v")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dumped.size > 80_000_000
    assert peak < 8_000_000


def test_choosing_imports_no_library_that_the_value_does_not_need() -> None:
    program = (
        "import sys, pathlib, tempfile\n"
        "from zennb.materializers.registry import Materializers\n"
        "from zennb.materializers.signer import Signer\n"
        "m = Materializers({}, Signer(pathlib.Path(tempfile.mkdtemp())))\n"
        "m.dump({'a': [1, 'x']}, digest='', name='v')\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'polars', 'PIL', 'matplotlib', 'IPython', 'sqlite3', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
