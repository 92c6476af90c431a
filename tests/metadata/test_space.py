"""Which blobs the records name, and the notes of those that were deleted on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import Carried
from zennb.core.records.records import Status

if TYPE_CHECKING:
    from zennb.metadata.store import MetadataStore

Make = Any
BLOB = "b" * 64


def test_every_record_that_names_a_blob_is_a_holding(store: MetadataStore, make: Make) -> None:
    carried = Carried(blob="c" * 64, materializer="plain", names=("TZ",))
    step = make.step(outputs={"x": make.artifact("x", blob=BLOB)}, displays="d" * 64, carried=carried)
    store.add(step, run=make.run())
    found = store.space.records()
    assert sorted((each.kind, each.label, each.blob[0], each.is_current) for each in found.references) == [
        ("artifact", "x v1", "b", True),
        ("changes", "settings and files of train", "c", True),
        ("output", "output of train", "d", True),
    ]


def test_a_version_is_as_recent_as_its_last_use(store: MetadataStore, make: Make) -> None:
    made = store.add(
        make.step(outputs={"x": make.artifact("x", created=900.0)}, started=1000.0), run=make.run()
    )
    (reference,) = store.space.records().references
    assert reference.used == 1000.0
    store.add(make.step("read", inputs=made.outputs, started=5000.0), run=make.run())
    (reference,) = store.space.records().references
    assert reference.used == 5000.0


def test_only_the_latest_version_and_what_a_notebook_stands_for_are_current(
    store: MetadataStore, make: Make
) -> None:
    for number in range(3):
        store.add(make.step(outputs={"x": make.artifact("x", str(number))}, notebook="a"), run=make.run())
    store.add(make.step(outputs={"x": make.artifact("x", "9")}, notebook="b"), run=make.run())
    current = {each.version: each.is_current for each in store.space.records().references}
    assert current == {1: False, 2: False, 3: True, 4: True}


def test_a_note_is_taken_away_by_the_step_that_stores_the_same_bytes_again_in_that_store(
    store: MetadataStore, make: Make
) -> None:
    step = make.step(outputs={"x": make.artifact("x", blob=BLOB)})
    added = store.add(step, run=make.run())
    for name in ("default", "other"):
        store.space.note_freed(name, {BLOB: 7})
    store.add(make.step(status=Status.CACHED, outputs=added.outputs, reused=added.id), run=make.run())
    assert store.space.freed([BLOB])[BLOB].size == 7
    store.add(step, run=make.run())
    assert store.space.freed([BLOB])[BLOB].store == "other"


def test_what_a_step_only_read_keeps_its_note(store: MetadataStore, make: Make) -> None:
    made = store.add(make.step(outputs={"x": make.artifact("x", blob=BLOB)}), run=make.run())
    store.space.note_freed("default", {BLOB: 7})
    store.add(make.step("read", inputs=made.outputs), run=make.run())
    assert BLOB in store.space.freed([BLOB])


def test_pins_are_kept_once_and_taken_away(store: MetadataStore, make: Make) -> None:
    made = store.add(make.step(outputs={"x": make.artifact("x", blob=BLOB)}), run=make.run()).outputs["x"]
    number = made.id or 0
    assert (store.space.pin(number), store.space.pin(number)) == (True, False)
    assert store.space.pins() == {number}
    assert store.space.records().pinned == {BLOB}
    assert (store.space.unpin(number), store.space.unpin(number)) == (True, False)
    assert store.space.pins() == frozenset()


def test_seconds_that_reuse_saved_are_summed_by_notebook_step_and_stack(
    store: MetadataStore, make: Make
) -> None:
    first = store.add(make.step(), run=make.run())
    for seconds in (2.0, 3.0):
        again = make.step(status=Status.CACHED, reused=first.id, saved=seconds)
        store.add(again, run=make.run())
    assert store.space.saved() == [("study.ipynb", "train", "default", 2, 5.0)]


def test_the_parts_of_an_artifact_are_named_pinned_and_needed_with_it(
    store: MetadataStore, make: Make
) -> None:
    parts = ("d" * 64, "e" * 64)
    before = store.space.records().last_step
    made = store.add(make.step(outputs={"x": make.artifact("x", blob=BLOB, parts=parts)}), run=make.run())
    found = made.outputs["x"]
    assert store.artifact("x") == found
    again = store.step(made.id or 0)
    assert again is not None
    assert again.outputs["x"].parts == parts
    assert {each.blob: each.label for each in store.space.records().references} == dict.fromkeys(
        found.blobs, "x v1"
    )
    assert store.space.while_unchanged(before, [*parts, "f" * 64], lambda blobs: blobs) == ["f" * 64]
    store.space.note_freed("default", {parts[0]: 7})
    store.space.pin(found.id or 0)
    assert store.space.records().pinned == set(found.blobs)
    assert set(found.blobs) <= store.space.records().needed | store.space.stacks_of().keys()
    store.add(make.step(outputs={"x": make.artifact("x", blob=BLOB, parts=parts)}), run=make.run())
    assert not store.space.freed(parts)


def test_the_parts_of_a_forgotten_artifact_are_forgotten(store: MetadataStore, make: Make) -> None:
    made = make.artifact("x", blob=BLOB, parts=("d" * 64,))
    first = store.add(make.step(outputs={"x": made}), run=make.run()).outputs["x"]
    store.add(make.step(outputs={"x": make.artifact("x", "2")}), run=make.run())
    store.deletions.forget([first.id or 0], why="")
    assert [each.version for each in store.space.records().references] == [2]
    assert store.artifact("x", 1) is None
