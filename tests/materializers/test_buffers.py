"""No interrupt leaves a memoryview whose buffer is in use: before Python 3.13, collecting it can crash the kernel."""

from __future__ import annotations

import gc
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
