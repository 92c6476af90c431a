"""Records of a run are held back for a moment, and written together; bytes go before them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.core.records.records import Artifact, CacheKeyParts, ComponentSpec, Run, StackSpec, Status, Step
from zennb.engine.run.unit_of_work import MANY, MAX_LOST_SECONDS, UnitOfWork, WriteBuffer
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[MetadataStore]:
    opened = MetadataStore(tmp_path / "metadata.db")
    yield opened
    opened.close()


def artifact(name: str, content: str = "1") -> Artifact:
    return Artifact(name=name, digest=content, blob=content * 64, materializer="plain", size=1, type="int")


def step(name: str, **fields: object) -> Step:
    plain = Step(
        name=name, status=Status.COMPLETED, cache_key=name, parts=CacheKeyParts(code=name), seconds=0.001
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # fields of a step


def run() -> Run:
    part = ComponentSpec(type="orchestrator", name="default", flavor="local")
    return Run(kind="pipeline", stack=StackSpec(name="default", components={"orchestrator": part}))


def buffer() -> WriteBuffer:
    return WriteBuffer(MemoryArtifactStore.from_config("memory", {}))


class Flushes(WriteBuffer):
    """Notes when it is flushed."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__(MemoryArtifactStore.from_config("memory", {}))
        self._note = note

    def flush(self) -> None:
        self._note()
        super().flush()


def test_nothing_is_written_before_it_is_asked_for_and_bytes_go_first(metadata: MetadataStore) -> None:
    found: list[int] = []
    begun = metadata.begin_run(run())
    unit = UnitOfWork(metadata, Flushes(lambda: found.append(len(metadata.steps(begun.id or 0)))))
    for number in range(3):
        unit.note(step(f"s{number}", run=begun.id))
    assert metadata.steps(begun.id or 0) == []
    assert [each.name for each in unit.write()] == ["s0", "s1", "s2"]
    assert found == [0]
    assert len(metadata.steps(begun.id or 0)) == 3
    assert unit.write() == []


def test_the_run_ends_in_the_same_transaction(metadata: MetadataStore) -> None:
    begun = metadata.begin_run(run())
    unit = UnitOfWork(metadata, buffer())
    unit.note(step("a", run=begun.id))
    unit.write(replace(begun, status=Status.COMPLETED, seconds=1.0))
    ended = metadata.run(begun.id or 0)
    assert ended is not None
    assert (ended.status, ended.steps) == (Status.COMPLETED, {"completed": 1})


def test_an_artifact_that_was_recorded_meanwhile_is_taken_as_that_one(metadata: MetadataStore) -> None:
    unit = UnitOfWork(metadata, buffer())
    first = artifact("x", "1")
    unit.note(step("make", outputs={"x": first}))
    [made] = unit.write()
    unit.note(step("change", inputs={"x": first}, outputs={"x": artifact("x", "2")}))
    unit.note(step("take", inputs={"x": first}))
    changed, taken = unit.write()
    assert changed.inputs == taken.inputs == made.outputs
    assert [each.version for each in metadata.history("x")] == [2, 1]


def test_it_is_due_when_much_work_or_much_else_is_held_back(metadata: MetadataStore) -> None:
    unit = UnitOfWork(metadata, buffer())
    unit.note(step("a", seconds=MAX_LOST_SECONDS / 2))
    unit.note(step("cached", seconds=100.0, reused=7))
    assert not unit.is_due
    unit.note(step("b", seconds=MAX_LOST_SECONDS))
    assert unit.is_due

    full = UnitOfWork(metadata, buffer())
    for number in range(MANY):
        full.note(step(str(number)))
    assert full.is_due


def test_keys_that_are_held_back_are_told(metadata: MetadataStore) -> None:
    unit = UnitOfWork(metadata, buffer())
    unit.note(step("a", cache_key=""))
    unit.note(step("b"))
    assert unit.holds("x", "b")
    assert not unit.holds("", "x")
    unit.write()
    assert not unit.holds("b")


def test_a_result_is_recollected_when_all_its_bytes_are_there(metadata: MetadataStore) -> None:
    store = MemoryArtifactStore.from_config("memory", {})
    here, shown = store.put([b"here"]), store.put([b"shown"])
    whole = metadata.add(step("whole", outputs={"x": replace(artifact("x"), blob=here)}, displays=shown))
    metadata.add(step("gone", outputs={"y": replace(artifact("y", "2"), blob="0" * 64)}))
    metadata.add(step("mute", outputs={"x": replace(artifact("x"), blob=here)}, displays="0" * 64))
    previous = metadata.previous_all(["whole", "gone", "mute"], "")
    prefetched = UnitOfWork(metadata, WriteBuffer(store), previous=previous)
    assert prefetched.find("whole") == [whole]
    assert prefetched.find("gone") == prefetched.find("mute") == prefetched.find("unheard of") == []
