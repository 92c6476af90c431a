"""Deleting runs, and versions whose bytes are gone: what stays, what goes, and that no number is given twice."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Status
from zennb.errors import InUse
from zennb.metadata.processes import hostname

if TYPE_CHECKING:
    from zennb.core.records.records import Step
    from zennb.metadata.store import MetadataStore

Make = Any


def ran(store: MetadataStore, make: Make, name: str, results: dict[str, str], **fields: Any) -> Step:
    """Record a step in a run of its own."""
    made = {key: make.artifact(key, content) for key, content in results.items()}
    return store.add(make.step(name, **{"outputs": made, **fields}), run=make.run())


def names(store: MetadataStore) -> list[str]:
    return [each.label for name in ("x", "y") for each in store.history(name)]


def test_a_run_goes_with_its_steps_and_the_versions_that_nothing_else_uses(
    store: MetadataStore, make: Make
) -> None:
    old, new = ran(store, make, "make", {"x": "1"}), ran(store, make, "make", {"x": "2"})
    assert store.deletions.preview([old.run or 0]).steps == 1
    assert names(store) == ["x v2", "x v1"]
    done = store.deletions.delete([old.run or 0])
    assert (done.runs, done.steps, done.kept, done.artifacts) == ((old.run,), 1, 0, 1)
    assert [run.id for run in store.runs()] == [new.run]
    assert names(store) == ["x v2"]
    assert store.step(old.id or 0) is None
    assert store.find(old.cache_key) == [new]


def test_what_other_runs_reuse_or_read_stays_reusable_and_names_no_run(
    store: MetadataStore, make: Make
) -> None:
    lone = ran(store, make, "lone", {"x": "other"})
    made = ran(store, make, "make", {"x": "1"})
    read = ran(store, make, "read", {"y": "2"}, inputs={"x": made.outputs["x"]})
    ran(store, make, "read", {}, status=Status.CACHED, outputs=read.outputs, reused=read.id)
    done = store.deletions.delete([each.run or 0 for each in (made, read, lone)])
    assert (done.steps, done.kept) == (1, 2)
    assert store.find(made.cache_key) == [replace(made, run=None)]
    assert [run.id for run in store.runs()] == [4]
    assert names(store) == ["x v2", "y v1"]


def test_a_pinned_version_keeps_the_record_of_its_step(store: MetadataStore, make: Make) -> None:
    made = ran(store, make, "make", {"x": "1"})
    ran(store, make, "make", {"x": "2"})
    store.space.pin(made.outputs["x"].id or 0)
    assert store.deletions.delete([made.run or 0]).kept == 1
    assert names(store) == ["x v2", "x v1"]


def test_no_version_is_given_twice(store: MetadataStore, make: Make) -> None:
    old = [ran(store, make, "make", {"x": content}) for content in "123"]
    ran(store, make, "other", {"y": "9"})
    store.deletions.delete([each.run or 0 for each in old])
    assert names(store) == ["y v1"]
    assert ran(store, make, "make", {"x": "1"}).outputs["x"].version == 4
    assert store.artifacts(name="x")[0].version == 4


def test_no_id_is_given_twice_since_a_kernel_may_hold_the_record(store: MetadataStore, make: Make) -> None:
    ran(store, make, "make", {"x": "1"})
    newest = ran(store, make, "make", {"x": "2"})
    store.add(
        make.step("more", outputs={}), run=make.run()
    )  # a newer run; the newest artifact is in the one before
    store.deletions.delete([newest.run or 0])
    again = ran(store, make, "make", {"x": "3"})
    assert (again.outputs["x"].id or 0) > (newest.outputs["x"].id or 0)
    assert (again.id or 0) > (newest.id or 0)


def test_the_newest_run_and_one_whose_kernel_is_open_are_refused(store: MetadataStore, make: Make) -> None:
    live = make.run(process=os.getpid(), host=hostname(), started=4e9)
    first = store.add(make.step("make"), run=live)
    second = ran(store, make, "make", {"x": "1"})
    with pytest.raises(InUse, match=f"run {first.run} belongs to a kernel that is open"):
        store.deletions.delete([first.run or 0])
    with pytest.raises(InUse, match=f"run {second.run} is the newest one"):
        store.deletions.preview([second.run or 0])
    assert len(store.runs()) == 2
    assert store.deletions.older(4e10) == set()


def test_texts_that_nothing_uses_any_more_go_too(store: MetadataStore, make: Make) -> None:
    old = ran(store, make, "make", {"x": "1"}, source="password = 'hunter2'")
    ran(store, make, "make", {"x": "2"})
    store.deletions.delete([old.run or 0])

    def texts(connection: Any) -> str:
        return "\n".join(row[0] for row in connection.execute("SELECT text FROM texts"))

    found = store._database.read(texts)
    assert "hunter2" not in found
    assert "# make" in found


def test_a_forgotten_version_leaves_no_step_that_is_reused_with_an_output_less(
    store: MetadataStore, make: Make
) -> None:
    both = ran(store, make, "make", {"x": "1", "y": "2"})
    ran(store, make, "make", {}, status=Status.CACHED, outputs=both.outputs, reused=both.id)
    ran(store, make, "make", {"x": "3", "y": "3"}, cache_key="other")
    assert [each.label for each in store.deletions.forgettable()] == [
        "x v2",
        "y v1",
        "x v1",
    ]  # not the newest
    assert store.deletions.forget([both.outputs["x"].id or 0], why="the record of an output was deleted") == 1
    assert names(store) == ["x v2", "y v2", "y v1"]
    assert store.find(both.cache_key) == []
    kept = store.step(both.id or 0)
    assert kept is not None
    assert (kept.reusable, kept.unusable_because, list(kept.outputs)) == (
        False,
        "the record of an output was deleted",
        ["y"],
    )


def test_versions_that_an_open_kernel_may_hold_are_not_forgotten(store: MetadataStore, make: Make) -> None:
    live = make.run(process=os.getpid(), host=hostname(), started=4e9)
    store.add(make.step("make", outputs={"x": make.artifact("x")}), run=live)
    ran(store, make, "make", {"y": "1"})
    assert store.deletions.forgettable() == []


def test_the_file_shrinks_when_much_of_it_is_free(store: MetadataStore, make: Make, path: Any) -> None:
    for number in range(60):
        ran(store, make, "make", {"x": str(number)}, source=f"# {number}" + "x" * 60_000)
    store.deletions.delete(range(1, 60))
    files = [path, path.with_name("metadata.db-wal")]
    size = sum(each.stat().st_size for each in files)
    assert size > 3_000_000
    store.deletions.compact()
    assert sum(each.stat().st_size for each in files) < size / 4
    assert len(store.runs()) == 1
