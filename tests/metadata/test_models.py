"""Registered models in the metadata store: what they keep from being deleted, and what survives odd rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from pathlib import Path

Make = Any


def registered(store: MetadataStore, make: Make, *, runs: int = 3) -> None:
    """Record a version of `x` in each run, and register the first as a model."""
    for number in range(runs):
        artifact = make.artifact("x", str(number), parts=(f"{number}" * 64,))
        store.add(make.step(f"step {number}", outputs={"x": artifact}), run=make.run())
    assert store.models.add("classifier", ("x", 1)) == 1


def test_the_blobs_of_a_registered_version_are_pinned(store: MetadataStore, make: Make) -> None:
    registered(store, make)
    (first,) = [each for each in store.history("x") if each.version == 1]
    assert store.space.pins() == {first.id}
    assert store.space.records().pinned == {*first.blobs}
    assert store.space.registered_as(first.id or 0) == ["classifier v1"]
    assert store.space.while_unchanged(99, [*first.blobs, "other"], list) == ["other"]


def test_a_version_that_is_registered_is_neither_deleted_with_its_run_nor_forgotten(
    store: MetadataStore, make: Make
) -> None:
    registered(store, make)
    store.deletions.delete([1, 2])
    assert [each.version for each in store.history("x")] == [3, 1]
    assert [each.version for each in store.deletions.forgettable()] == []
    store.models.delete("classifier", 1)
    assert [each.version for each in store.deletions.forgettable()] == [1]


def test_models_are_there_when_the_file_is_opened_again(store: MetadataStore, make: Make, path: Path) -> None:
    registered(store, make)
    store.models.set_alias("classifier", "champion", 1)
    other = MetadataStore(path)
    assert other.models.versions() == store.models.versions()
    other.close()


def test_no_version_is_made_of_an_artifact_that_is_not_there(store: MetadataStore, make: Make) -> None:
    registered(store, make)
    assert store.models.add("other", ("x", 9)) is None
    assert [each.name for each in store.models.versions()] == ["classifier"]
    assert store.models.add("other", ("x", 2)) == 1


def test_odd_tags_are_left_out(store: MetadataStore, make: Make, path: Path) -> None:
    registered(store, make)
    for odd in ("no JSON", "[1]", '{"a": 1}'):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE model_versions SET tags = ?", (odd,))
        (found,) = store.models.versions()
        assert dict(found.tags) == {}
