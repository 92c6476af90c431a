"""What an interrupt leaves of bytes to be stored crashes no kernel.

Before Python 3.13, collecting a memoryview whose buffer is in use can. A thread that reads memory which is gone does.
"""

from __future__ import annotations

import gc
import weakref
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.interrupted import InterruptedAt, lines_of
from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.digests.digest import digest
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.materializers.buffers import out_of_band
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STORING = ("buffers.py", "content.py", "memory.py", "unit_of_work.py")
"""Where bytes are taken apart and put together."""

POINTS = 30


VALUES: dict[str, Callable[[], Any]] = {
    "array": lambda: np.arange(20_000.0),
    "plain": lambda: {"a": np.arange(9_000.0), "b": b"x" * 9_000, "c": [np.arange(9_000.0)[::2]]},
    "pickle": lambda: {"a": {1, 2, len}, "b": np.arange(9_000.0)},
}


@pytest.fixture(autouse=True)
def only_new_objects() -> Iterator[None]:
    """Leaves what other tests made out of `gc.get_objects`, which would take seconds to go through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def views() -> list[memoryview]:
    return [found for found in gc.get_objects() if isinstance(found, memoryview)]


def in_use(view: memoryview) -> bool:
    try:
        view.release()
    except BufferError:
        return True
    return False


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_an_interrupt_while_a_value_is_stored_leaves_no_view_whose_buffer_is_in_use(
    value: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    materializers, buffer = Materializers({}, Signer()), WriteBuffer(MemoryArtifactStore(name="m"))
    stored = value()
    known = digest(stored)

    def act() -> None:
        dumped = materializers.dump(stored, digest=known, name="value")
        buffer.put_all([dumped.buffers, [b"small"]])
        buffer.flush()

    act()
    count = lines_of(act, within=STORING)
    for point in range(POINTS):
        before = set(map(id, views()))
        kept: BaseException | None = None
        try:
            with InterruptedAt(1 + count * point // POINTS, within=STORING):
                act()
        except KeyboardInterrupt as error:
            kept = error  # with the frames in which it came
        left = [view for view in views() if id(view) not in before and in_use(view)]
        assert left == [], kept


def test_buffers_of_a_pickle_are_released_and_views_of_views_copied() -> None:
    memory = bytearray(b"abcd")
    inner = memoryview(memory)
    with out_of_band() as buffers:
        for exported in (PickleBuffer(inner), PickleBuffer(memory)):
            buffers.keep(exported)
        first, second = buffers.views()
    memory[:2] = b"xy"
    assert (bytes(first), bytes(second)) == (b"abcd", b"xycd")
    assert not in_use(inner)


def of_arrow(array: Any) -> dict[str, Any]:
    pa = pytest.importorskip("pyarrow")
    return {"buffer": pa.py_buffer(array), "array": array}


SHARED: dict[str, Callable[[Any], dict[str, Any]]] = {
    "an array and a view of it": lambda array: {"a": array, "b": array[::2]},
    "two views": lambda array: {"a": array[1:], "b": array[:-1]},
    "another class": lambda array: {"a": array.view(np.recarray), "b": array},
    "pyarrow": of_arrow,
}


@pytest.mark.parametrize("values", SHARED.values(), ids=SHARED)
def test_shared_memory_lives_until_its_bytes_are_written(
    values: Callable[[Any], dict[str, Any]], tmp_path: Path
) -> None:
    """An interrupt ends the waiting for the thread that writes them, and the notebook may drop the values at once."""
    array = np.arange(20_000.0)
    content, owner = array.tobytes(), weakref.ref(array)
    dumped = Materializers({}, Signer(tmp_path)).dump_together(values(array), name="both")
    buffers = dumped.buffers
    del array, dumped
    gc.collect()
    assert owner() is not None
    assert content[8:-8] in b"".join(buffers)
    del buffers
    gc.collect()
    assert owner() is None
