from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from zennb.errors import DamagedArtifact
from zennb.materializers.arrow import ArrowTables
from zennb.materializers.buffers import joined
from zennb.materializers.frames import Frames
from zennb.materializers.plain import PlainData

if TYPE_CHECKING:
    from zennb.materializers.registry import Materializers


def a_block(*note: Any, at: Any = (0,)) -> dict[str, Any]:
    return {"blocks": [(np.array(at), note)]}


ZEROS = np.zeros(3, "i1")
FORGED: dict[str, dict[str, Any]] = {
    "a column far behind the last": a_block("ndarray", np.ones((1, 3)), at=[10**9]),
    "a column before the first": a_block("ndarray", np.ones((1, 3)), at=[-1]),
    "a column twice": a_block("ndarray", np.ones((2, 3)), at=[0, 0]),
    "too few rows": a_block("ndarray", np.ones((1, 2))),
    "a category that is not there": a_block(
        "Categorical", ZEROS + 9, ("Index", ("ndarray", ["x"], (1,)), None), False
    ),
    "a kind that is not there": a_block("no such kind", 1),
    "a frequency that is none": a_block("PeriodArray", np.arange(3), "os.system"),
    "moments that are none": a_block("DatetimeArray", np.arange(3), None),
    "a time zone in a file": a_block("DatetimeArray", ZEROS.astype("M8[s]"), "dateutil//etc/localtime"),
    "a label that is not there": {
        "index": ("MultiIndex", [("RangeIndex", 0, 2, 1, None)] * 2, [ZEROS + 7] * 2, [None, None], None)
    },
    "a frequency of the index that is none": {
        "index": ("DatetimeIndex", ("DatetimeArray", ZEROS.astype("M8[s]"), None), None, "no frequency")
    },
    "a kind of endless name": a_block("no such kind" * 10_000, 1),
    "more columns than blocks": {"columns": ("RangeIndex", 0, 10**6, 1, None)},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_forged_frame_is_refused_before_it_touches_memory(
    change: dict[str, Any], materializers: Materializers
) -> None:
    """pandas itself writes past the end of memory when a block names a column that is not there."""
    honest = PlainData().load(bytes(joined(Frames().dump(pd.DataFrame({"a": [1.5, 2, 3]})))), {})
    assert materializers.load("frame", joined(PlainData().dump(honest)), name="v")["a"].tolist() == [
        1.5,
        2,
        3,
    ]
    with pytest.raises(DamagedArtifact, match="no frame") as refused:
        materializers.load("frame", joined(PlainData().dump(honest | change)), name="v")
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("dtype", ["|O8", "|V8", "|S8"])
def test_no_column_of_objects_can_be_forged(dtype: str, materializers: Materializers) -> None:
    stored = bytes(joined(Frames().dump(pd.DataFrame({"a": np.arange(5)}))))
    forged = stored.replace(b"\x8c\x03<i8", b"\x8c\x03" + dtype.encode())
    assert forged != stored
    with pytest.raises(DamagedArtifact):
        materializers.load("frame", forged, name="v")


TEXTS: dict[str, Any] = {
    "large": lambda: pd.Series(["ab", "c", None], dtype=pd.ArrowDtype(pa.large_string())),
    "small": lambda: pd.Series(["ab", "c", None], dtype=pd.ArrowDtype(pa.string())),
}
OFFSETS = {
    "far behind the end": [0, 2, 3, 2**30],
    "before the beginning": [-(2**30), 2, 3, 3],
    "falling": [0, 3, 2, 3],
    "behind the end, then back": [0, 2**30, 3, 3],
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("offsets", OFFSETS.values(), ids=OFFSETS)
def test_a_column_of_text_is_not_read_outside_of_its_memory(
    kind: str, offsets: list[int], materializers: Materializers
) -> None:
    """Arrow compares sizes only: a text far behind the end is whatever the process has there, or ends it."""
    note = PlainData().load(bytes(joined(Frames().dump(TEXTS[kind]()))), {})
    name, missing, schema, length, buffers = note["values"]
    width = "i8" if kind == "large" else "i4"
    forged = [buffers[0], np.array(offsets, width).view("u1"), buffers[2]]
    note["values"] = (name, missing, schema, length, forged)
    with pytest.raises(DamagedArtifact, match="no frame"):
        materializers.load("frame", joined(PlainData().dump(note)), name="v")


def test_the_offsets_of_a_list_and_the_codes_of_a_dictionary_are_checked(
    materializers: Materializers,
) -> None:
    offsets = pa.py_buffer(np.array([0, 2**30, 1, 2], "i4"))
    values = pa.array([1, 2])
    for column in (
        pa.Array.from_buffers(pa.list_(values.type), 3, [None, offsets], children=[values]),
        pa.DictionaryArray.from_arrays(pa.array([7]), pa.array(["a"]), safe=False),
    ):
        stored = joined(ArrowTables().dump(pa.table({"a": column})))
        with pytest.raises(DamagedArtifact, match="not an Arrow file"):
            materializers.load("arrow_table", stored, name="v")


def test_polars_is_given_no_text_that_is_not_utf8(materializers: Materializers) -> None:
    """It takes for granted that Arrow's text is UTF-8, and cuts it without looking."""
    stored = bytes(joined(ArrowTables().dump(pl.DataFrame({"a": ["a text that is longer than twelve"]}))))
    with pytest.raises(DamagedArtifact, match="not an Arrow file"):
        materializers.load("arrow_table", stored.replace(b"longer", b"l\xff\xffger"), name="v")
