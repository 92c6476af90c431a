from __future__ import annotations

import pickle
import sys
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact, NotStorable, UntrustedArtifact
from zennb.materializers.buffers import joined
from zennb.materializers.plain import MAKERS, PlainData
from zennb.materializers.registry import Dumped
from zennb.materializers.signature import pack

Trip = Callable[[Any], tuple[Dumped, Any]]
MAGIC = b"zennbPL\x01"

VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**200,
        0.5,
        -0.0,
        float("inf"),
        1 + 2j,
        complex(-0.0, 0.0),
        ...,
        NotImplemented,
    ),
    *("", "żółć 🐼", "lone \ud800 surrogate", b"", b"\x00\xff", bytearray(b"x")),
    *(
        [],
        [1, [2, [3]]],
        (),
        (1, (2,)),
        {},
        {"a": 1, 2: "b", (3,): None},
        set(),
        {1, "x"},
        frozenset({1, (2,)}),
    ),
    *(range(3), range(9, 0, -2), slice(None), slice(1, "x", None)),
    *(date(2024, 1, 1), time(1, 2, 3, 4), time(1, tzinfo=UTC, fold=1), timedelta(-1, 2, 3)),
    *(datetime(2024, 1, 1), datetime(2024, 1, 1, fold=1), datetime(2024, 1, 1, tzinfo=UTC)),  # noqa: DTZ001 - naive ones are meant
    *(timezone(timedelta(hours=5)), timezone(timedelta(0), "odd"), zoneinfo.ZoneInfo("Europe/Paris")),
    *(Decimal("1.10"), Decimal("-0"), Decimal("sNaN123"), Decimal("1E+999"), Fraction(-2, 3)),
    *(
        uuid.UUID(int=7),
        uuid.UUID("6c3c7a04-ea37-11f1-9f6c-0242ac120002"),
        Path("a/b"),
        Path(),
        PurePosixPath("/x"),
        PureWindowsPath("c:\\x"),
    ),
    *(deque([1, 2], maxlen=3), deque(), OrderedDict([("b", 1), ("a", 2)]), Counter("abca")),
    *(defaultdict(list, {"a": [1]}), defaultdict(None, {1: 2}), int, [str, {"a": float}]),
    *(
        np.float64(0.1),
        np.int8(-1),
        np.bool_(True),
        np.str_("ü"),
        np.datetime64("2024-01-01"),
        np.complex64(1j),
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_data_come_back_exactly(value: Any, trip: Trip) -> None:
    dumped, again = trip(value)
    assert dumped.materializer == "plain"
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    assert digest(again) == digest(value)


def plain(value: Any) -> Any:
    return PlainData().load(bytes(joined(PlainData().dump(value))), {})


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.fractions()
)
keys = st.text() | st.integers() | st.binary() | st.none()
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(keys, inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
    ),
    max_leaves=20,
)


@given(trees)
def test_any_tree_of_plain_data_comes_back_with_its_digest(value: Any) -> None:
    again = plain(value)
    assert repr(again) == repr(value)
    assert digest(again) == digest(value)


def test_sharing_and_cycles_come_back() -> None:
    shared: list[Any] = [1]
    ring: dict[str, Any] = {"a": shared, "b": shared, "q": deque()}
    ring["q"].append(ring)
    again = plain(ring)
    assert again["a"] is again["b"]
    assert again["q"][0] is again


def test_arrays_inside_are_not_copied_and_come_back_writable_and_shared() -> None:
    array = np.arange(10_000.0)
    value = {"x": array, "same": array, "fortran": np.asfortranarray(np.ones((2, 3)))}
    buffers = PlainData().dump(value)
    assert any(len(one) > 1000 and np.shares_memory(np.frombuffer(one, "u1"), array) for one in buffers)
    again = PlainData().load(memoryview(joined(buffers)), {})
    assert again["x"] is again["same"]
    assert again["fortran"].flags.f_contiguous
    again["x"][0] = 5
    assert array[0] == 0


def test_a_read_only_array_stays_read_only() -> None:
    array = np.arange(3)
    array.flags.writeable = False
    assert not plain([array])[0].flags.writeable


def test_large_bytes_are_written_without_a_copy() -> None:
    large = bytes(200_000)
    assert any(one.obj is large for one in PlainData().dump([large]) if isinstance(one, memoryview))


class Named(str):
    """A class of somebody's."""

    __slots__ = ()


class Attributed(OrderedDict[str, int]):
    """A class of somebody's."""


def counter_with_an_attribute() -> Any:
    value: Any = Counter("ab")
    value.note = "x"
    return value


@pytest.mark.parametrize(
    "value",
    [
        Named("x"),
        [Attributed()],
        [lambda: 1],
        [print],
        {"a": Path},
        defaultdict(lambda: 1),
        counter_with_an_attribute(),
        np.dtype("f8"),
        [np.array([None])],
        [sys],
        [ValueError("x")],
        zoneinfo.ZoneInfo.no_cache("Europe/Paris"),
    ],
)
def test_everything_else_is_refused(value: Any) -> None:
    with pytest.raises(NotStorable):
        PlainData().dump(value)


def test_very_deep_nesting_is_left_to_others() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotStorable):
        PlainData().dump(value)
    while value:
        value = value[0]


class Planted:
    def __init__(self, function: Any, *args: Any) -> None:
        self.how = function, args

    def __reduce__(self) -> Any:
        return self.how


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_planted_call_is_refused_and_nothing_runs(tmp_path: Path, protocol: int) -> None:
    import os

    target = tmp_path / "touched"
    stream = pickle.dumps([1, Planted(os.system, f"touch {target}")], protocol)
    with pytest.raises(UntrustedArtifact, match=r"system.*tampered.*nothing of it was run"):
        PlainData().load(b"".join(pack(MAGIC, [stream], [])), {})
    assert not target.exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "builtins.getattr",
        "zennb.materializers.plain.sys",
        "zennb.materializers.plain.MAKERS",
        "zennb.materializers.plain.MAKERS.path._function",
        "zennb.materializers.plain.MAKERS.__class__",
        "zennb.materializers.plain._FUNCTIONS",
        "numpy.dtype",
        "numpy.ndarray",
        "copyreg._reconstructor",
        "collections.Counter",
        f"collections.{'x' * 100}",
    ],
)
def test_no_other_name_is_found(name: str) -> None:
    # The longest known module, then the rest as a dotted name, which pickle 4 and later would follow.
    parts = name.split(".")
    cut = 3 if name.startswith("zennb") else 1
    module, rest = ".".join(parts[:cut]), ".".join(parts[cut:])
    stream = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(t)]) + t.encode() for t in (module, rest)) + b"\x93."
    with pytest.raises(UntrustedArtifact):
        PlainData().load(b"".join(pack(MAGIC, [stream], [])), {})


def test_a_pickle_cannot_change_a_maker() -> None:
    # GLOBAL MAKERS.path, then BUILD with (None, {"_function": 1}) as slot state
    name = (
        b"\x8c\x18zennb.materializers.plain"[:1]
        + bytes([len("zennb.materializers.plain")])
        + b"zennb.materializers.plain"
    )
    stream = b"\x80\x04" + name + b"\x8c\x0bMAKERS.path\x93" + b"N}\x8c\x09_functionK\x01s\x86b."
    with pytest.raises(DamagedArtifact, match="frozen"):
        PlainData().load(b"".join(pack(MAGIC, [stream], [])), {})
    assert plain(Path("x")) == Path("x")


@pytest.mark.parametrize("descr", ["O", "|O8", [("a", "O")], [("a", "f8"), ("b", [("c", "|O")])]])
def test_no_array_of_objects_can_be_forged(descr: Any) -> None:
    stream = pickle.dumps(Planted(MAKERS.array, descr, (1,), "C", bytes(16)), 5)
    with pytest.raises(DamagedArtifact):
        PlainData().load(b"".join(pack(MAGIC, [stream], [])), {})


def test_an_array_cannot_claim_more_memory_than_was_stored() -> None:
    stream = pickle.dumps(Planted(MAKERS.array, "<f8", (1000,), "C", bytes(16)), 5)
    with pytest.raises(DamagedArtifact):
        PlainData().load(b"".join(pack(MAGIC, [stream], [])), {})


@pytest.mark.parametrize("cut", [0, 7, 20, 50, 60, -1])
def test_bytes_cut_short_are_named(cut: int) -> None:
    stored = bytes(joined(PlainData().dump({"a": np.arange(100), "b": "x"})))
    with pytest.raises(DamagedArtifact, match="again"):
        PlainData().load(stored[:cut], {})
