"""Small results are held back on their way into a store: readable all the time, stored together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.engine.run.unit_of_work import SMALL, WriteBuffer, unstored_in
from zennb.errors import MissingArtifact, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.components.component import Buffer


class Counting(MemoryArtifactStore):
    """Counts how often it is asked to store something."""

    asked = 0
    broken = False

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        type(self).asked += 1
        if self.broken:
            raise StoreError("the disk is full.")
        return super().put_all(blobs)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Counting:
    monkeypatch.setattr(Counting, "asked", 0)
    return Counting.from_config("counting", {})


def test_what_is_small_is_stored_together_and_can_be_read_before(store: Counting) -> None:
    write_buffer = WriteBuffer(store)
    names = [write_buffer.put([b"value ", b"%d" % number]) for number in range(100)]
    assert (store.asked, list(store.digests())) == (0, [])
    assert [bytes(write_buffer.get(name)) for name in names[:2]] == [b"value 0", b"value 1"]
    assert write_buffer.has(names[7])
    assert write_buffer.present([*names, "0" * 64]) == frozenset(names)

    write_buffer.flush()
    write_buffer.flush()
    assert store.asked == 1
    assert sorted(store.digests()) == sorted(names)
    assert all(bytes(store.get(name)) == bytes(write_buffer.get(name)) for name in names)


def test_what_is_large_is_stored_at_once(store: Counting) -> None:
    write_buffer = WriteBuffer(store)
    small, large = write_buffer.put_all([[b"small"], [bytes(SMALL + 1)]])
    assert not store.has(small)
    assert store.has(large)
    assert write_buffer.has(small)
    assert write_buffer.has(large)


def test_what_could_not_be_stored_is_held_back_still(store: Counting) -> None:
    write_buffer = WriteBuffer(store)
    name = write_buffer.put([b"value"])
    store.broken = True
    with pytest.raises(StoreError):
        write_buffer.flush()
    assert write_buffer.has(name)
    store.broken = False
    write_buffer.flush()
    assert store.has(name)


def test_what_nobody_has_put_is_missing(store: Counting) -> None:
    with pytest.raises(MissingArtifact):
        WriteBuffer(store).get("0" * 64)


def test_for_workers_everything_is_stored_at_once(store: Counting) -> None:
    small, large = WriteBuffer(store, holds_back=False).put_all([[b"small"], [bytes(SMALL + 1)]])
    assert store.asked == 1
    assert (store.has(small), store.has(large)) == (True, True)


@pytest.mark.parametrize("size", [10, SMALL + 1])
def test_what_one_process_could_not_store_another_one_can_hold(store: Counting, size: int) -> None:
    store.broken = True
    theirs, ours = WriteBuffer(store), WriteBuffer(store)
    name = theirs.put([bytes(size)])
    theirs.flush_or_note()
    other = "0" * 64
    assert theirs.held([name, other]) == {name: (bytes(size), "the disk is full")}
    ours.take(theirs.held([name, other]))
    assert (ours.unstored, bytes(ours.get(name))) == ({name: "the disk is full"}, bytes(size))
    assert ours.present([name, other]) == frozenset([name])
    assert unstored_in(ours) == frozenset([name])
    assert unstored_in(store) == frozenset()
