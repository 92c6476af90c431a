"""Properties of the digest of arrays, frames and objects: made otherwise they agree, and any single edit differs."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import make_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from zennb.digests.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = st.sampled_from(["i1", "u2", "i4", "i8", ">i4", "f4", "f8", "c8", "?", "U3", "S2", "M8[s]", "m8[ms]"])
ARRAYS: Any = npst.arrays(KINDS, npst.array_shapes(max_dims=3, max_side=4))
FEW = settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)

WAYS: dict[str, Callable[[Any], Any]] = {
    "as a view of every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "backwards twice": lambda a: np.array(a[::-1])[::-1],
    "at an odd place in memory": lambda a: shifted(a),
    # Before protocol 5, numpy gives back another dtype for bytes in the other order.
    "through pickle": lambda a: pickle.loads(pickle.dumps(a, None if a.dtype.isnative else 5)),
}


def shifted(array: Any) -> Any:
    """The same array, not aligned in memory."""
    room = np.zeros(array.nbytes + 1, np.uint8)
    made: Any = np.ndarray(array.shape, array.dtype, buffer=room.data, offset=1)
    made[...] = array
    return made


def other(value: Any) -> Any:
    """An element that differs from this one."""
    if value.dtype.kind in "US":
        return "ab" if value not in {"ab", b"ab"} else "ba"
    flipped = bytearray(value.tobytes())
    flipped[0] ^= 1
    return np.frombuffer(bytes(flipped), value.dtype)[0]


@FEW
@given(ARRAYS)
def test_the_order_in_which_the_axes_lie_in_memory_is_content(array: Any) -> None:
    for turned in (np.array(array, order="F"), np.array(array.T).T):
        is_same = turned.ravel("K").tobytes() == array.ravel("K").tobytes()
        # Where all elements are alike, only the order tells them apart.
        assert is_same or digest(turned) != digest(array)
        assert digest(turned) == digest(turned.copy("K"))


@FEW
@given(ARRAYS, st.sampled_from(sorted(WAYS)))
def test_an_array_made_otherwise_has_the_same_digest(array: Any, way: str) -> None:
    made = WAYS[way](array)
    assert digest(made) == digest(array)
    assert digest({"k": [made]}) == digest({"k": [array]})


@FEW
@given(ARRAYS, st.data())
def test_any_edit_of_one_element_changes_the_digest(array: Any, data: st.DataObject) -> None:
    before, edited = digest(array), array.copy()
    place = data.draw(st.sampled_from(list(np.ndindex(array.shape))))
    edited[place] = other(array[place])
    if edited[place].tobytes() != array[place].tobytes():
        assert digest(edited) != before
    assert digest(array) == before


@FEW
@given(ARRAYS)
def test_another_shape_or_type_of_the_same_bytes_changes_the_digest(array: Any) -> None:
    own = digest(array)
    assert digest(array.reshape(1, *array.shape)) != own
    assert digest(np.frombuffer(array.tobytes(), np.uint8).copy()) != own
    assert digest(array.tolist()) != own
    if array.ndim > 1:
        assert digest(array.ravel()) != own


# One NaN: `concat` of pandas 2 writes its own where a piece holds no number, and NaN of other bits is another value.
FLOATS = st.floats().map(lambda number: number if number == number else np.nan)
COLUMN = st.one_of(
    st.lists(st.integers(-5, 5), min_size=3, max_size=3),
    st.lists(FLOATS, min_size=3, max_size=3),
    st.lists(st.text(max_size=3) | st.none(), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(st.sampled_from("xyz"), min_size=3, max_size=3).map(pd.Categorical),
)
FRAMES = st.dictionaries(st.sampled_from("abcd"), COLUMN, min_size=1).map(pd.DataFrame)

REMADE: dict[str, Callable[[Any], Any]] = {
    "column by column": lambda f: by_column(f),
    "row by row": lambda f: pd.concat([f[:1], f[1:]]),
    "with a column put in and taken away": lambda f: f.assign(zz=1).drop(columns="zz"),
    "renamed and back": lambda f: f.rename(columns=str.upper).rename(columns=str.lower),
    "copied": lambda f: f.copy(),
    "through pickle": lambda f: pickle.loads(pickle.dumps(f)),
}


def by_column(frame: Any) -> Any:
    made = pd.DataFrame(index=frame.index)
    for name in frame.columns:
        made[name] = frame[name].copy()
    return made


@FEW
@given(FRAMES, st.sampled_from(sorted(REMADE)))
def test_a_frame_made_otherwise_has_the_same_digest(frame: Any, way: str) -> None:
    made = REMADE[way](frame)
    made.columns = pd.Index(made.columns, dtype=frame.columns.dtype)
    if way == "row by row":  # it is a list of row labels then, and no range
        frame = frame.set_axis(list(frame.index), axis=0)
        made = made.set_axis(list(made.index), axis=0)
    assert digest(made) == digest(frame)


EDITS: dict[str, Callable[[Any], Any]] = {
    "a column renamed": lambda f: f.rename(columns={f.columns[0]: "zz"}),
    "a column added": lambda f: f.assign(zz=1),
    "another index": lambda f: f.set_axis([9, 8, 7], axis=0),
    "the index named": lambda f: f.rename_axis("zz"),
    "a row less": lambda f: f[:2],
    "rows exchanged": lambda f: f.iloc[[1, 0, 2]],
    "a note": lambda f: noted(f),
    "columns turned round": lambda f: f[f.columns[::-1]] if len(f.columns) > 1 else f.assign(zz=1),
    "a column of another type": lambda f: f.astype({f.columns[0]: "string"}),
}


def noted(frame: Any) -> Any:
    made = frame.copy()
    made.attrs["note"] = 1
    return made


@FEW
@given(FRAMES, st.sampled_from(sorted(EDITS)))
def test_any_edit_of_a_frame_changes_its_digest(frame: Any, edit: str) -> None:
    assert digest(EDITS[edit](frame)) != digest(frame)


Row = make_dataclass("Row", [("a", Any), ("b", Any), ("c", Any)])
PART = st.one_of(
    st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2), st.none(), st.floats()
)


@FEW
@given(PART, PART, PART, st.sampled_from("abc"), PART)
def test_any_edit_of_a_field_changes_the_digest(a: Any, b: Any, c: Any, field: str, part: Any) -> None:
    row = Row(a, b, c)
    assert digest(deepcopy(row)) == digest(Row(c=c, a=a, b=b))
    edited = replace(row, **{field: [part]})
    assert (digest(edited) == digest(row)) == (digest([part]) == digest(getattr(row, field)))
    assert (digest([a, b, c]) == digest([c, b, a])) == (digest(a) == digest(c))
