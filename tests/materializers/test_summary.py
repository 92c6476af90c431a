from __future__ import annotations

import base64
import datetime as dt
import io
import json
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn.linear_model import Ridge

from zennb.materializers.summary import KINDS, short, summarise, summarise_all, type_text
from zennb.views import preview

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Holder:
    """Holds much."""

    items: list[int]


class Hostile:
    """Raises wherever it can."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no")


class Lying:
    @property  # type: ignore[misc] # a class may do that
    def __class__(self) -> Any:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        *(None, 1, 2.5, float("nan"), "x" * 10_000, b"x" * 10**6, 10**5000, 1j),
        *([1], {1: [2]}, (), {1}, deque([1]), range(9)),
        *(
            np.arange(5),
            np.array(1),
            np.zeros((0, 3)),
            np.ones((2, 3, 4)),
            np.array([None, [1]], dtype=object),
        ),
        *(
            np.array([np.nan]),
            np.array([np.inf, 1]),
            np.array(["2024"], "M8[Y]"),
            np.float32(1),
            np.zeros((3, 0, 2)),
        ),
        *(np.array([(1, "x")], dtype=[("a", "i4"), ("b", "U1")]), np.array([1j]), np.array([True])),
        *(pd.Series(["x"]), pd.Index([1, 2]), pd.DataFrame()),
        *(
            pl.DataFrame({"a": [1]}),
            pl.Series([1]),
            pa.table({"a": [1]}),
            pl.DataFrame(),
            pd.Timestamp("2024"),
        ),
        *(Ridge(), print, lambda: 1),
    ],
    ids=lambda value: type(value).__qualname__,
)
def test_every_summary_is_small_json(value: Any) -> None:
    assert_small(value)


# Made by the test: what a module holds, other tests in its process search for what a step shares with code.
@pytest.mark.parametrize(
    "make",
    [
        lambda: [1] * 10**6,
        lambda: {n: n for n in range(10**5)},
        lambda: pd.DataFrame({"a": [1], "b": [[1] * 10**6]}),
        lambda: Holder([1] * 10**6),
    ],
    ids=["list", "dict", "frame", "object"],
)
def test_the_summary_of_a_large_value_is_small_json(make: Callable[[], Any]) -> None:
    assert_small(make())


def assert_small(value: Any) -> None:
    summary = summarise(value)
    text = json.dumps(summary, allow_nan=False)
    assert summary["kind"] in {"scalar", "text", "array", "frame", "picture", "mapping", "sequence", "object"}
    assert len(text) < 10_000


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {one: one}])
@pytest.mark.parametrize("kind", [Hostile, Lying])
def test_the_summary_of_a_hostile_object_is_small_json_too(kind: type, wrap: Callable[[Any], Any]) -> None:
    assert len(json.dumps(summarise(wrap(kind())))) < 1_000


def test_text_is_cut_but_its_length_is_told() -> None:
    assert summarise("ab" * 5000) == {"kind": "text", "text": "ab" * 1000, "length": 10_000}


def test_an_array_shows_range_and_corner() -> None:
    assert summarise(np.arange(12.0).reshape(3, 4)) == {
        "kind": "array",
        "shape": [3, 4],
        "dtype": "float64",
        "min": 0.0,
        "max": 11.0,
        "mean": 5.5,
        "head": [["0.0", "1.0", "2.0", "3.0"], ["4.0", "5.0", "6.0", "7.0"], ["8.0", "9.0", "10.0", "11.0"]],
    }


def test_a_frame_shows_columns_and_first_rows_index_first() -> None:
    frame = pd.DataFrame({"a": range(9), "<b>": ["x"] * 9}, index=list("abcdefghi"))
    summary = summarise(frame)
    assert summary["rows"] == 9
    assert summary["columns"] == [
        {"name": "a", "dtype": "int64"},
        {"name": "<b>", "dtype": str(frame["<b>"].dtype)},
    ]
    assert summary["head"][:2] == [["a", "0", "x"], ["b", "1", "x"]]
    assert len(summary["head"]) == 5


def test_frames_count_missing_values_and_show_dates_as_dates() -> None:
    days = pd.DatetimeIndex([pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02 06:00"), pd.NaT])
    frame = pd.DataFrame({"day": days, "at": [dt.date(2026, 1, 1)] * 3, "n": [1, 2, 3]})
    for found in (
        summarise(frame),
        summarise(pl.from_pandas(frame[["day", "n"]])),
        summarise(pa.table(frame)),
    ):
        missing = {each["name"]: each["missing"] for each in found["columns"] if "missing" in each}
        assert missing == {"day": 1}
        assert [row[1] for row in found["head"]][:2] == ["2026-01-01", "2026-01-02 06:00:00"]
    assert summarise(pd.DataFrame({"x": [1 / 3]}))["head"] == [["0", "0.333333"]]
    assert summarise(pd.DatetimeIndex(days[:1]))["items"][0][1] == "2026-01-01"
    assert summarise(dt.date(2026, 1, 1))["text"] == "2026-01-01"
    assert summarise(days[:2].to_numpy())["head"][0].startswith("2026-01-01")


def test_numbers_have_a_histogram_and_six_digits() -> None:
    found = summarise(np.linspace(0, 1, 240))
    assert found["histogram"] == [10] * 24
    assert found["head"][1] == "0.0041841"
    for odd in (np.full(50, np.nan), np.zeros(50), np.array([-1.7e308, 1.7e308] * 25), np.arange(3)):
        assert "histogram" not in summarise(odd)


@pytest.mark.parametrize("shape", [(40, 300), (40, 300, 3), (9, 9, 4)])
def test_bytes_with_the_shape_of_an_image_are_one(shape: tuple[int, ...]) -> None:
    made = np.random.default_rng(0).integers(0, 256, shape).astype("u1")
    found = summarise(made)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["data"]))))
    step = -(-max(shape[:2]) // 128)
    assert np.array_equal(picture, made[::step, ::step])
    assert "data" not in summarise(made.astype("i4"))
    assert "data" not in summarise(made[:5])


def test_a_mask_is_an_image() -> None:
    found = summarise(np.eye(16, dtype=bool))
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["data"]))))
    assert np.array_equal(picture, np.eye(16, dtype="u1") * 255)


def test_a_wide_frame_tells_how_wide_it_is() -> None:
    summary = summarise(pd.DataFrame(np.zeros((2, 5000))))
    assert len(summary["columns"]) == 50
    assert summary["width"] == 5000


def test_containers_show_their_first_items() -> None:
    assert summarise({"a": 1, "b": [1, 2]}) == {
        "kind": "mapping",
        "length": 2,
        "items": [["'a'", "int", "1"], ["'b'", "list", "[1, 2]"]],
    }
    assert summarise([0.5, None])["items"] == [["float", "0.5"], ["NoneType", "None"]]
    assert summarise({"x": pd.DataFrame({"a": [1]})})["items"] == [
        ["'x'", "pandas.DataFrame", "<pandas.DataFrame 1 × 1>"]
    ]


def test_an_object_shows_its_repr_and_attributes() -> None:
    summary = summarise(Ridge(alpha=2))
    assert summary["text"] == "Ridge(alpha=2)"
    assert ["alpha", "2"] in summary["attributes"]


def test_private_attributes_are_not_shown() -> None:
    value = Holder([1])
    value.__dict__["_password"] = "hunter2"
    assert summarise(value)["attributes"] == [["items", "[1]"]]


def test_a_repr_without_end_is_not_begun() -> None:
    began = time.monotonic()
    value: Any = [0] * 10**6
    for _ in range(50):
        value = [value] * 3
    short(value)
    summarise(value)
    summarise(Holder(value[0][0]))
    assert time.monotonic() - began < 60  # without the guard it would outlast the universe


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.DataFrame(), "pandas.DataFrame"),
        (pd.Index([1]), "pandas.Index"),
        (Ridge(), "sklearn.linear_model.Ridge"),
        (np.zeros(1), "numpy.ndarray"),
        (np.float64(1), "numpy.float64"),
        (pl.DataFrame(), "polars.DataFrame"),
        (pa.table({}), "pyarrow.Table"),
        (1, "int"),
        (None, "NoneType"),
        (deque(), "collections.deque"),
        (Holder([]), f"{__name__}.Holder"),
    ],
)
def test_types_are_written_as_people_write_them(value: Any, text: str) -> None:
    assert type_text(value) == text


def test_axes_and_figures_that_are_one_picture_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings: list[object] = []
    savefig = Figure.savefig

    def counted(figure: Figure, *args: Any, **options: Any) -> None:
        drawings.append(figure)
        savefig(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", counted)
    figure = Figure()
    axes = figure.subplots()
    found = summarise_all({"figure": figure, "axes": axes, "n": 3, "other": Figure()})
    assert found["figure"] == found["axes"]
    assert found["figure"]["kind"] == found["other"]["kind"] == "picture"
    assert found["n"]["kind"] == "scalar"
    assert len(drawings) == 2


def test_what_a_summary_can_be_of_is_what_previews_show() -> None:
    assert set(preview.KINDS) == KINDS
    text = (Path(__file__).parents[2] / "docs" / "materializers.md").read_text(encoding="utf-8")
    assert all(f"`{kind}`" in text for kind in KINDS)
