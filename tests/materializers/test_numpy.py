from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from zennb.compat.frames import byte_bounds
from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact, NotStorable
from zennb.materializers.buffers import joined
from zennb.materializers.numpy import NumpyArrays
from zennb.materializers.registry import Dumped

if TYPE_CHECKING:
    from pathlib import Path

Trip = Callable[[Any], tuple[Dumped, Any]]

ARRAYS: dict[str, Any] = {
    "floats": np.array([0.5, np.nan, -0.0, np.inf]),
    "no dimensions": np.array(3),
    "nothing": np.zeros((0, 3)),
    "nothing, in bytes": np.zeros(0, "S5"),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "every other": np.arange(10)[::2],
    "backwards": np.arange(5)[::-1],
    "axes swapped": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "broadcast": np.broadcast_to(np.arange(3), (2, 3)),
    "half floats": np.array([0.1, 2], "f2"),
    "long doubles": np.array([0.1, 2], np.longdouble),
    "complex": np.array([1 + 2j, complex(-0.0, np.nan)]),
    "booleans": np.array([True, False]),
    "bytes as numbers": np.array([0, 255], "u1"),
    "big endian": np.array([1, 2], ">i4"),
    "dates": np.array(["2024-01-01", "NaT"], "M8[D]"),
    "nanoseconds": np.array(["2024-01-01T00:00:00.000000001"], "M8[ns]"),
    "timedeltas": np.array([1, -1], "m8[s]"),
    "text": np.array(["x", "żółć 🐼", ""]),
    "fixed bytes": np.array([b"x", b"\xff\x00y"]),
    "structured": np.array([(1, 2.5, "x")], dtype=[("a", "i4"), ("b", "f8"), ("ü", "U2")]),
    "nested structure": np.zeros(2, dtype=[("p", [("x", "f4"), ("y", "f4")]), ("m", "i2", (2, 2))]),
    "structure with gaps": np.zeros(
        2, dtype={"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 16]}
    ),
    "void": np.array([b"abc"], "V3"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_exactly_and_writable(name: str, trip: Trip) -> None:
    value = ARRAYS[name]
    dumped, again = trip(value)
    assert dumped.materializer == "numpy"
    assert type(again) is np.ndarray
    assert again.dtype == value.dtype
    assert again.shape == value.shape
    assert again.tobytes() == value.tobytes()
    assert again.flags.f_contiguous == value.flags.f_contiguous or not value.flags.forc
    assert digest(again) == digest(value)
    assert again.flags.writeable == value.flags.writeable


@pytest.mark.parametrize("name", ARRAYS)
def test_the_stored_bytes_are_a_file_that_numpy_loads(name: str) -> None:
    value = ARRAYS[name]
    loaded = np.load(io.BytesIO(joined(NumpyArrays().dump(value))), allow_pickle=False)
    assert loaded.dtype == value.dtype
    assert repr(loaded) == repr(np.array(value))


@pytest.mark.parametrize("order", ["C", "F"])
def test_storing_copies_no_array_memory(order: Any) -> None:
    value = np.ones((300, 400), order=order)
    header, data = NumpyArrays().dump(value)
    assert len(header) % 64 == 0
    assert np.shares_memory(np.frombuffer(data, "u1"), value)


def test_a_loaded_array_is_a_view_of_the_stored_bytes() -> None:
    stored = joined(NumpyArrays().dump(np.arange(1000.0)))
    again = NumpyArrays().load(memoryview(stored), {})
    assert np.shares_memory(again, np.frombuffer(stored, "u1"))
    assert again.flags.aligned


def test_writing_into_a_loaded_array_leaves_the_stored_file_alone(trip: Trip, tmp_path: Path) -> None:
    _, again = trip(np.arange(100_000))
    stored = next(tmp_path.glob("blob*"))
    before = stored.read_bytes()
    again[:] = 7
    again.sort()
    assert stored.read_bytes() == before


def test_immutable_bytes_give_an_array_of_its_own() -> None:
    stored = bytes(joined(NumpyArrays().dump(np.arange(3))))
    again = NumpyArrays().load(stored, {})
    again[0] = 9
    assert NumpyArrays().load(stored, {}).tolist() == [0, 1, 2]


def test_arrays_of_objects_and_subclasses_are_left_to_others(trip: Trip) -> None:
    for value in (np.array([None, "x"], dtype=object), np.rec.array(np.zeros(2, dtype=[("a", "i4")]))):
        assert not NumpyArrays().handles(value)
        dumped, again = trip(value)
        assert dumped.materializer == "pickle"
        assert type(again) is type(value)
        assert digest(again) == digest(value)


def test_a_dtype_that_cannot_be_written_down_is_refused_and_pickled(trip: Trip) -> None:
    value = np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    with pytest.raises(NotStorable, match="dtype"):
        NumpyArrays().dump(value)
    dumped, again = trip(value)
    assert dumped.materializer == "pickle"
    assert again.dtype.isalignedstruct


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"not an array",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x01\x00\x02\x00[]",
        bytes(joined(NumpyArrays().dump(np.arange(100))))[:-1],
        bytes(joined(NumpyArrays().dump(np.arange(3)))).replace(b"<i8", b"|O "),
    ],
)
def test_damaged_bytes_are_named_and_never_read_as_objects(stored: bytes) -> None:
    with pytest.raises(DamagedArtifact, match="run the step again"):
        NumpyArrays().load(stored, {})


WINDOWS = np.lib.stride_tricks.sliding_window_view
ROWS = np.asfortranarray(np.arange(40_000.0).reshape(200, 200))
REPEATED: dict[str, Any] = {
    "one number": np.broadcast_to(1.5, (1000, 1000)),
    "a row": np.broadcast_to(np.arange(1000), (1000, 1000)),
    "a column": np.broadcast_to(np.arange(1000)[:, None], (1000, 1000)),
    "every other": np.broadcast_to(np.arange(2000)[::-2], (1000, 1000)),
    "structured": np.broadcast_to(np.zeros(1000, [("a", "i1"), ("b", "f8")]), (1000, 1000)),
    "windows": WINDOWS(np.arange(20_000), 1000),
    "windows of text": WINDOWS(np.array(["a", "ü"] * 5000), 200),
    "blocks in Fortran order": WINDOWS(ROWS, (10, 20)),
    "blocks, turned": WINDOWS(ROWS, (10, 20)).transpose(2, 0, 3, 1),
}


@pytest.mark.parametrize("name", REPEATED)
def test_what_an_array_shows_often_is_stored_once(name: str, trip: Trip) -> None:
    value = REPEATED[name]
    dumped, again = trip(value)
    assert sum(len(memoryview(part).cast("B")) for part in dumped.buffers) < 1_000_000
    assert (again.dtype, again.shape) == (value.dtype, value.shape)
    assert np.array_equal(again, value)
    assert digest(again) == digest(value)
    assert again.flags.writeable == value.flags.writeable
    assert again.nbytes > 10 * np.ptp(byte_bounds(again))


@pytest.mark.parametrize("name", REPEATED)
def test_what_an_array_shows_often_counts_as_content(name: str) -> None:
    value = REPEATED[name]
    changed = np.array(value)
    changed[0, -1] = changed[-1, 0]
    assert len({digest(value), digest(changed), digest(value[:-1]), digest(value[1:])}) >= 3


def test_windows_that_may_be_written_to_are_written_to_together(trip: Trip) -> None:
    _, again = trip(WINDOWS(np.arange(20_000), 1000, writeable=True))
    again[0, 1] = 7
    assert again[1, 0] == 7


def test_a_warning_that_python_shows_once_is_not_shown_again_because_an_array_was_stored() -> None:
    code = compile("import warnings\nwarnings.warn('careful')", "cell", "exec")
    place: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for array in (np.arange(3), np.array(["a"]), np.array(["2024"], "M8[D]")):
            exec(code, place)
            NumpyArrays().dump(array)
    assert len(shown) == 1
