"""Owns honest values, one or more for each materializer, and their bytes."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from PIL import Image

from zennb.digests.digest import digest
from zennb.materializers.buffers import joined

if TYPE_CHECKING:
    from zennb.materializers.registry import Materializers

__all__ = ["blobs"]


def _values() -> dict[str, Any]:
    words = pd.Series(["a", None, "längeres Wort", ""] * 5, dtype="string[pyarrow]")
    frame = pd.DataFrame(
        {
            "n": np.arange(20),
            "x": np.linspace(0, 1, 20),
            "when": pd.date_range("2024-01-01", periods=20, tz="Europe/Berlin"),
            "kind": pd.Categorical(["u", "v"] * 10),
            "word": words,
            "maybe": pd.array([1, None] * 10, dtype="Int64"),
            "object": ["p", None] * 10,
            "period": pd.period_range("2024", periods=20, freq="M"),
        }
    )
    image = Image.new("RGBA", (9, 7), (1, 2, 3, 4))
    return {
        "numbers": np.arange(60, dtype="f4").reshape(3, 4, 5),
        "structured": np.zeros(4, dtype=[("a", "<i4"), ("b", "<M8[s]"), ("c", "S3")]),
        "nested": {"a": [1, 2.5, "x", b"y", None, True, (1, {2, 3})], "n": np.arange(5), "z": frozenset([1])},
        "little": [
            dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
            decimal.Decimal("1.5"),
            uuid.UUID(int=7),
            range(5),
            1 + 2j,
            ...,
        ],
        "many": list(range(2_000)),
        "frame": frame,
        "indexed": frame.set_index(["n", "kind"])["x"],
        "times": pd.Series(range(4), index=pd.date_range("2024-01-01", periods=4, freq="D"), name="s"),
        "strings": words,
        "lists": pd.Series([[1, 2], None, [3]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        "polars": pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "längeres Wort, das nicht hineinpasst"]}),
        "series": pl.Series("s", [[1, 2], [], None]),
        "table": pa.table(
            {"a": [1, 2, None], "s": ["ab", None, "c"], "d": pa.array(["u", "v", "u"]).dictionary_encode()}
        ),
        "batch": pa.record_batch(
            {"s": pa.array(["ab", "c"], pa.large_string()), "v": pa.array([[1], [2, 3]])}
        ),
        "image": image,
        "palette": image.convert("P"),
        "pickled": slice(1, 2, Image.new("L", (2, 2))),
    }


def blobs(materializers: Materializers) -> dict[str, tuple[str, bytes]]:
    """Return name → materializer and bytes, as stored."""
    found = {}
    for name, value in _values().items():
        dumped = materializers.dump(value, digest=digest(value), name=name)
        found[name] = (dumped.materializer, bytes(joined(dumped.buffers)))
    return found
